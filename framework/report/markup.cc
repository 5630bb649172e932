// Escaping and numbers.
#include "framework/report/markup.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/base/text.h"
#include "framework/base/utf8.h"

namespace strata::report {

std::string html(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Utf8Char next = decode_utf8(text);
    const std::string_view bytes = text.substr(0, next.size);
    text.remove_prefix(next.size);
    const char c = bytes[0];
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else if (c == '\n' || c == '\t') {
      out += c;
    } else {
      out += shown(next, bytes).text;
    }
  }
  return out;
}

std::string csv(const std::vector<std::vector<std::string>>& rows) {
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += ',';
      if (row[i].find_first_of(",\"\n\r") == std::string::npos) {
        out += row[i];
        continue;
      }
      out += '"';
      for (const char c : row[i]) out += c == '"' ? "\"\"" : std::string(1, c);
      out += '"';
    }
    out += '\n';
  }
  return out;
}

std::string csv_uri(std::string_view text) {
  std::string out = "data:text/csv;charset=utf-8,";
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       std::string_view("-_.,/:=+*()!~$;@").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

bool is_share(std::string_view name) {
  return name.find("accuracy") != std::string_view::npos || name.ends_with(".zeros");
}

bool is_memory(std::string_view name) { return name == "peak_memory"; }

std::string figure_text(std::string_view name, double value) {
  if (!std::isfinite(value)) return "–";
  if (is_share(name)) return fmt::format("{:.2f} %", 100 * value);
  if (is_memory(name)) return fmt::format("{:.1f} MB", value / 1e6);
  if (name == "epochs_to_target") return fmt::format("{:.1f}", value);
  if (name == "seconds_to_target") return duration_text(value);
  const double size = std::abs(value);
  if (size >= 1e9 || (size < 1e-4 && size > 0)) return fmt::format("{:.3e}", value);
  if (size >= 1000 || name == "samples_per_second") return grouped(std::llround(value));
  const int digits = size >= 100 ? 1 : size >= 10 ? 2 : size >= 0.1 ? 4 : 5;
  return fmt::format("{:.{}f}", value, digits);
}

std::string spread_text(std::string_view name, double mean, double deviation) {
  if (!std::isfinite(mean) || !std::isfinite(deviation)) return figure_text(name, mean);
  if (is_share(name)) return fmt::format("{:.2f} ± {:.2f} %", 100 * mean, 100 * deviation);
  if (is_memory(name)) return fmt::format("{:.1f} ± {:.1f} MB", mean / 1e6, deviation / 1e6);
  if (name == "seconds_to_target") return fmt::format("{:.2f} ± {:.2f} s", mean, deviation);
  const std::string middle = figure_text(name, mean);
  const std::size_t point = middle.find('.');
  if (middle.find('e') != std::string::npos) return fmt::format("{} ± {:.1e}", middle, deviation);
  const int digits = point == std::string::npos ? 0 : static_cast<int>(middle.size() - point - 1);
  return fmt::format("{} ± {:.{}f}", middle, deviation, digits);
}

std::string figure_label(std::string_view name) {
  std::string label(name);
  std::replace_if(
      label.begin(), label.end(), [](char c) { return c == '.' || c == '_'; }, ' ');
  return label;
}

std::string plain_number(double value) {
  return std::isfinite(value) ? fmt::format("{:.6g}", value) : "";
}

std::string duration_text(double seconds) {
  if (!(std::abs(seconds) < 1e9)) return std::isfinite(seconds) ? "> 31 years" : "–";
  if (seconds < 0.0995) return fmt::format("{:.1f} ms", 1000 * seconds);
  if (seconds < 9.995) return fmt::format("{:.2f} s", seconds);
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  const std::int64_t whole = std::llround(seconds);
  if (whole < 3600) return fmt::format("{}:{:02} min", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02} h", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string short_time(double seconds) {
  return seconds < 0.001 ? fmt::format("{:.1f} µs", 1e6 * seconds) : duration_text(seconds);
}

std::string count_text(std::int64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(number), noun, number == 1 ? "" : "s");
}

std::string short_hash(const std::string& text) {
  const bool hash =
      text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
  return hash ? text.substr(0, 12) : text;
}

std::string fact_text(const nlohmann::ordered_json& value) {
  if (value.is_null()) return "none";
  if (value.is_string()) return short_hash(value.get<std::string>());
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_object()) {
    std::string out;
    for (const auto& [key, entry] : value.items())
      out += (out.empty() ? "" : ", ") + key + " " + fact_text(entry);
    return out;
  }
  if (value.is_array()) {
    std::string out;
    for (const auto& entry : value) out += (out.empty() ? "" : "; ") + fact_text(entry);
    return out.empty() ? "none" : out;
  }
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace strata::report
