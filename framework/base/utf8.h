// UTF-8, read one character at a time without trusting the input, and made safe to show on a
// terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace strata {

constexpr int kTabWidth = 4;  // as columns are counted in messages

struct Utf8Char {
  char32_t code_point = 0xFFFD;
  std::size_t size = 1;  // bytes; at least 1, also where they are not UTF-8
  bool valid = false;
};

// The first character of `text`, which is not empty. Overlong forms, surrogates and cut-off
// characters are one invalid byte each.
Utf8Char decode_utf8(std::string_view text);

void append_utf8(std::string& out, char32_t code_point);

// How a character is shown: control and direction-changing characters as a visible stand-in,
// invalid bytes as U+FFFD. `cells` is its width on a terminal: 0 for combining marks, 2 for East
// Asian wide ones and emoji.
struct ShownChar {
  std::string text;
  int cells = 1;
};
ShownChar shown(const Utf8Char& character, std::string_view bytes);

// A whole text made safe to show on one line: as `shown`, with tabs and line ends visible too.
std::string safe_text(std::string_view text);

}  // namespace strata
