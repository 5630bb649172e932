// Title, drawing, legend and notes, one below the other.
#include "framework/report/svg_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "framework/drawing/text.h"
#include "framework/report/charts.h"
#include "framework/report/markup.h"

namespace strata::report {
namespace {

constexpr std::size_t kPoints = 400;      // of a line
constexpr double kEdge = 12;              // around everything
constexpr double kTitle = 34, kRow = 20;  // heights
constexpr double kFont = 13;              // of legends and tables
constexpr std::size_t kLongest = 60;      // characters of a legend's label

// Colours of page.css in its light theme: viewers of SVG files do not agree on what dark is.
const char* const kStyle =
    "<style>svg{--c0:#0068b3;--c1:#c4500a;--c2:#007a5a;--c3:#a83a85;--c4:#6a4fc0;--c5:#80680a;"
    "--c6:#c0283c;--c7:#4b535f;--l:36%}text{font:13px system-ui,Segoe UI,Helvetica,Arial,"
    "sans-serif;fill:#5b6370}.title{font-weight:600;fill:#1b1e24;font-size:14px}.cell{fill:#1b1e24}"
    ".x{text-anchor:middle}.y{text-anchor:end}.grid{stroke:#d9dde3;fill:none}.l{fill:none;"
    "stroke:var(--c);stroke-width:4;stroke-linejoin:round}.b{fill:var(--c);opacity:.16}"
    "circle{fill:var(--c)}.p{fill:none;stroke:var(--c);stroke-width:11;stroke-linecap:round;"
    "stroke-opacity:.6}.all-g{--c:#5b6370}.all-g .l{stroke-dasharray:2 6}.faint "
    ".l{stroke-dasharray:7 6;stroke-width:3}.faint "
    ".b{opacity:.08}";

std::string short_label(const std::string& label) { return drawing::shortened(label, kLongest); }

std::string whole(double width, double height, const std::string& title, const std::string& text,
                  const std::string& colours, const std::string& content) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" role=\"img\" aria-labelledby=\"t d\">\n<title id=\"t\">{2}</title>\n"
      "<desc id=\"d\">{3}</desc>\n{4}{5}</style>\n"
      "<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#fff\"/>\n"
      "<text class=\"title\" x=\"{6:.0f}\" y=\"24\">{2}</text>\n{7}</svg>\n",
      width, height, html(title), html(text), kStyle, colours, kEdge, content);
}

// Keys side by side, as many as fit in a row; `y` moves below them.
std::string legend(const Chart& chart, double& y) {
  if (chart.lines.size() < 2) return {};
  std::string out;
  double x = kEdge;
  std::vector<int> seen;
  for (const ChartLine& line : chart.lines) {
    if (std::find(seen.begin(), seen.end(), line.group) != seen.end()) continue;
    seen.push_back(line.group);
    const std::string label = short_label(line.label);
    const double width = 26 + drawing::text_width(label, kFont);
    if (x > kEdge && x + width > kChartWidth + kEdge) x = kEdge, y += kRow;
    out += fmt::format(
        "<circle class=\"{}\" cx=\"{:.0f}\" cy=\"{:.0f}\" r=\"5\"/><text x=\"{:.0f}\" "
        "y=\"{:.0f}\">{}</text>\n",
        line_class(chart.family, line.group), x + 5, y - 4.5, x + 14, y, html(label));
    x += width;
  }
  y += kRow;
  return seen.size() > 1 ? out : std::string();
}

}  // namespace

std::string chart_svg(const Chart& chart, Along along, bool seeds) {
  double y = kTitle + kChartHeight + 18;
  std::string below = legend(chart, y);
  std::string note;
  if (std::any_of(chart.lines.begin(), chart.lines.end(),
                  [](const ChartLine& line) { return line.faint; }))
    note = "solid: validation, dashed: training";
  if (seeds)
    note +=
        std::string(note.empty() ? "" : "; ") + "line: mean over seeds, band: lowest to highest";
  if (!note.empty()) {
    below += fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\">{}</text>\n", kEdge, y, note);
    y += kRow;
  }
  std::set<int> groups;
  for (const ChartLine& line : chart.lines)
    if (line.group != kAllGroups) groups.insert(line.group);
  std::string title = chart.title;
  if (along != Along::kValues) title += fmt::format(" over {}", along_name(along));
  return whole(kChartWidth + 2 * kEdge, y - kRow + kEdge + 4, title, chart.text,
               line_colours(chart.family, {groups.begin(), groups.end()}),
               fmt::format("<g transform=\"translate({:.0f} {:.0f})\">{}</g>\n", kEdge, kTitle,
                           chart_content(chart, along, kPoints)) +
                   below);
}

namespace {

SvgFile chart_file(const Chart& chart, Along along, std::string_view name, bool seeds) {
  return {std::string(name) + ".svg", chart_svg(chart, along, seeds)};
}

// Between white and page.css's --hot.
std::string cell_colour(double share) {
  const auto mix = [&](int hot) { return std::lround(255 + share * (hot - 255)); };
  return fmt::format("#{:02x}{:02x}{:02x}", mix(0x78), mix(0xae), mix(0xe6));
}

SvgFile heat_file(const HeatMap& map) {
  const std::string corner = map.down.label + " ↓ " + map.across.label + " →";
  const auto room = [](const std::string& text) {
    return drawing::text_width(short_label(text), kFont);
  };
  double first = room(corner), cell = 40;
  for (const std::string& value : map.down.values) first = std::max(first, room(value));
  for (const std::string& value : map.across.values) cell = std::max(cell, room(value));
  for (const auto& row : map.means)
    for (const double mean : row) cell = std::max(cell, room(figure_text(map.figure, mean)));
  constexpr double kHigh = 26;
  const double left = kEdge + 14 + first, wide = 16 + cell;
  const auto words = [](double x, double y, std::string_view style, const std::string& text) {
    return fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", style, x, y,
                       html(text));
  };
  std::string out = words(kEdge, kTitle + 18, "", corner), text;
  for (std::size_t column = 0; column < map.across.values.size(); ++column)
    out += words(left + wide * (static_cast<double>(column) + 0.5), kTitle + 18, "x cell",
                 short_label(map.across.values[column]));
  for (std::size_t row = 0; row < map.down.values.size(); ++row) {
    const double y = kTitle + kHigh * static_cast<double>(row + 1);
    out += words(left - 8, y + 17.5, "y cell", short_label(map.down.values[row]));
    for (std::size_t column = 0; column < map.across.values.size(); ++column) {
      const double x = left + wide * static_cast<double>(column), mean = map.means[row][column];
      out += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\" "
          "stroke=\"#d9dde3\"/>",
          x, y, wide, kHigh, cell_colour(map.share(mean)));
      out += words(x + wide / 2, y + 17.5, "x cell", figure_text(map.figure, mean));
      text += fmt::format("{}{} = {}, {} = {}: {}", text.empty() ? "" : "; ", map.down.label,
                          map.down.values[row], map.across.label, map.across.values[column],
                          figure_text(map.figure, mean));
    }
  }
  const double width = left + wide * static_cast<double>(map.across.values.size()) + kEdge;
  const double title = 2 * kEdge + drawing::text_width(map.title, 14, true);
  return {map.figure + "-heat-map.svg",
          whole(std::max(width, title),
                kTitle + kHigh * static_cast<double>(map.down.values.size() + 1) + kEdge, map.title,
                text, "", out)};
}

}  // namespace

std::string file_name(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '_' || c == '-';
    out += plain ? c : '-';
  }
  return out;
}

std::vector<SvgFile> svg_files(const Comparison& all) {
  std::vector<SvgFile> files;
  std::vector<Chart> curves = curve_charts(all);
  if (has_step_chart(all)) curves.push_back(step_chart(all));
  for (const Chart& chart : curves)
    for (const Along along : {Along::kEpochs, Along::kSteps, Along::kSeconds})
      files.push_back(chart_file(chart, along, file_name(chart.title) + "-" + along_name(along),
                                 all.has_seeds()));
  for (const Chart& chart : value_charts(all))
    files.push_back(chart_file(chart, Along::kValues, file_name(chart.id), all.has_seeds()));
  for (const HeatMap& map : heat_maps(all)) {
    files.push_back(heat_file(map));
    files.back().name = file_name(map.figure) + "-heat-map.svg";
  }
  return files;
}

}  // namespace strata::report
