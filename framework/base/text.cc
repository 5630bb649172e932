// Printing of numbers, strings and names.
#include "framework/base/text.h"

#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <cmath>

#include "framework/base/utf8.h"

namespace strata {

std::string print_float(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  std::string text(buffer, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

namespace {

// What no reader would see, or would take for something else: control characters, spaces other
// than the plain one, and signs without a shape or that turn the direction of writing.
bool is_invisible(const Utf8Char& c) {
  if (!c.valid) return true;  // shown as U+FFFD
  const auto in = [&](char32_t first, char32_t last) {
    return c.code_point >= first && c.code_point <= last;
  };
  return in(0, 0x1F) || in(0x7F, 0xA0) || c.code_point == 0xAD || c.code_point == 0x34F ||
         c.code_point == 0x61C || c.code_point == 0x1680 || in(0x115F, 0x1160) ||
         in(0x17B4, 0x17B5) || in(0x180B, 0x180E) || in(0x2000, 0x200F) || in(0x2028, 0x202F) ||
         in(0x205F, 0x206F) || c.code_point == 0x3000 || c.code_point == 0x3164 ||
         c.code_point == 0xFEFF || c.code_point == 0xFFA0 || in(0xFFF0, 0xFFFB) ||
         in(0xE0000, 0xE0FFF);
}

}  // namespace

std::string print_string(std::string_view value) {
  std::string out = "\"";
  for (std::size_t i = 0; i < value.size();) {
    const Utf8Char next = decode_utf8(value.substr(i));
    switch (value[i]) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (is_invisible(next)) {
          out += fmt::format("\\u{{{:x}}}", static_cast<unsigned>(next.code_point));
        } else {
          out += value.substr(i, next.size);
        }
    }
    i += next.size;
  }
  return out + "\"";
}

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t sign = number < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > sign + 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string snake_case(std::string_view name) {
  const auto upper = [&](std::size_t i) {
    return i < name.size() && std::isupper(static_cast<unsigned char>(name[i]));
  };
  const auto lower = [&](std::size_t i) {
    return i < name.size() && std::islower(static_cast<unsigned char>(name[i]));
  };
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    // A word begins at a capital after a small letter, and at the last capital of a run before a
    // small letter.
    if (i > 0 && upper(i) && (lower(i - 1) || (upper(i - 1) && lower(i + 1)))) out += '_';
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(name[i])));
  }
  return out;
}

}  // namespace strata
