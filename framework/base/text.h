// Values as text, independent of the locale.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace strata {

// The shortest text that reads back as the same double and is a float, not an int: "0.001", "1.0",
// "1e-05", "inf".
std::string print_float(double value);

// With quotes, and escapes for quotes, backslashes and control characters.
std::string print_string(std::string_view value);

// With a comma between every three digits: "235,146".
std::string grouped(std::int64_t number);

// "BatchNorm" → "batch_norm", "TopK" → "top_k", "MNIST" → "mnist", "Conv2D" → "conv2d".
std::string snake_case(std::string_view name);

}  // namespace strata
