// Scanning of numbers and strings.
#include "framework/dsl/literals.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

#include "framework/base/utf8.h"

namespace strata::dsl {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

class NumberScanner {
 public:
  explicit NumberScanner(std::string_view text) : text_(text) {}

  NumberLiteral run() {
    if (at(0) == '.') return bare_fraction();
    if (at(0) == '0' && is_word(at(1)) && !is_digit(at(1)) && at(1) != '_' && at(1) != 'e' &&
        at(1) != 'E') {
      return other_base();
    }
    digits();
    const std::size_t whole = i_;
    bool is_float = false;
    if (at(i_) == '.' && at(i_ + 1) != '.') {
      if (!is_digit(at(i_ + 1))) return bare_point();
      is_float = true;
      ++i_;
      digits();
      if (at(i_) == '.' && is_digit(at(i_ + 1))) return version();
    }
    if (at(i_) == 'e' || at(i_) == 'E') {
      is_float = true;
      if (!exponent()) {
        return wrong("malformed-number",
                     fmt::format("`{}` has no digits in its exponent", text_.substr(0, i_)),
                     "an exponent is written as in `1e-3`");
      }
    }
    if (is_word(at(i_))) return suffix();
    if (bad_underscore()) {
      return wrong("malformed-number",
                   fmt::format("`{}` has a `_` that is not between two digits", spelled()),
                   "write it as in `60_000`");
    }
    if (whole > 1 && text_[0] == '0') return leading_zero(is_float);
    return is_float ? real() : integer();
  }

 private:
  char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  std::string_view spelled() const { return text_.substr(0, i_); }
  void digits() {
    while (is_digit(at(i_)) || at(i_) == '_') ++i_;
  }
  void word() {
    while (is_word(at(i_))) ++i_;
  }
  bool exponent() {
    ++i_;
    if (at(i_) == '+' || at(i_) == '-') ++i_;
    const bool found = is_digit(at(i_));
    digits();
    return found;
  }

  bool bad_underscore() const {
    for (std::size_t i = 0; i < i_; ++i) {
      if (text_[i] == '_' &&
          !(i > 0 && is_digit(text_[i - 1]) && i + 1 < i_ && is_digit(text_[i + 1])))
        return true;
    }
    return false;
  }

  NumberLiteral wrong(std::string code, std::string message, std::string help) const {
    NumberLiteral result;
    result.size = i_;
    result.code = std::move(code);
    result.message = std::move(message);
    result.help = std::move(help);
    return result;
  }

  NumberLiteral bare_fraction() {
    ++i_;
    word();
    return wrong("malformed-number", fmt::format("`{}` has no digit before its point", spelled()),
                 fmt::format("write `0{}`", spelled()));
  }

  NumberLiteral bare_point() {
    const std::string whole(spelled());
    ++i_;
    const std::size_t tail = i_;
    if (at(i_) == 'e' || at(i_) == 'E') {
      if (!exponent()) i_ = tail;
    }
    return wrong("malformed-number", fmt::format("`{}` has no digit behind its point", spelled()),
                 fmt::format("write `{}.0{}`", whole, text_.substr(tail, i_ - tail)));
  }

  NumberLiteral other_base() {
    i_ = 2;
    word();
    const char base = static_cast<char>(text_[1] | 0x20);
    const int radix = base == 'x' ? 16 : base == 'o' ? 8 : base == 'b' ? 2 : 0;
    std::int64_t value = 0;
    const auto [end, error] =
        std::from_chars(text_.data() + 2, text_.data() + i_, value, radix == 0 ? 10 : radix);
    if (radix == 0) return suffix();
    return wrong("non-decimal-number", fmt::format("`{}`: numbers are decimal", spelled()),
                 error == std::errc() && end == text_.data() + i_ ? fmt::format("write `{}`", value)
                                                                  : "write its decimal value");
  }

  NumberLiteral suffix() {
    const std::size_t number = i_ == 2 && !is_digit(text_[1]) ? 1 : i_;
    i_ = number;
    word();
    return wrong("malformed-number",
                 fmt::format("`{}`: `{}` cannot follow a number", spelled(),
                             text_.substr(number, i_ - number)),
                 "numbers have no suffix or unit, and names do not begin with a digit");
  }

  NumberLiteral leading_zero(bool is_float) {
    std::size_t zeros = 0;
    while (at(zeros + 1) == '0' || at(zeros + 1) == '_' ||
           (at(zeros) == '0' && is_digit(at(zeros + 1))))
      ++zeros;
    return wrong("leading-zero", fmt::format("`{}` begins with a zero", spelled()),
                 fmt::format("write `{}`{}", text_.substr(zeros, i_ - zeros),
                             is_float ? "" : "; there are no octal numbers"));
  }

  NumberLiteral version() {
    while (at(i_) == '.' && is_digit(at(i_ + 1))) {
      ++i_;
      word();
    }
    NumberLiteral result;
    result.kind = NumberLiteral::kVersion;
    result.size = i_;
    return result;
  }

  std::string plain() const {  // without `_`
    std::string out;
    for (const char c : spelled()) {
      if (c != '_') out += c;
    }
    return out;
  }

  NumberLiteral integer() {
    NumberLiteral result;
    result.size = i_;
    const std::string number = plain();
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), result.integer);
    if (error != std::errc()) {
      return wrong("number-out-of-range", "an integer that does not fit in 64 bits",
                   "the largest one is 9223372036854775807; with a point it is a float");
    }
    result.kind = NumberLiteral::kInteger;
    return result;
  }

  NumberLiteral real() {
    NumberLiteral result;
    result.size = i_;
    const std::string number = plain();
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), result.real);
    if (error != std::errc() || !std::isfinite(result.real)) {
      return wrong("number-out-of-range",
                   fmt::format("`{}` is outside the range of a 64-bit float", spelled()),
                   "the largest one is about 1.8e308, the smallest above zero about 4.9e-324");
    }
    result.kind = NumberLiteral::kFloat;
    return result;
  }

  const std::string_view text_;
  std::size_t i_ = 0;
};

// `\u{1F600}`; `i` stands behind the backslash and moves past what belongs to the escape.
bool unicode_escape(std::string_view line, std::size_t& i, std::string& value) {
  std::size_t j = i + 1;
  if (j >= line.size() || line[j] != '{') return false;
  const std::size_t close = line.find('}', j);
  if (close == std::string_view::npos || close == j + 1 || close - j > 7) return false;
  std::uint32_t code_point = 0;
  const auto [end, error] =
      std::from_chars(line.data() + j + 1, line.data() + close, code_point, 16);
  i = close + 1;
  if (error != std::errc() || end != line.data() + close) return false;
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) return false;
  append_utf8(value, code_point);
  return true;
}

}  // namespace

NumberLiteral scan_number(std::string_view text) { return NumberScanner(text).run(); }

StringScan scan_string(std::string_view line, char quote) {
  StringScan scan;
  std::size_t i = 1;
  bool utf8 = true;  // so far; a wrong encoding is one mistake, however many letters it touches
  const auto problem = [&](std::size_t begin, std::size_t end, const char* code,
                           std::string message, std::string help) {
    scan.problems.push_back({begin, end, code, std::move(message), std::move(help)});
  };
  while (i < line.size()) {
    const char c = line[i];
    if (c == quote) {
      scan.closed = true;
      ++i;
      break;
    }
    if (c == '\\' && i + 1 < line.size()) {
      const std::size_t begin = i++;
      const char escaped = line[i];
      if (escaped == 'u') {
        if (!unicode_escape(line, i, scan.value)) {
          if (i == begin + 1) {
            do ++i;
            while (i < line.size() && is_word(line[i]) && i < begin + 8);
          }
          problem(
              begin, i, "bad-escape",
              fmt::format("`{}` is not a character", safe_text(line.substr(begin, i - begin))),
              "a character is written by its code point in 1 to 6 hexadecimal digits: `\\u{e9}`");
        }
        continue;
      }
      const std::string_view from = "\"\\nt", to = "\"\\\n\t";
      const std::size_t known = from.find(escaped);
      const std::size_t size = decode_utf8(line.substr(i)).size;
      i += size;
      if (known != std::string_view::npos) {
        scan.value += to[known];
      } else if (escaped != quote) {
        problem(begin, i, "bad-escape",
                fmt::format("`{}` is not an escape", safe_text(line.substr(begin, i - begin))),
                "known are `\\\"`, `\\\\`, `\\n`, `\\t` and `\\u{…}`; a backslash itself is "
                "written `\\\\`");
      } else {
        scan.value += escaped;
      }
      continue;
    }
    const Utf8Char next = decode_utf8(line.substr(i));
    if (next.valid) {
      scan.value += line.substr(i, next.size);
    } else if (std::exchange(utf8, false)) {
      problem(i, i + 1, "invalid-utf8", "this byte is not UTF-8",
              "save the file in the encoding UTF-8");
    }
    i += next.size;
  }
  if (!scan.closed) {
    std::size_t end = line.size();
    while (end > 1 && (line[end - 1] == '\r' || line[end - 1] == ' ')) --end;
    i = end;
    problem(0, end, "unterminated-string", "this string is never closed",
            "close it with `\"` on the same line; a line end inside is written `\\n`");
  }
  scan.size = i;
  return scan;
}

}  // namespace strata::dsl
