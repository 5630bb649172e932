// Text in pictures: how wide it gets, cut to fit, and escaped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace strata::drawing {

// An upper estimate of the width of `text` in a sans-serif font of this size, whichever one the viewer has.
double text_width(std::string_view text, double font_size, bool bold = false);

// `text` safe to show, with an ellipsis where it has more than `most` characters.
std::string shortened(std::string_view text, std::size_t most);

// For XML content and attributes: escaped, and without what XML 1.0 does not allow.
std::string xml_text(std::string_view text);

// "1 layer", "235,146 parameters"
std::string counted(std::int64_t number, std::string_view what);

}  // namespace strata::drawing
