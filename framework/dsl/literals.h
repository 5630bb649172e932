// Numbers and strings as they are written: exact, independent of locale, with what is wrong about
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace strata::dsl {

struct NumberLiteral {
  enum Kind { kInteger, kFloat, kVersion, kWrong } kind = kWrong;
  std::size_t size = 0;  // bytes of the text that belong to it, also where it is wrong
  std::int64_t integer = 0;
  double real = 0;
  std::string code, message, help;  // of a wrong one
};

// The number at the beginning of `text`, which begins with a digit, or with a dot and a digit.
// `1..4` is an int and stops before the dots; `1.2.3` is a version.
NumberLiteral scan_number(std::string_view text);

struct StringProblem {
  std::size_t begin, end;  // in the scanned text
  std::string code, message, help;
};

struct StringScan {
  std::size_t size = 0;  // with the quotes
  std::string value;     // unescaped
  bool closed = false;
  std::vector<StringProblem> problems;
};

// The string at the beginning of `line`, which begins with `quote` and holds no line end.
StringScan scan_string(std::string_view line, char quote);

}  // namespace strata::dsl
