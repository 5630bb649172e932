// Curves with their legend, and heat maps.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "framework/report/chart.h"
#include "framework/report/markup.h"
#include "framework/report/page_parts.h"

namespace strata::report {
namespace {

constexpr std::size_t kTogether = 3;        // groups whose train and val curves share a chart
constexpr std::size_t kDescribed = 12;      // groups that a chart's text alternative goes through
constexpr std::size_t kPathPoints = 19000;  // of all curves of a page
constexpr std::size_t kDataBytes = 80000;   // of all curves' CSV, more or less

std::string base_of(const std::string& figure) { return figure.substr(figure.find('.') + 1); }

std::string in_words(const Comparison& all, const Chart& chart) {
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
    out +=
        fmt::format("{}{}: from {} in epoch {:.0f} to {} in epoch {:.0f}, between {} and {}.",
                    out.empty() ? "" : " ", all.groups[static_cast<std::size_t>(line.group)].label,
                    number(line.points.front().mean), line.points.front().epoch,
                    number(line.points.back().mean), line.points.back().epoch, number(low->mean),
                    number(high->mean));
  }
  return out;
}

// One chart for each figure of a split; with few groups one for each figure of both.
std::vector<Chart> charts_of(const Comparison& all) {
  std::vector<std::string> bases;
  for (const std::string& figure : all.figures)
    if (std::find(bases.begin(), bases.end(), base_of(figure)) == bases.end())
      bases.push_back(base_of(figure));
  std::vector<Chart> charts;
  for (const std::string& base : bases) {
    std::vector<std::string> figures;
    for (const char* split : {"val.", "train."})
      if (std::find(all.figures.begin(), all.figures.end(), split + base) != all.figures.end())
        figures.push_back(split + base);
    for (const std::string& figure : all.figures)
      if (base_of(figure) == base &&
          std::find(figures.begin(), figures.end(), figure) == figures.end())
        figures.push_back(figure);
    const bool together = all.groups.size() <= kTogether && figures.size() == 2;
    double low = std::numeric_limits<double>::infinity(), high = -low;
    const std::size_t first = charts.size();
    for (std::size_t i = 0; i < figures.size(); ++i) {
      if (i == 0 || !together) {
        Chart& chart = charts.emplace_back();
        chart.id = fmt::format("chart{}", charts.size());
        chart.figure = figures[i];
        chart.title = together ? figure_label(base) : figure_label(figures[i]);
      }
      for (std::size_t g = 0; g < all.groups.size(); ++g) {
        ChartLine line{static_cast<int>(g), together && i > 0,
                       all.curve(all.groups[g], figures[i])};
        for (const CurvePoint& point : line.points)
          low = std::min(low, point.low), high = std::max(high, point.high);
        charts.back().lines.push_back(std::move(line));
      }
    }
    for (std::size_t i = first; i < charts.size(); ++i) {
      if (low <= high) charts[i].low = low, charts[i].high = high;
      charts[i].text = in_words(all, charts[i]);
    }
  }
  return charts;
}

std::vector<std::string> epoch_row(const Comparison& all, std::size_t run,
                                   const EpochRecord& epoch) {
  std::vector<std::string> row = {all.runs[run].name, std::to_string(all.group_of[run] + 1),
                                  std::to_string(epoch.epoch), std::to_string(epoch.step),
                                  plain_number(epoch.elapsed)};
  for (const std::string& figure : all.figures) row.push_back(plain_number(epoch.figure(figure)));
  return row;
}

// All epochs of all runs, or every `stride`-th where that would be too much.
std::string curves_csv(const Comparison& all, std::size_t& stride) {
  std::size_t bytes = 0;
  for (std::size_t run = 0; run < all.runs.size(); ++run)
    for (const EpochRecord& epoch : all.runs[run].epochs)
      for (const std::string& cell : epoch_row(all, run, epoch)) bytes += cell.size() + 1;
  stride = bytes / kDataBytes + 1;
  std::vector<std::vector<std::string>> rows = {{"run", "setting", "epoch", "step", "seconds"}};
  rows[0].insert(rows[0].end(), all.figures.begin(), all.figures.end());
  for (std::size_t run = 0; run < all.runs.size(); ++run) {
    const auto& epochs = all.runs[run].epochs;
    for (std::size_t i = 0; i < epochs.size(); ++i)
      if (i % stride == 0 || i + 1 == epochs.size()) rows.push_back(epoch_row(all, run, epochs[i]));
  }
  return csv(rows);
}

std::string legend(const Comparison& all) {
  if (all.groups.size() < 2) return {};
  std::string out =
      "<div class=\"legend\" role=\"group\" aria-label=\"Curves that are shown\">"
      "<button type=\"button\" class=\"all\" hidden>all</button>"
      "<button type=\"button\" class=\"none\" hidden>none</button>";
  for (std::size_t i = 0; i < all.groups.size(); ++i)
    out += fmt::format(
        "<button type=\"button\" class=\"key\" data-g=\"{}\" aria-pressed=\"true\">{}{}</button>",
        i, swatch(static_cast<int>(i)), html(all.groups[i].label));
  return out + "</div>\n";
}

std::string reading_help(const Comparison& all, const std::vector<Chart>& charts,
                         std::size_t stride) {
  std::string out;
  const bool faint = std::any_of(charts.begin(), charts.end(), [](const Chart& chart) {
    return std::any_of(chart.lines.begin(), chart.lines.end(),
                       [](const ChartLine& line) { return line.faint; });
  });
  if (faint) out += "Solid lines are validation, dashed ones training. ";
  if (all.has_seeds())
    out +=
        "A line is the mean over the runs of a setting that reached the epoch, its band goes from "
        "the lowest to the highest of them. ";
  if (stride > 1)
    out += fmt::format("The data below hold one epoch in {}; metrics.jsonl holds all. ", stride);
  return out.empty() ? "" : "<p class=\"note\">" + out + "</p>\n";
}

struct HeatCell {
  std::vector<double> values;
};

std::string heat_map(const Comparison& all, const std::string& figure) {
  const Axis &down = all.axes[0], &across = all.axes[1];
  const std::size_t rows = down.values.size(), columns = across.values.size();
  std::vector<HeatCell> cells(rows * columns);
  for (const Group& group : all.groups) {
    const Spread at_best = all.at_best(group, figure);
    if (at_best.count > 0)
      cells[static_cast<std::size_t>(group.points[0]) * columns +
            static_cast<std::size_t>(group.points[1])]
          .values.push_back(at_best.mean);
  }
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const HeatCell& cell : cells) {
    const Spread spread = spread_of(cell.values);
    if (spread.count > 0) low = std::min(low, spread.mean), high = std::max(high, spread.mean);
  }
  std::vector<std::vector<std::string>> data = {{down.label + " \\ " + across.label}};
  std::string out = fmt::format(
      "<figure class=\"heat\"><figcaption>{} at the best epoch{}</figcaption><div class=\"wide\">"
      "<table><thead><tr><th scope=\"col\">{} ↓ {} →</th>",
      html(figure_label(figure)), all.axes.size() > 2 ? ", mean over all that else was varied" : "",
      html(down.label), html(across.label));
  for (const std::string& value : across.values) {
    out += "<th scope=\"col\">" + html(value) + "</th>";
    data[0].push_back(value);
  }
  out += "</tr></thead><tbody>";
  for (std::size_t row = 0; row < rows; ++row) {
    out += "<tr><th scope=\"row\">" + html(down.values[row]) + "</th>";
    data.push_back({down.values[row]});
    for (std::size_t column = 0; column < columns; ++column) {
      const double mean = spread_of(cells[row * columns + column].values).mean;
      data.back().push_back(plain_number(mean));
      const double share = !std::isfinite(mean) ? 0 : high > low ? (mean - low) / (high - low) : 1;
      out += fmt::format("<td style=\"--t:{:.2f}\">{}</td>", share, figure_text(figure, mean));
    }
    out += "</tr>";
  }
  return out + "</tbody></table></div>" + csv_link(figure + "-heat-map.csv", "CSV", csv(data)) +
         "</figure>\n";
}

}  // namespace

std::string curves_section(const Comparison& all) {
  const std::vector<Chart> charts = charts_of(all);
  if (charts.empty())
    return "<section><h2>Curves</h2><p>No run has finished an epoch.</p></section>\n";
  std::size_t paths = 0;
  for (const Chart& chart : charts)
    for (const ChartLine& line : chart.lines)
      paths += line.points.empty()                                                   ? 0
               : all.groups[static_cast<std::size_t>(line.group)].members.size() > 1 ? 3
                                                                                     : 1;
  const std::size_t points =
      std::clamp<std::size_t>(kPathPoints / (3 * std::max<std::size_t>(paths, 1)), 12, 300);
  std::size_t stride = 1;
  const std::string data = curves_csv(all, stride);
  std::string out = "<section class=\"curves\"><h2 id=\"curves\">Curves</h2>\n";
  const char* const names[] = {"epochs", "steps", "seconds"};
  out += "<span class=\"over\">over</span>";
  for (const char* name : names)
    out += fmt::format(
        "<input type=\"radio\" name=\"along\" id=\"along-{}\"{}><label for=\"along-{}\">{}</label>",
        name, name == names[0] ? " checked" : "", name, name);
  out += "\n" + legend(all) + reading_help(all, charts, stride) + "<div class=\"charts\">\n";
  for (const Chart& chart : charts) {
    out += fmt::format("<figure><figcaption>{}</figcaption><p hidden id=\"{}-d\">{}</p>\n",
                       html(chart.title), chart.id, html(chart.text));
    for (const Along along : {Along::kEpochs, Along::kSteps, Along::kSeconds})
      out += draw_chart(chart, along, points);
    // The script makes it the chart's own columns; without it the link leads to all of them.
    std::string columns;
    for (const std::string& figure : all.figures)
      if (figure == chart.figure ||
          (base_of(figure) == base_of(chart.figure) && chart.lines.size() > all.groups.size()))
        columns += (columns.empty() ? "" : " ") + figure;
    out += fmt::format(
        "<a class=\"csv part\" data-figures=\"{}\" href=\"#curves-csv\">CSV</a></figure>\n",
        html(columns));
  }
  return out + "</div>\n<p id=\"curves-csv\">" + csv_link("curves.csv", "All curves as CSV", data) +
         "</p></section>\n";
}

std::string heat_maps_section(const Comparison& all) {
  if (all.axes.size() < 2) return {};
  std::string out = "<section><h2>" + html(all.axes[0].label) + " and " + html(all.axes[1].label) +
                    "</h2>\n<div class=\"heats\">\n";
  bool any = false;
  for (const std::string& figure : all.figures) {
    if (!figure.starts_with("val.") && figure != all.monitor) continue;
    out += heat_map(all, figure);
    any = true;
  }
  return any ? out + "</div></section>\n" : "";
}

}  // namespace strata::report
