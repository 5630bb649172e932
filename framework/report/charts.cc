// Figures sorted into charts, with what they show in words.
#include "framework/report/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "framework/report/markup.h"

namespace strata::report {
namespace {

constexpr std::size_t kTogether = 3;      // groups whose train and val curves share a chart
constexpr std::size_t kDescribed = 12;    // lines that a chart's text alternative goes through
constexpr std::size_t kFewestStops = 3;   // values of a setting that make a curve
constexpr std::size_t kMostLines = 12;    // of charts that show no more of them
constexpr std::size_t kMostCells = 1000;  // of a heat map
const char* const kSpeed = "samples_per_second";

std::string in_words(const Chart& chart) {
  std::string out;
  std::size_t told = 0;
  for (const ChartLine& line : chart.lines) {
    if (line.faint || line.points.empty()) continue;
    if (told++ == kDescribed) {
      out += " Further ones are in the table.";
      break;
    }
    const auto number = [&](double value) { return figure_text(chart.figure, value); };
    const auto less = [](const CurvePoint& a, const CurvePoint& b) { return a.mean < b.mean; };
    const auto [low, high] = std::minmax_element(line.points.begin(), line.points.end(), less);
    out += fmt::format("{}{}: from {} in epoch {:.0f} to {} in epoch {:.0f}, between {} and {}.",
                       out.empty() ? "" : " ", line.label, number(line.points.front().mean),
                       line.points.front().epoch, number(line.points.back().mean),
                       line.points.back().epoch, number(low->mean), number(high->mean));
  }
  return out;
}

// The axis' values as numbers, in order; none where one of them is something else.
std::vector<double> stops_of(const Axis& axis) {
  std::vector<double> stops;
  for (const std::string& value : axis.values) {
    const auto number = as_number(value);
    if (!number || !std::isfinite(*number)) return {};
    stops.push_back(*number);
  }
  return stops;
}

// What the groups of a line have in common: all axes but one.
std::string label_without(const Comparison& all, const Group& group, std::size_t axis) {
  std::string label;
  for (std::size_t i = 0; i < all.axes.size(); ++i)
    if (i != axis)
      label += (label.empty() ? "" : ", ") + all.axes[i].label + " = " +
               all.axes[i].values[static_cast<std::size_t>(group.points[i])];
  return label.empty() ? "all runs" : label;
}

double speed_of(const RunRecord& run) {
  std::vector<double> speeds;
  for (const EpochRecord& epoch : run.epochs) speeds.push_back(epoch.samples_per_second);
  return spread_of(speeds).mean;
}

CurvePoint point_of(const Comparison& all, const Group& group, const std::string& figure) {
  CurvePoint point;
  std::vector<double> values;
  if (figure == kSpeed) {
    for (const int member : group.counted)
      values.push_back(speed_of(all.runs[static_cast<std::size_t>(member)]));
  } else {
    values = all.values_at_best(group, figure);
  }
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  point.count = static_cast<int>(values.size());
  if (values.empty()) return point;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  point.low = *low, point.high = *high, point.mean = spread_of(values).mean;
  return point;
}

std::string values_in_words(const Chart& chart) {
  std::string out;
  for (std::size_t i = 0; i < chart.lines.size() && i < kDescribed; ++i) {
    const ChartLine& line = chart.lines[i];
    out += (out.empty() ? "" : " ") + line.label + ":";
    for (std::size_t p = 0; p < line.points.size(); ++p)
      out += fmt::format("{} {} at {}", p > 0 ? "," : "",
                         figure_text(chart.figure, line.points[p].mean),
                         plain_number(line.points[p].value));
    out += line.points.empty() ? " no figures." : ".";
  }
  return out + (chart.lines.size() > kDescribed ? " Further ones are in the table." : "");
}

// A figure against a setting, without its lines.
Chart against(const Comparison& all, std::size_t axis, const std::vector<double>& stops,
              const std::string& figure) {
  Chart chart;
  chart.family = fmt::format("a{}-", axis);
  chart.across = all.axes[axis].label;
  chart.stops = stops;
  chart.figure = figure;
  chart.title = fmt::format("{} against {}", figure_label(figure), chart.across);
  chart.id = fmt::format("{}-against-{}", figure, all.axes[axis].key);
  return chart;
}

// A dot for each setting, where lines would be too many: the values of a random search.
Chart dots_chart(const Comparison& all, std::size_t axis, const std::vector<double>& stops,
                 const std::string& figure) {
  Chart chart = against(all, axis, stops, figure);
  chart.dots = true;
  chart.lines = {
      {0, false, {}, count_text(static_cast<std::int64_t>(all.groups.size()), "setting")},
      {1, false, {}, "the best by " + figure_label(all.monitor)}};
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (std::size_t g = 0; g < all.groups.size(); ++g) {
    CurvePoint point = point_of(all, all.groups[g], figure);
    if (point.count == 0) continue;
    point.value = stops[static_cast<std::size_t>(all.groups[g].points[axis])];
    low = std::min(low, point.mean), high = std::max(high, point.mean);
    chart.lines[static_cast<int>(g) == all.best_group ? 1 : 0].points.push_back(point);
  }
  if (!(low <= high)) return chart;
  chart.low = low, chart.high = high;
  chart.text = fmt::format("{}: from {} to {}.", chart.lines[0].label, figure_text(figure, low),
                           figure_text(figure, high));
  for (const CurvePoint& best : chart.lines[1].points)
    chart.text += fmt::format(" {}: {} at {}.", chart.lines[1].label,
                              figure_text(figure, best.mean), plain_number(best.value));
  return chart;
}

Chart value_chart(const Comparison& all, std::size_t axis, const std::vector<double>& stops,
                  const std::string& figure) {
  Chart chart = against(all, axis, stops, figure);
  std::map<std::string, std::size_t> line_of;
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Group& group : all.groups) {
    const std::string label = label_without(all, group, axis);
    const auto [at, added] = line_of.try_emplace(label, chart.lines.size());
    if (added) chart.lines.push_back({static_cast<int>(at->second), false, {}, label});
    CurvePoint point = point_of(all, group, figure);
    if (point.count == 0) continue;
    point.value = stops[static_cast<std::size_t>(group.points[axis])];
    low = std::min(low, point.low), high = std::max(high, point.high);
    chart.lines[at->second].points.push_back(point);
  }
  for (ChartLine& line : chart.lines)
    std::sort(line.points.begin(), line.points.end(),
              [](const CurvePoint& a, const CurvePoint& b) { return a.value < b.value; });
  if (low <= high) chart.low = low, chart.high = high;
  chart.text = values_in_words(chart);
  return chart;
}

HeatMap heat_map(const Comparison& all, const std::string& figure) {
  HeatMap map{figure, {}, all.axes[0], all.axes[1], {}, 0, 0};
  map.title = figure_label(figure) + " at the best epoch" +
              (all.axes.size() > 2 ? ", mean over all that else was varied" : "");
  const std::size_t rows = map.down.values.size(), columns = map.across.values.size();
  std::vector<std::vector<double>> cells(rows * columns);
  for (const Group& group : all.groups) {
    const Spread spread = all.at_best(group, figure);
    if (spread.count > 0)
      cells[static_cast<std::size_t>(group.points[0]) * columns +
            static_cast<std::size_t>(group.points[1])]
          .push_back(spread.mean);
  }
  map.low = std::numeric_limits<double>::infinity(), map.high = -map.low;
  for (std::size_t row = 0; row < rows; ++row) {
    std::vector<double>& means = map.means.emplace_back();
    for (std::size_t column = 0; column < columns; ++column) {
      means.push_back(spread_of(cells[row * columns + column]).mean);
      if (!std::isfinite(means.back())) continue;
      map.low = std::min(map.low, means.back()), map.high = std::max(map.high, means.back());
    }
  }
  return map;
}

}  // namespace

std::string figure_base(const std::string& figure) { return figure.substr(figure.find('.') + 1); }

std::vector<Chart> curve_charts(const Comparison& all) {
  std::vector<std::string> bases;
  for (const std::string& figure : all.figures)
    if (std::find(bases.begin(), bases.end(), figure_base(figure)) == bases.end())
      bases.push_back(figure_base(figure));
  std::vector<Chart> charts;
  for (const std::string& base : bases) {
    std::vector<std::string> figures;
    for (const char* split : {"val.", "train."})
      if (std::find(all.figures.begin(), all.figures.end(), split + base) != all.figures.end())
        figures.push_back(split + base);
    for (const std::string& figure : all.figures)
      if (figure_base(figure) == base &&
          std::find(figures.begin(), figures.end(), figure) == figures.end())
        figures.push_back(figure);
    const bool together = all.groups.size() <= kTogether && figures.size() == 2;
    const bool some = all.drawn.size() < all.groups.size();
    double low = std::numeric_limits<double>::infinity(), high = -low;
    const std::size_t first = charts.size();
    for (std::size_t i = 0; i < figures.size(); ++i) {
      if (i == 0 || !together) {
        Chart& chart = charts.emplace_back();
        chart.id = fmt::format("chart{}", charts.size());
        chart.figure = figures[i];
        chart.title = together ? figure_label(base) : figure_label(figures[i]);
      }
      std::vector<ChartLine>& lines = charts.back().lines;
      const std::size_t before = lines.size();
      if (some)
        lines.push_back(
            {kAllGroups, false, all.range_of_groups(figures[i]), all_groups_label(all)});
      for (const int g : all.drawn) {
        const Group& group = all.groups[static_cast<std::size_t>(g)];
        lines.push_back({g, together && i > 0, all.curve(group, figures[i]), group.label});
      }
      for (std::size_t line = before; line < lines.size(); ++line)
        for (const CurvePoint& point : lines[line].points)
          low = std::min(low, point.low), high = std::max(high, point.high);
    }
    for (std::size_t i = first; i < charts.size(); ++i) {
      if (low <= high) charts[i].low = low, charts[i].high = high;
      charts[i].text = in_words(charts[i]);
    }
  }
  return charts;
}

bool has_step_chart(const Comparison& all) {
  return all.has_steps && all.groups.size() <= kMostLines;
}

Chart step_chart(const Comparison& all) {
  Chart chart;
  chart.id = "steps";
  chart.figure = "step.loss";
  chart.title = "training loss of single steps";
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (std::size_t g = 0; g < all.groups.size(); ++g) {
    ChartLine line{static_cast<int>(g), false, all.step_curve(all.groups[g]), all.groups[g].label};
    for (const CurvePoint& point : line.points)
      low = std::min(low, point.low), high = std::max(high, point.high);
    chart.lines.push_back(std::move(line));
  }
  if (low <= high) chart.low = low, chart.high = high;
  chart.text = in_words(chart);
  return chart;
}

std::string all_groups_label(const Comparison& all) {
  return fmt::format("all {} settings: median, lowest to highest", all.groups.size());
}

std::vector<Chart> value_charts(const Comparison& all) {
  std::vector<std::string> figures;
  for (const std::string& figure : all.figures)
    if (figure.starts_with("val.") || figure == all.monitor) figures.push_back(figure);
  figures.insert(figures.end(), all.measured.begin(), all.measured.end());
  std::vector<Chart> charts;
  for (std::size_t axis = 0; axis < all.axes.size(); ++axis) {
    const std::vector<double> stops = stops_of(all.axes[axis]);
    if (stops.size() < kFewestStops) continue;
    Chart speed = value_chart(all, axis, stops, kSpeed);
    const bool dots = speed.lines.size() > kMostLines;
    for (const std::string& figure : figures)
      charts.push_back(dots ? dots_chart(all, axis, stops, figure)
                            : value_chart(all, axis, stops, figure));
    if (!dots) charts.push_back(std::move(speed));
  }
  return charts;
}

double HeatMap::share(double mean) const {
  return !std::isfinite(mean) ? 0 : high > low ? (mean - low) / (high - low) : 1;
}

std::vector<HeatMap> heat_maps(const Comparison& all) {
  std::vector<HeatMap> maps;
  if (all.axes.size() < 2) return maps;
  // Values that were drawn at random make cells of one run each.
  const std::size_t cells = all.axes[0].values.size() * all.axes[1].values.size();
  if (cells > kMostCells || cells > 2 * all.groups.size()) return maps;
  for (const std::string& figure : all.figures)
    if (figure.starts_with("val.") || figure == all.monitor) maps.push_back(heat_map(all, figure));
  return maps;
}

}  // namespace strata::report
