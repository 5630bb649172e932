#include "framework/app/format.h"

#include <algorithm>
#include <cmath>

#include "framework/base/utf8.h"

namespace strata::app {

std::string counted(std::int64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(number), noun, number == 1 ? "" : "s");
}

std::string duration(double seconds) {
  if (!(seconds >= 0)) return "?";
  if (seconds < 0.0995) return fmt::format("{:.{}f} ms", 1000 * seconds, seconds < 0.00995 ? 1 : 0);
  if (seconds < 9.995) return fmt::format("{:.2f} s", seconds);
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  return clock(seconds) + (seconds < 3600 ? " min" : " h");
}

std::string clock(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "?";
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string shape_text(const Shape& shape) {
  std::string out = "[";
  for (int i = 0; i < shape.rank(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

std::string figure(std::string_view name, double value) {
  if (!std::isfinite(value)) return fmt::format("{}", value);
  // The second of two metrics of one kind is "accuracy2".
  name = name.substr(0, name.find_last_not_of("0123456789") + 1);
  if (name.size() >= 8 && name.substr(name.size() - 8) == "accuracy")
    return fmt::format("{:.2f} %", 100 * value);
  if (name == "peak_memory") return fmt::format("{:.1f} MB", value / 1e6);
  if (name == "seconds" || name == "seconds_to_target") return fmt::format("{:.2f} s", value);
  if (name == "samples_per_second") return fmt::format("{:.0f}", value);
  if (name == "epochs_to_target") return fmt::format("{:.1f}", value);
  const double size = std::abs(value);
  if (size != 0 && (size < 1e-3 || size >= 1e6)) return fmt::format("{:.3e}", value);
  return fmt::format("{:.{}f}", value, size < 100 ? 4 : 1);
}

std::string figure_label(std::string_view name) {
  std::string label(name);
  std::replace(label.begin(), label.end(), '.', ' ');
  std::replace(label.begin(), label.end(), '_', ' ');
  return label;
}

const double* find_figure(const NamedFigures& figures, std::string_view name) {
  for (const auto& [known, value] : figures) {
    if (known == name) return &value;
  }
  return nullptr;
}

int cells(std::string_view text) {
  int count = 0;
  while (!text.empty()) {
    const Utf8Char c = decode_utf8(text);
    count += shown(c, text.substr(0, c.size)).cells;
    text.remove_prefix(c.size);
  }
  return count;
}

std::string table(const std::vector<std::vector<std::string>>& rows, int left,
                  std::string_view indent) {
  std::vector<int> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], cells(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line(indent);
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - cells(row[i]), ' ');
      if (i > 0) line += "  ";
      line += static_cast<int>(i) < left ? row[i] + padding : padding + row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace strata::app
