// Scales, ticks and paths.
#include "framework/report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "framework/base/text.h"
#include "framework/drawing/text.h"
#include "framework/report/markup.h"

namespace strata::report {
namespace {

// Units of the drawing; paths are in halves of them, so that whole numbers are precise enough.
constexpr double kLeft = 62, kRight = 468, kTop = 12, kBottom = 246;
constexpr int kOwnColours = 8;          // --c0 to --c7 of page.css
constexpr double kApart = 8;            // between the texts of ticks
constexpr double kFont = 13;            // of page.css and svg_files.cc
constexpr std::size_t kMostStops = 12;  // values that are ticks themselves
constexpr double kManifold = 50;  // from here on, values span so much that their logarithm is drawn

double along_of(const CurvePoint& point, Along along) {
  switch (along) {
    case Along::kEpochs:
      return point.epoch;
    case Along::kSteps:
      return point.step;
    case Along::kSeconds:
      return point.seconds;
    case Along::kValues:
      break;
  }
  return point.value;
}

struct Scale {
  double low = 0, high = 1, from = 0, to = 1;
  bool logarithmic = false;

  double operator()(double value) const {
    const auto map = [&](double x) { return logarithmic ? std::log10(x) : x; };
    const double share = (map(value) - map(low)) / (map(high) - map(low));
    return from + (to - from) * std::clamp(share, 0.0, 1.0);
  }
};

std::vector<double> powers(double low, double high) {
  std::vector<double> out;
  const bool few = std::log10(high / low) < 2.5;
  for (double power = std::pow(10, std::floor(std::log10(low))); power <= high; power *= 10)
    for (const double factor : {1.0, 2.0, 5.0})
      if ((few || factor == 1.0) && power * factor >= low * 0.999 && power * factor <= high * 1.001)
        out.push_back(power * factor);
  return out;
}

// "3·10⁻⁵", "10⁶".
std::string power_text(double value) {
  if (value == 0 || !std::isfinite(value)) return fmt::format("{}", value);
  int exponent = static_cast<int>(std::floor(std::log10(std::abs(value))));
  std::string factor = fmt::format("{:.3g}", value / std::pow(10, exponent));
  if (factor == "10" || factor == "-10") factor.pop_back(), ++exponent;
  static const char* const kDigits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string out = factor == "1" ? "10" : factor == "-1" ? "-10" : factor + "·10";
  for (const char c : std::to_string(exponent)) out += c == '-' ? "⁻" : kDigits[c - '0'];
  return out;
}

// Without an exponent, whole thousands in groups.
std::string decimal_text(double value) {
  if (!(std::abs(value) < 1e15)) return power_text(value);
  if (value == std::round(value)) return grouped(std::llround(value));
  std::string text = fmt::format("{:.6f}", std::stod(fmt::format("{:.4g}", value)));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

Scale vertical(const Chart& chart) {
  Scale scale{chart.low, chart.high, kBottom, kTop};
  const bool share = is_share(chart.figure);
  if (chart.low > 0 && chart.high / chart.low > kManifold && !share) {
    scale.logarithmic = true;
    return scale;
  }
  double room = 0.04 * (scale.high - scale.low);
  if (room <= 0) room = std::max(std::abs(scale.high) * 0.05, 1e-9);
  scale.high = share ? std::min(std::max(1.0, chart.high), scale.high + room) : scale.high + room;
  scale.low = chart.low >= 0 ? std::max(0.0, scale.low - room) : scale.low - room;
  return scale;
}

Scale horizontal(const Chart& chart, Along along) {
  if (along == Along::kValues && chart.stops.size() > 1) {
    constexpr double kIn = 14;  // room beside the outermost values
    const double low = chart.stops.front(), high = chart.stops.back();
    return {low, high, kLeft + kIn, kRight - kIn, is_geometric(chart.stops)};
  }
  double high = 0;
  for (const ChartLine& line : chart.lines)
    for (const CurvePoint& point : line.points) high = std::max(high, along_of(point, along));
  return {0, high > 0 ? high : 1, kLeft, kRight};
}

// At most `most` of the points, the first and the last among them.
std::vector<CurvePoint> thinned(const std::vector<CurvePoint>& points, std::size_t most) {
  if (points.size() <= most || most < 2) return points;
  std::vector<CurvePoint> out;
  for (std::size_t i = 0; i < most; ++i)
    out.push_back(points[i * (points.size() - 1) / (most - 1)]);
  return out;
}

// Steps from point to point, as short as the syntax allows.
class Path {
 public:
  void to(double x, double y) {
    const long next_x = std::lround(2 * x), next_y = std::lround(2 * y);
    if (text_.empty()) {
      text_ = fmt::format("M{} {}l", next_x, next_y);
    } else {
      const long dx = next_x - x_, dy = next_y - y_;
      if (dx == 0 && dy == 0) return;
      if (text_.back() != 'l' && dx >= 0) text_ += ' ';
      text_ += fmt::format("{}{}{}", dx, dy < 0 ? "" : " ", dy);
    }
    x_ = next_x, y_ = next_y;
  }
  // A point that stands alone: a round end of a line that has no length.
  void dot(double x, double y) {
    const long next_x = std::lround(2 * x), next_y = std::lround(2 * y);
    if (text_.empty()) {
      text_ = fmt::format("M{} {}h0", next_x, next_y);
    } else {
      const long dy = next_y - y_;
      text_ += fmt::format("m{}{}{}h0", next_x - x_, dy < 0 ? "" : " ", dy);
    }
    x_ = next_x, y_ = next_y;
  }
  std::string text(bool closed) const {
    std::string out = text_;
    if (out.ends_with('l')) out.pop_back();
    return out + (closed ? "z" : "");
  }

 private:
  std::string text_;
  long x_ = 0, y_ = 0;
};

std::string draw_line(const Chart& chart, const ChartLine& line, const Scale& across,
                      const Scale& up, Along along, std::size_t most) {
  const std::vector<CurvePoint> points = chart.dots ? line.points : thinned(line.points, most);
  if (points.empty()) return {};
  const auto x = [&](const CurvePoint& point) { return across(along_of(point, along)); };
  const std::string name = line_class(chart.family, line.group);
  std::string out =
      fmt::format("<g class=\"{0}{1}\" data-g=\"{0}\">", name, line.faint ? " faint" : "");
  if (chart.dots) {
    Path dots;
    for (const CurvePoint& point : points) dots.dot(x(point), up(point.mean));
    return out + "<path class=\"p\" d=\"" + dots.text(false) + "\"/></g>";
  }
  const bool band = std::any_of(points.begin(), points.end(),
                                [](const CurvePoint& point) { return point.low < point.high; });
  if (band) {
    Path area;
    for (const CurvePoint& point : points) area.to(x(point), up(point.high));
    for (auto point = points.rbegin(); point != points.rend(); ++point)
      area.to(x(*point), up(point->low));
    out += "<path class=\"b\" d=\"" + area.text(true) + "\"/>";
  }
  Path middle;
  for (const CurvePoint& point : points) middle.to(x(point), up(point.mean));
  out += "<path class=\"l\" d=\"" + middle.text(false) + "\"/>";
  for (const CurvePoint& point : points)
    if (points.size() == 1 || along == Along::kValues)
      out += fmt::format("<circle cx=\"{:.0f}\" cy=\"{:.0f}\" r=\"7\"/>", 2 * x(point),
                         2 * up(point.mean));
  return out + "</g>";
}

// An upper estimate; exponents are small.
double tick_width(const std::string& text) {
  constexpr double kExponent = 5;
  std::string plain;
  int small = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) plain += c;
    small += byte >= 0xC0;  // one character of several bytes
  }
  return drawing::text_width(plain, kFont) + kExponent * small;
}

// Where a horizontal axis has ticks: at the values themselves, where they are few.
std::vector<double> columns_of(const Chart& chart, const Scale& across, Along along) {
  if (along == Along::kValues && chart.stops.size() <= kMostStops) return chart.stops;
  std::vector<double> columns =
      across.logarithmic ? powers(across.low, across.high)
                         : ticks(across.low, across.high, along == Along::kValues ? 6 : 4);
  if (along == Along::kEpochs || along == Along::kSteps)
    std::erase_if(columns, [](double value) { return value != std::floor(value); });
  return columns;
}

// Ticks and what is written below those that have room for it.
void draw_columns(const Chart& chart, const Scale& across, Along along, std::string& grid,
                  std::string& text) {
  const std::vector<double> columns = columns_of(chart, across, along);
  const std::vector<std::string> texts = tick_texts(columns, "");
  double end = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const double x = across(columns[i]), half = tick_width(texts[i]) / 2;
    grid += fmt::format("M{:.1f} {:.0f}v4", x, kBottom);
    if (x - half < end) continue;
    end = x + half + kApart;
    text += fmt::format("<text x=\"{:.1f}\" y=\"{:.0f}\" class=\"x\">{}</text>", x, kBottom + 19,
                        texts[i]);
  }
}

std::string draw_axes(const Chart& chart, const Scale& across, const Scale& up, Along along) {
  std::string grid = "<path class=\"grid\" d=\"", text;
  const auto rows = up.logarithmic ? powers(up.low, up.high) : ticks(up.low, up.high, 6);
  const std::vector<std::string> texts = tick_texts(rows, chart.figure);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    grid += fmt::format("M{:.0f} {:.1f}H{:.0f}", kLeft, up(rows[i]), kRight);
    text += fmt::format("<text x=\"{:.0f}\" y=\"{:.1f}\" class=\"y\">{}</text>", kLeft - 6,
                        up(rows[i]) + 4.5, texts[i]);
  }
  draw_columns(chart, across, along, grid, text);
  const std::string name = along == Along::kSeconds ? "seconds of training"
                           : along == Along::kValues
                               ? html(chart.across) + (across.logarithmic ? " (logarithmic)" : "")
                               : along_name(along);
  return grid + fmt::format("M{:.0f} {:.0f}H{:.0f}\"/>", kLeft, kBottom, kRight) + text +
         fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" class=\"x name\">{}{}</text>",
                     (kLeft + kRight) / 2, kBottom + 40, name,
                     up.logarithmic ? " (vertical axis logarithmic)" : "");
}

}  // namespace

std::vector<double> ticks(double low, double high, int count) {
  const double rough = (high - low) / std::max(count, 1);
  if (!(rough > 0) || !std::isfinite(rough)) return {low};
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0})
    if (factor * power >= rough * 0.999) step = factor * power;
  std::vector<double> out;
  const double first = std::ceil(low / step - 1e-9);
  for (double i = first; i * step <= high + 1e-9 * step; ++i) out.push_back(i * step + 0.0);
  return out;
}

std::vector<std::string> tick_texts(const std::vector<double>& values, std::string_view figure) {
  double least = std::numeric_limits<double>::infinity(), most = 0;
  for (const double value : values) {
    if (value != 0) least = std::min(least, std::abs(value));
    most = std::max(most, std::abs(value));
  }
  const bool share = is_share(figure), memory = is_memory(figure);
  const bool power = !share && !memory && (least < 9.9e-5 || most >= 1e9);
  const bool millions = !share && !memory && !power && most >= 1e6;
  std::vector<std::string> texts;
  for (const double value : values) {
    texts.push_back(share    ? decimal_text(100 * value) + " %"
                    : memory ? decimal_text(value / 1e6) + " MB"
                    : power  ? power_text(value)
                    : millions && value != 0 && std::abs(value) >= 1e6
                        ? decimal_text(value / 1e6) + " M"
                        : decimal_text(value));
  }
  return texts;
}

bool is_geometric(const std::vector<double>& values) {
  if (values.size() < 3 || !(values.front() > 0) || !std::isfinite(values.back()) ||
      values.back() / values.front() < 8)
    return false;
  // The coefficient of variation of the distances.
  const auto unevenness = [&](const auto& map) {
    double squares = 0;
    const double count = static_cast<double>(values.size() - 1);
    const double mean = (map(values.back()) - map(values.front())) / count;
    for (std::size_t i = 1; i < values.size(); ++i) {
      const double distance = map(values[i]) - map(values[i - 1]) - mean;
      squares += distance * distance;
    }
    return std::sqrt(squares / count) / mean;
  };
  return unevenness([](double x) { return std::log(x); }) < unevenness([](double x) { return x; });
}

std::string line_class(std::string_view family, int group) {
  return group == kAllGroups ? fmt::format("all-{}", family) : fmt::format("{}{}", family, group);
}

std::string line_colours(std::string_view family, const std::vector<int>& groups) {
  std::string out;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups.size() <= kOwnColours) {
      out += fmt::format(".{}{}{{--c:var(--c{})}}", family, groups[i], i);
    } else {
      const double share = static_cast<double>(i) / static_cast<double>(groups.size() - 1);
      out += fmt::format(".{}{}{{--c:hsl({:.0f} 75% var(--l))}}", family, groups[i],
                         265 - 250 * share);
    }
  }
  return out;
}

std::string line_colours(std::string_view family, std::size_t count) {
  std::vector<int> groups(count);
  std::iota(groups.begin(), groups.end(), 0);
  return line_colours(family, groups);
}

const char* along_name(Along along) {
  static const char* const kNames[] = {"epochs", "steps", "seconds", "values"};
  return kNames[static_cast<int>(along)];
}

std::string chart_content(const Chart& chart, Along along, std::size_t points) {
  const Scale up = vertical(chart), across = horizontal(chart, along);
  std::string out = draw_axes(chart, across, up, along) + "<g transform=\"scale(.5)\">";
  for (const ChartLine& line : chart.lines)
    out += draw_line(chart, line, across, up, along, points);
  return out + "</g>";
}

std::string draw_chart(const Chart& chart, Along along, std::size_t points) {
  const std::string id = chart.id + "-" + along_name(along);
  return fmt::format(
             "<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-labelledby=\"{}-t\" "
             "aria-describedby=\"{}-d\" class=\"by-{}\"><title id=\"{}-t\">{} over {}</title>",
             kChartWidth, kChartHeight, id, chart.id, along_name(along), id, html(chart.title),
             along == Along::kValues ? html(chart.across) : along_name(along)) +
         chart_content(chart, along, points) + "</svg>\n";
}

}  // namespace strata::report
