// Which classes are mixed up, and the samples that went most wrong.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/base/text.h"
#include "framework/report/markup.h"
#include "framework/report/page_parts.h"
#include "framework/report/predictions.h"

namespace strata::report {
namespace {

constexpr std::size_t kImageBytes = 30000;  // of all pictures of a page
constexpr std::size_t kMostClasses = 40;    // of a matrix; a larger one would be no help

struct Matrix {
  std::vector<std::string> classes;
  std::vector<std::vector<double>> counts;  // or shares, as the run's metric has them
};

// From the run's own record; else from the figures of a ConfusionMatrix metric.
Matrix matrix_of(const RunRecord& run) {
  Matrix matrix;
  if (run.predictions && !run.predictions->confusion.empty()) {
    matrix.classes = run.predictions->classes;
    for (const auto& row : run.predictions->confusion)
      matrix.counts.emplace_back(row.begin(), row.end());
    return matrix;
  }
  if (const EpochRecord* best = run.best()) matrix.counts = confusion_of(best->figures, "val.");
  for (std::size_t i = 0; i < matrix.counts.size(); ++i)
    matrix.classes.push_back(std::to_string(i));
  return matrix;
}

std::string count_or_share(double count) {
  return count == std::floor(count) && std::abs(count) < 1e15
             ? grouped(static_cast<std::int64_t>(count))
             : fmt::format("{:.3g}", count);
}

// Colours go by the share of a row, so that rare classes show, too; the diagonal has its own.
std::string matrix_table(const Matrix& matrix, const std::string& title) {
  std::vector<std::vector<std::string>> data = {{"class \\ taken for"}};
  std::string out = "<figure class=\"heat matrix\"><figcaption>" + html(title) +
                    "</figcaption><div class=\"wide\"><table><thead><tr><th scope=\"col\">class ↓ "
                    "taken for →</th>";
  for (const std::string& name : matrix.classes) {
    out += "<th scope=\"col\">" + html(name) + "</th>";
    data[0].push_back(name);
  }
  out += "</tr></thead><tbody>";
  for (std::size_t i = 0; i < matrix.counts.size(); ++i) {
    out += "<tr><th scope=\"row\">" + html(matrix.classes[i]) + "</th>";
    data.push_back({matrix.classes[i]});
    double sum = 0;
    for (const double count : matrix.counts[i]) sum += count;
    for (std::size_t j = 0; j < matrix.counts[i].size(); ++j) {
      const double count = matrix.counts[i][j];
      data.back().push_back(plain_number(count));
      const double share = sum > 0 ? count / sum : 0;
      // Mistakes are few: a tenth of a class is as dark as it gets.
      const double shade = i == j ? share : std::min(1.0, 10 * share);
      out += fmt::format("<td{} style=\"--t:{:.2f}\">{}</td>", i == j ? " class=\"right\"" : "",
                         shade, count_or_share(count));
    }
    out += "</tr>";
  }
  return out + "</tbody></table></div>" + csv_link("confusion.csv", "CSV", csv(data)) +
         "</figure>\n";
}

std::string sample_words(const PredictionRecord& from, const PredictionRecord::Sample& sample) {
  if (sample.label < 0) return {};
  return from.class_name(sample.label) + (sample.predicted == sample.label ? ", and taken for it"
                                          : sample.predicted < 0
                                              ? ", and taken for nothing"
                                              : ", taken for " + from.class_name(sample.predicted));
}

std::string worst_samples(const PredictionRecord& from, const std::string& title) {
  if (from.worst.empty()) return {};
  std::vector<std::vector<std::string>> data = {{"sample", "loss", "class", "taken for"}};
  std::string out = "<figure class=\"worst\"><figcaption>" + html(title) + "</figcaption><ul>\n";
  std::size_t bytes = 0;
  bool any = false;
  for (const PredictionRecord::Sample& sample : from.worst) {
    const auto name = [&](std::int64_t c) { return c < 0 ? std::string() : from.class_name(c); };
    data.push_back({std::to_string(sample.sample), plain_number(sample.loss), name(sample.label),
                    name(sample.predicted)});
    bytes += sample.image.size();
    if (sample.image.empty() || bytes > kImageBytes) continue;
    any = true;
    const std::string words = html(sample_words(from, sample));
    out += fmt::format(
        "<li><img src=\"{}\" alt=\"sample {}{}{}\"><span>{}</span><span class=\"note\">loss {}, "
        "no. "
        "{}</span></li>\n",
        sample.image, sample.sample, words.empty() ? "" : ": ", words, words,
        figure_text("loss", sample.loss), sample.sample);
  }
  const std::string link =
      csv_link("worst-samples.csv", "Samples with the largest loss as CSV", csv(data));
  return any ? out + "</ul>" + link + "</figure>\n" : "<p>" + link + "</p>\n";
}

// The best run of the best setting that has anything to show; else the first one.
const RunRecord* shown_run(const Comparison& all) {
  const RunRecord* best = nullptr;
  const auto monitored = [&](const RunRecord& run) {
    return run.best() ? run.best()->figure(all.monitor) : std::nan("");
  };
  for (const bool of_best : {true, false}) {
    for (std::size_t i = 0; i < all.runs.size(); ++i) {
      const RunRecord& run = all.runs[i];
      if (of_best != (all.group_of[i] == all.best_group)) continue;
      if (!run.predictions && matrix_of(run).counts.empty()) continue;
      const bool better = best && (all.more_is_better ? monitored(run) > monitored(*best)
                                                      : monitored(run) < monitored(*best));
      if (!best || better) best = &run;
    }
    if (best) break;
  }
  return best;
}

}  // namespace

std::string predictions_section(const Comparison& all) {
  const RunRecord* run = shown_run(all);
  if (!run) return {};
  const std::string of = all.runs.size() > 1 ? " of " + run->name : "";
  const std::int64_t epoch = run->predictions ? run->predictions->epoch : run->best_epoch;
  std::string parts;
  const Matrix matrix = matrix_of(*run);
  if (!matrix.counts.empty() && matrix.counts.size() <= kMostClasses)
    parts += matrix_table(
        matrix, fmt::format("Confusion matrix{}: validation samples after epoch {}", of, epoch));
  if (run->predictions)
    parts +=
        worst_samples(*run->predictions,
                      fmt::format("Samples with the largest loss{}, after epoch {}", of, epoch));
  return parts.empty() ? "" : "<section><h2>Predictions</h2>\n" + parts + "</section>\n";
}

}  // namespace strata::report
