// From combinations to charts.
#include "framework/app/study_charts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "framework/app/format.h"
#include "framework/app/study_results.h"

namespace strata::app {
namespace {

constexpr std::size_t kFewestStops = 3;  // values that make a curve
constexpr std::size_t kMostLines = 12;

std::optional<double> number_of(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
    return std::nullopt;
  return number;
}

class Charts {
 public:
  Charts(const StudyRecord& study, const std::vector<RunRecord>& runs, bool best)
      : study_(study), best_(best), all_(combinations(runs)), headings_(short_paths(study.paths)) {}

  std::vector<double> stops(std::size_t path) const {
    std::set<double> numbers;
    for (const Combination& one : all_) {
      const std::optional<double> number = number_of(one.values[path]);
      if (!number) return {};
      numbers.insert(*number);
    }
    return {numbers.begin(), numbers.end()};
  }

  report::Chart chart(std::size_t across, const std::string& figure) const {
    report::Chart chart;
    chart.title = fmt::format("{} against {}", figure_label(figure), headings_[across]);
    chart.figure = figure;
    chart.across = headings_[across];
    chart.stops = stops(across);
    std::map<std::string, std::size_t> places;
    chart.low = std::numeric_limits<double>::infinity(), chart.high = -chart.low;
    for (const Combination& one : all_) {
      const std::string label = label_of(one, across);
      const auto [at, added] = places.try_emplace(label, chart.lines.size());
      if (added) chart.lines.push_back({static_cast<int>(chart.lines.size()), false, {}, label});
      const Spread spread = strata::app::spread(one, figure, best_);
      if (spread.count == 0) continue;
      report::CurvePoint point;
      point.value = *number_of(one.values[across]);
      point.mean = spread.mean, point.low = spread.low, point.high = spread.high;
      point.count = static_cast<int>(spread.count);
      chart.low = std::min(chart.low, spread.low);
      chart.high = std::max(chart.high, spread.high);
      chart.lines[at->second].points.push_back(point);
    }
    for (report::ChartLine& line : chart.lines) {
      std::sort(line.points.begin(), line.points.end(),
                [](const auto& a, const auto& b) { return a.value < b.value; });
      chart.text += in_words(line, figure);
    }
    // Values that were drawn: each has a combination of its own, and a line through them is none.
    const bool drawn =
        study_.paths.size() > 1 && all_.size() > kMostLines && chart.stops.size() == all_.size();
    if (drawn || chart.lines.size() > kMostLines) make_dots(chart);
    return chart;
  }

 private:
  // The settings that tell lines apart: not those that move with the one across, as in a zip.
  std::string label_of(const Combination& one, std::size_t across) const {
    std::vector<std::string> parts;
    for (std::size_t path = 0; path < study_.paths.size(); ++path) {
      if (path == across || follows(path, across)) continue;
      parts.push_back(headings_[path] + " = " + unquoted(one.values[path]));
    }
    return parts.empty() ? "all runs" : fmt::format("{}", fmt::join(parts, ", "));
  }

  bool follows(std::size_t path, std::size_t across) const {
    std::map<std::string, std::string> with;
    for (const Combination& one : all_) {
      const auto [at, added] = with.try_emplace(one.values[across], one.values[path]);
      if (!added && at->second != one.values[path]) return false;
    }
    return true;
  }

  // Each combination is a dot.
  void make_dots(report::Chart& chart) const {
    report::ChartLine all;
    all.label = counted(static_cast<std::int64_t>(all_.size()), "combination");
    for (const report::ChartLine& line : chart.lines)
      all.points.insert(all.points.end(), line.points.begin(), line.points.end());
    for (report::CurvePoint& point : all.points) point.low = point.high = point.mean;
    chart.text = fmt::format("{}: from {} to {}.", all.label, figure(chart.figure, chart.low),
                             figure(chart.figure, chart.high));
    chart.lines = {std::move(all)};
    chart.dots = true;
  }

  static std::string in_words(const report::ChartLine& line, const std::string& name) {
    std::vector<std::string> parts;
    for (const report::CurvePoint& point : line.points)
      parts.push_back(fmt::format("{} at {}", figure(name, point.mean), point.value));
    return fmt::format("{}: {}. ", line.label,
                       parts.empty() ? "no figures" : fmt::format("{}", fmt::join(parts, ", ")));
  }

  const StudyRecord& study_;
  bool best_;
  std::vector<Combination> all_;
  std::vector<std::string> headings_;
};

}  // namespace

std::vector<report::SvgFile> study_charts(const StudyRecord& study,
                                          const std::vector<RunRecord>& runs, bool best) {
  std::vector<report::SvgFile> files;
  const Charts charts(study, runs, best);
  const bool seeds = std::any_of(runs.begin(), runs.end(),
                                 [&](const RunRecord& run) { return run.seed != runs[0].seed; });
  for (std::size_t path = 0; path < study.paths.size(); ++path) {
    if (charts.stops(path).size() < kFewestStops) continue;
    for (const std::string& figure : reported_figures(study, runs)) {
      const report::Chart chart = charts.chart(path, figure);
      if (!(chart.low <= chart.high)) continue;
      files.push_back(
          {report::file_name(fmt::format("{}-against-{}", figure, chart.across)) + ".svg",
           report::chart_svg(chart, report::Along::kValues, seeds)});
    }
  }
  return files;
}

}  // namespace strata::app
