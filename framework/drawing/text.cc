#include "framework/drawing/text.h"

#include <fmt/format.h>

#include "framework/base/text.h"
#include "framework/base/utf8.h"

namespace strata::drawing {
namespace {

// Parts of an em, a little more than in the widest of the usual system fonts.
double advance(char32_t c) {
  if (c >= 'a' && c <= 'z') {
    if (c == 'm' || c == 'w') return 0.92;
    return c == 'i' || c == 'j' || c == 'l' ? 0.33 : c == 'f' || c == 't' || c == 'r' ? 0.46 : 0.63;
  }
  if (c >= '0' && c <= '9') return 0.65;
  if (c >= 'A' && c <= 'Z') return c == 'M' || c == 'W' ? 1.0 : c == 'I' ? 0.4 : 0.77;
  if (c < 0x80) {
    static constexpr std::string_view kNarrow = " .,:;|!'()[]{}/`";
    return kNarrow.find(static_cast<char>(c)) != std::string_view::npos ? 0.4
           : c == '@' || c == '%'                                         ? 1.0
           : c == '_' || c == '-'                                         ? 0.55
                                                                          : 0.84;
  }
  return c < 0x250 ? 0.8 : 1.0;
}

}  // namespace

double text_width(std::string_view text, double font_size, bool bold) {
  double width = 0;
  while (!text.empty()) {
    const Utf8Char next = decode_utf8(text);
    const ShownChar seen = shown(next, text);
    width += seen.cells == 2 ? 1.15 : next.valid ? advance(next.code_point) : 1.0;
    text.remove_prefix(next.size);
  }
  return width * font_size * (bold ? 1.08 : 1.0);
}

std::string shortened(std::string_view text, std::size_t most) {
  std::string out, last;
  for (std::size_t count = 0; !text.empty(); ++count) {
    const Utf8Char next = decode_utf8(text);
    if (count >= most) return out + "…";  // `last` gives way to it
    out += last;
    last = shown(next, text).text;
    text.remove_prefix(next.size);
  }
  return out + last;
}

std::string xml_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Utf8Char next = decode_utf8(text);
    switch (next.code_point) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      case '\n': out += "&#10;"; break;
      case 0xFFFE:
      case 0xFFFF: append_utf8(out, 0xFFFD); break;
      default: out += shown(next, text).text;
    }
    text.remove_prefix(next.size);
  }
  return out;
}

std::string counted(std::int64_t number, std::string_view what) {
  return fmt::format("{} {}{}", grouped(number), what, number == 1 ? "" : "s");
}

}  // namespace strata::drawing
