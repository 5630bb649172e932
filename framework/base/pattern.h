// Patterns of names.
#pragma once

#include <string_view>

namespace strata {

// Whether a name fits a pattern in which `*` stands for any characters and `?` for one.
bool fits_pattern(std::string_view pattern, std::string_view name);

}  // namespace strata
