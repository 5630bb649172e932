// Curves with their legend, and heat maps.
#include <fmt/format.h>

#include <algorithm>

#include "framework/report/charts.h"
#include "framework/report/markup.h"
#include "framework/report/page_parts.h"

namespace strata::report {
namespace {

constexpr std::size_t kPathPoints = 12000;  // of all curves of a page
constexpr std::size_t kStepRows = 400;      // of single steps, as CSV
constexpr std::size_t kDataBytes = 55000;   // of all curves' CSV, more or less

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
  std::vector<LegendKey> keys;
  for (const int group : all.drawn)
    keys.push_back({line_class("g", group), all.groups[static_cast<std::size_t>(group)].label});
  if (keys.size() < all.groups.size())
    keys.push_back({line_class("g", kAllGroups), all_groups_label(all)});
  return legend_of(keys);
}

std::string legend(const Chart& chart) {
  std::vector<LegendKey> keys;
  for (const ChartLine& line : chart.lines)
    keys.push_back({line_class(chart.family, line.group), line.label});
  return legend_of(keys);
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
  if (all.drawn.size() < all.groups.size())
    out += fmt::format("Of {} settings, the {} best by {} have curves of their own. ",
                       all.groups.size(), all.drawn.size(), html(figure_label(all.monitor)));
  if (stride > 1)
    out += fmt::format("The data below hold one epoch in {}; metrics.jsonl holds all. ", stride);
  return out.empty() ? "" : "<p class=\"note\">" + out + "</p>\n";
}

std::string heat_table(const HeatMap& map) {
  std::vector<std::vector<std::string>> data = {{map.down.label + " \\ " + map.across.label}};
  std::string out = fmt::format(
      "<figure class=\"heat\"><figcaption>{}</figcaption><div class=\"wide\">"
      "<table><thead><tr><th scope=\"col\">{} ↓ {} →</th>",
      html(map.title), html(map.down.label), html(map.across.label));
  for (const std::string& value : map.across.values) {
    out += "<th scope=\"col\">" + html(value) + "</th>";
    data[0].push_back(value);
  }
  out += "</tr></thead><tbody>";
  for (std::size_t row = 0; row < map.down.values.size(); ++row) {
    out += "<tr><th scope=\"row\">" + html(map.down.values[row]) + "</th>";
    data.push_back({map.down.values[row]});
    for (const double mean : map.means[row]) {
      data.back().push_back(plain_number(mean));
      out += fmt::format("<td style=\"--t:{:.2f}\">{}</td>", map.share(mean),
                         figure_text(map.figure, mean));
    }
    out += "</tr>";
  }
  return out + "</tbody></table></div>" + csv_link(map.figure + "-heat-map.csv", "CSV", csv(data)) +
         "</figure>\n";
}

// Each point of a chart that goes along a setting.
std::string values_csv(const Chart& chart) {
  std::vector<std::vector<std::string>> rows = {
      {"line", chart.across, "runs", chart.figure, "lowest", "highest"}};
  for (const ChartLine& line : chart.lines)
    for (const CurvePoint& point : line.points)
      rows.push_back({line.label, plain_number(point.value), std::to_string(point.count),
                      plain_number(point.mean), plain_number(point.low), plain_number(point.high)});
  return csv(rows);
}

// Losses of single steps, at most so many that a page stays small.
std::string steps_csv(const Comparison& all, std::size_t& stride) {
  std::size_t steps = 0;
  for (const RunRecord& run : all.runs) steps += run.steps.size();
  stride = steps / kStepRows + 1;
  std::vector<std::vector<std::string>> rows = {
      {"run", "setting", "epoch", "step", "seconds", "loss"}};
  for (std::size_t i = 0; i < all.runs.size(); ++i)
    for (std::size_t k = 0; k < all.runs[i].steps.size(); k += stride) {
      const StepRecord& step = all.runs[i].steps[k];
      rows.push_back({all.runs[i].name, std::to_string(all.group_of[i] + 1),
                      std::to_string(step.epoch), std::to_string(step.step),
                      plain_number(step.elapsed), plain_number(step.loss)});
    }
  return csv(rows);
}

// A chart's own data: of single steps, or cut from those of all curves.
std::string curve_data_link(const Comparison& all, const Chart& chart) {
  if (chart.id == "steps") {
    std::size_t stride = 1;
    const std::string data = steps_csv(all, stride);
    return csv_link("steps.csv", stride == 1 ? "CSV" : fmt::format("CSV, one step in {}", stride),
                    data);
  }
  std::string columns;
  for (const std::string& figure : all.figures)
    if (figure == chart.figure || (figure_base(figure) == figure_base(chart.figure) &&
                                   chart.lines.size() > all.groups.size()))
      columns += (columns.empty() ? "" : " ") + figure;
  return data_link("curves-csv", columns);
}

}  // namespace

std::string legend_of(const std::vector<LegendKey>& keys) {
  if (keys.size() < 2) return {};
  std::string out =
      "<div class=\"legend\" role=\"group\" aria-label=\"Curves that are shown\">"
      "<button type=\"button\" class=\"all\" hidden>all</button>"
      "<button type=\"button\" class=\"none\" hidden>none</button>";
  for (const LegendKey& key : keys)
    out += fmt::format(
        "<button type=\"button\" class=\"key\" data-g=\"{0}\" aria-pressed=\"true\"><i "
        "class=\"dot {0}\" aria-hidden=\"true\"></i>{1}</button>",
        key.line, html(key.label));
  return out + "</div>\n";
}

std::string curves_section(const Comparison& all) {
  std::vector<Chart> charts = curve_charts(all);
  if (charts.empty() && !has_step_chart(all))
    return "<section><h2>Curves</h2><p>No run has finished an epoch.</p></section>\n";
  if (has_step_chart(all)) charts.push_back(step_chart(all));
  std::size_t paths = 0;
  for (const Chart& chart : charts)
    for (const ChartLine& line : chart.lines)
      paths += line.points.empty() ? 0 : line.group == kAllGroups || all.has_seeds() ? 3 : 1;
  const std::size_t points =
      std::clamp<std::size_t>(kPathPoints / (3 * std::max<std::size_t>(paths, 1)), 12, 300);
  std::size_t stride = 1;
  const std::string data = curves_csv(all, stride);
  std::string out = "<section class=\"curves\"><h2 id=\"curves\">Curves</h2>\n";
  out += "<span class=\"over\">over</span>";
  for (const Along along : {Along::kEpochs, Along::kSteps, Along::kSeconds})
    out += fmt::format(
        "<input type=\"radio\" name=\"along\" id=\"along-{0}\"{1}><label "
        "for=\"along-{0}\">{0}</label>",
        along_name(along), along == Along::kEpochs ? " checked" : "");
  out += "\n" + legend(all) + reading_help(all, charts, stride) + "<div class=\"charts\">\n";
  for (const Chart& chart : charts) {
    out += fmt::format("<figure><figcaption>{}</figcaption><p hidden id=\"{}-d\">{}</p>\n",
                       html(chart.title), chart.id, html(chart.text));
    for (const Along along : {Along::kEpochs, Along::kSteps, Along::kSeconds})
      out += draw_chart(chart, along, points);
    out += curve_data_link(all, chart) + "</figure>\n";
  }
  return out + "</div>\n<p id=\"curves-csv\">" + csv_link("curves.csv", "All curves as CSV", data) +
         "</p></section>\n";
}

std::string values_section(const Comparison& all) {
  const std::vector<Chart> charts = value_charts(all);
  if (charts.empty()) return {};
  std::string out =
      "<section><h2>Figures against settings</h2>\n<p class=\"note\">Each run at its "
      "best epoch; a band goes from the lowest to the highest." +
      std::string(all.measured.empty() ? "" : " " + measured_note(all)) + "</p>\n";
  std::string family;
  for (const Chart& chart : charts) {
    if (chart.family != family) {
      if (!family.empty()) out += "</div>\n";
      family = chart.family;
      out += "<style>" + line_colours(family, chart.lines.size()) + "</style>\n" + legend(chart) +
             "<div class=\"charts\">\n";
    }
    out += fmt::format(
        "<figure><figcaption>{}</figcaption><p hidden id=\"{}-d\">{}</p>\n{}{}"
        "</figure>\n",
        html(chart.title), chart.id, html(chart.text),
        draw_chart(chart, Along::kValues, std::string::npos),
        chart.dots ? "<a class=\"csv\" href=\"#results\">Data are in the tables</a>"
                   : csv_link(chart.id + ".csv", "CSV", values_csv(chart)));
  }
  return out + "</div></section>\n";
}

std::string heat_maps_section(const Comparison& all) {
  const std::vector<HeatMap> maps = heat_maps(all);
  if (maps.empty()) return {};
  std::string out = "<section><h2>" + html(all.axes[0].label) + " and " + html(all.axes[1].label) +
                    "</h2>\n<div class=\"heats\">\n";
  for (const HeatMap& map : maps) out += heat_table(map);
  return out + "</div></section>\n";
}

}  // namespace strata::report
