// Patterns of names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace strata {

// Whether a name fits a pattern in which `*` stands for any characters and `?` for one.
bool fits_pattern(std::string_view pattern, std::string_view name);

// Whether a name fits one of them.
bool fits_any(const std::vector<std::string>& patterns, std::string_view name);

}  // namespace strata
