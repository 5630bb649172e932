// What went through the layers, and where the time went.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "framework/report/chart.h"
#include "framework/report/markup.h"
#include "framework/report/page_parts.h"

namespace strata::report {
namespace {

constexpr std::size_t kMostLayers = 16;  // lines of a chart
constexpr std::size_t kMostGroups = 3;   // beside one another
constexpr std::size_t kPoints = 2400;    // of all lines of all charts
constexpr std::size_t kDataRows = 200;   // of the CSV
const char* const kFamily = "y";

struct Quantity {
  const char* title;
  const char* figure;  // says the unit
  std::function<double(const LayerRecord&)> of;
};

// The gradient of a layer's weights: the parameter of that name, else its first one.
double weight_gradient(const LayerRecord& layer) {
  for (const LayerRecord::Parameter& parameter : layer.parameters)
    if (parameter.name == "weight") return parameter.gradient.deviation;
  return layer.parameters.empty() ? std::numeric_limits<double>::quiet_NaN()
                                  : layer.parameters[0].gradient.deviation;
}

const std::vector<Quantity>& quantities() {
  static const std::vector<Quantity> all = {
      {"activations: mean", "activation.mean",
       [](const LayerRecord& layer) { return layer.activation.mean; }},
      {"activations: standard deviation", "activation.deviation",
       [](const LayerRecord& layer) { return layer.activation.deviation; }},
      {"activations: share of zeros", "activation.zeros",
       [](const LayerRecord& layer) { return layer.activation.zeros; }},
      {"gradients of activations: mean", "gradient.mean",
       [](const LayerRecord& layer) { return layer.gradient.mean; }},
      {"gradients of activations: standard deviation", "gradient.deviation",
       [](const LayerRecord& layer) { return layer.gradient.deviation; }},
      {"gradients of activations: share of zeros", "gradient.zeros",
       [](const LayerRecord& layer) { return layer.gradient.zeros; }},
      {"gradients of weights: standard deviation", "weight_gradient.deviation", weight_gradient}};
  return all;
}

// Of each group its first run with statistics; where there are many groups, those of the first, the
// best and the last.
std::vector<int> shown_runs(const Comparison& all) {
  std::vector<int> runs;
  for (std::size_t g = 0; g < all.groups.size(); ++g) {
    const bool chosen = all.groups.size() <= kMostGroups || g == 0 || g + 1 == all.groups.size() ||
                        static_cast<int>(g) == all.best_group;
    if (!chosen) continue;
    for (const int member : all.groups[g].members)
      if (!all.runs[static_cast<std::size_t>(member)].statistics.empty()) {
        runs.push_back(member);
        break;
      }
  }
  return runs;
}

// In the order of the models: what only one of them has comes after what it follows there. Of very
// many some, evenly spread.
std::vector<std::string> layer_names(const Comparison& all, const std::vector<int>& runs) {
  std::vector<std::string> names;
  for (const int run : runs) {
    auto next = names.begin();
    for (const LayerRecord& layer :
         all.runs[static_cast<std::size_t>(run)].statistics.front().layers) {
      const auto known = std::find(names.begin(), names.end(), layer.layer);
      next = 1 + (known != names.end() ? known : names.insert(next, layer.layer));
    }
  }
  if (names.size() <= kMostLayers) return names;
  std::vector<std::string> some;
  for (std::size_t i = 0; i < kMostLayers; ++i)
    some.push_back(names[i * (names.size() - 1) / (kMostLayers - 1)]);
  return some;
}

std::vector<CurvePoint> curve_of(const RunRecord& run, const std::string& name,
                                 const Quantity& quantity) {
  std::vector<CurvePoint> curve;
  for (const StatisticsRecord& record : run.statistics)
    for (const LayerRecord& layer : record.layers) {
      if (layer.layer != name) continue;
      const double value = quantity.of(layer);
      if (!std::isfinite(value)) continue;
      CurvePoint& point = curve.emplace_back();
      point.step = static_cast<double>(record.step);
      point.epoch = static_cast<double>(record.epoch);
      point.mean = point.low = point.high = value;
    }
  return curve;
}

std::string in_words(const Chart& chart) {
  std::string out;
  for (const ChartLine& line : chart.lines) {
    if (line.points.empty()) continue;
    const CurvePoint &first = line.points.front(), &last = line.points.back();
    out += fmt::format("{}{}: {} at step {:.0f}, {} at step {:.0f}.", out.empty() ? "" : " ",
                       line.label, figure_text(chart.figure, first.mean), first.step,
                       figure_text(chart.figure, last.mean), last.step);
  }
  return out;
}

// The charts of one quantity, one for each run, with one vertical axis; none where all is the same.
std::vector<Chart> charts_of(const Comparison& all, const std::vector<int>& runs,
                             const std::vector<std::string>& names, std::size_t number) {
  const Quantity& quantity = quantities()[number];
  std::vector<Chart> charts;
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const int index : runs) {
    const RunRecord& run = all.runs[static_cast<std::size_t>(index)];
    Chart& chart = charts.emplace_back();
    chart.id = fmt::format("layers{}-{}", number, index);
    chart.family = kFamily;
    chart.figure = quantity.figure;
    chart.title = quantity.title;
    if (all.groups.size() > 1) {
      const auto group = static_cast<std::size_t>(all.group_of[static_cast<std::size_t>(index)]);
      chart.title = all.groups[group].label + ": " + chart.title;
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      ChartLine line{static_cast<int>(i), false, curve_of(run, names[i], quantity), names[i]};
      for (const CurvePoint& point : line.points)
        low = std::min(low, point.mean), high = std::max(high, point.mean);
      chart.lines.push_back(std::move(line));
    }
    chart.text = in_words(chart);
  }
  if (!(low < high)) return {};
  for (Chart& chart : charts) chart.low = low, chart.high = high;
  return charts;
}

// All steps of the runs, or every `stride`-th where that would be too much.
std::string statistics_csv(const Comparison& all, const std::vector<int>& runs,
                           std::size_t& stride) {
  std::size_t count = 0;
  for (const int run : runs)
    for (const StatisticsRecord& record : all.runs[static_cast<std::size_t>(run)].statistics)
      count += record.layers.size();
  stride = count / kDataRows + 1;
  std::vector<std::vector<std::string>> rows = {{"run", "layer", "kind", "epoch", "step"}};
  for (const Quantity& quantity : quantities()) rows[0].push_back(quantity.figure);
  for (const int run : runs) {
    const RunRecord& own = all.runs[static_cast<std::size_t>(run)];
    for (std::size_t i = 0; i < own.statistics.size(); i += stride)
      for (const LayerRecord& layer : own.statistics[i].layers) {
        auto& row = rows.emplace_back(std::vector<std::string>{
            own.name, layer.layer, layer.kind, std::to_string(own.statistics[i].epoch),
            std::to_string(own.statistics[i].step)});
        for (const Quantity& quantity : quantities())
          row.push_back(plain_number(quantity.of(layer)));
      }
  }
  return csv(rows);
}

std::string statistics_part(const Comparison& all) {
  const std::vector<int> runs = shown_runs(all);
  if (runs.empty()) return {};
  const std::vector<std::string> names = layer_names(all, runs);
  std::vector<Chart> charts;
  for (std::size_t i = 0; i < quantities().size(); ++i)
    for (Chart& chart : charts_of(all, runs, names, i)) charts.push_back(std::move(chart));
  std::size_t stride = 1;
  const std::string data = statistics_csv(all, runs, stride);
  std::string out =
      "<p class=\"note\">Taken at single steps in training, over all values of a layer's output in "
      "the batch; gradients are those of the mean loss.";
  if (runs.size() < all.groups.size()) {
    out += fmt::format(" Shown are {} of {} settings.", runs.size(), all.groups.size());
  } else if (all.has_seeds()) {
    out += " Of each setting its first run is shown.";
  }
  if (stride > 1)
    out += fmt::format(" The data below hold one of these steps in {}; metrics.jsonl holds all.",
                       stride);
  std::vector<LegendKey> keys;
  for (std::size_t i = 0; i < names.size(); ++i)
    keys.push_back({line_class(kFamily, static_cast<int>(i)), names[i]});
  out += "</p>\n<style>" + line_colours(kFamily, names.size()) + "</style>\n" + legend_of(keys) +
         fmt::format("<div class=\"charts layers{}\">\n", runs.size() == 3 ? " three" : "");
  const std::size_t points = std::clamp<std::size_t>(
      kPoints / std::max<std::size_t>(1, charts.size() * names.size()), 6, 120);
  for (std::size_t i = 0; i < charts.size(); ++i)
    out += fmt::format(
        "<figure><figcaption>{}</figcaption><p hidden id=\"{}-d\">{}</p>\n{}{}</figure>\n",
        html(charts[i].title), charts[i].id, html(charts[i].text),
        draw_chart(charts[i], Along::kSteps, points),
        data_link("layers-csv", charts[i].figure,
                  all.runs[static_cast<std::size_t>(runs[i % runs.size()])].name));
  return out + "</div>\n<p id=\"layers-csv\">" +
         csv_link("layers.csv", "Statistics of layers as CSV", data) + "</p>\n";
}

// The run whose layers' times are shown: the best setting's, else the first that has any.
const RunRecord* timed_run(const Comparison& all) {
  if (all.best_group >= 0)
    for (const int member : all.groups[static_cast<std::size_t>(all.best_group)].members)
      if (!all.runs[static_cast<std::size_t>(member)].times.empty())
        return &all.runs[static_cast<std::size_t>(member)];
  for (const RunRecord& run : all.runs)
    if (!run.times.empty()) return &run;
  return nullptr;
}

std::string times_part(const Comparison& all) {
  const RunRecord* run = timed_run(all);
  if (!run) return {};
  double sum = 0;
  bool updates = false;
  for (const LayerTime& time : run->times) sum += time.total(), updates |= time.update > 0;
  std::string out = fmt::format(
      "<div class=\"wide\"><table class=\"sortable\"><caption>Time of a step by layer{}: medians "
      "of the steps that were timed{}</caption><thead><tr>",
      all.runs.size() > 1 ? ", in " + html(run->name) : "",
      updates ? "" : ", updates of weights counted with backward");
  std::vector<std::vector<std::string>> data = {{"layer", "forward", "backward"}};
  if (updates) data[0].push_back("update");
  data[0].insert(data[0].end(), {"all", "share"});
  for (const std::string& name : data[0])
    out += "<th scope=\"col\"><button type=\"button\">" + name + "</button></th>";
  out += "</tr></thead><tbody>\n";
  for (const LayerTime& time : run->times) {
    const double share = sum > 0 ? time.total() / sum : 0;
    std::vector<std::string> row = {time.layers};
    out += "<tr><td>" + html(time.layers) + "</td>";
    std::vector<double> parts = {time.forward, time.backward};
    if (updates) parts.push_back(time.update);
    parts.push_back(time.total());
    for (const double seconds : parts) {
      row.push_back(plain_number(seconds));
      out += "<td data-v=\"" + row.back() + "\">" + (seconds > 0 ? short_time(seconds) : "–") +
             "</td>";
    }
    row.push_back(plain_number(share));
    out += fmt::format("<td data-v=\"{}\" class=\"bar\" style=\"--t:{:.3f}\">{:.1f} %</td></tr>\n",
                       row.back(), share, 100 * share);
    data.push_back(std::move(row));
  }
  return out + "</tbody></table></div>\n" + csv_link("layer-times.csv", "CSV", csv(data)) + "\n";
}

}  // namespace

std::string layers_section(const Comparison& all) {
  const std::string parts = statistics_part(all) + times_part(all);
  return parts.empty() ? "" : "<section><h2>Layers</h2>\n" + parts + "</section>\n";
}

}  // namespace strata::report
