// Halves (float16), which files hold and nothing computes with.
#pragma once

#include <bit>
#include <cstdint>

namespace strata {

// Halves as IEEE 754 has them: 5 bits of exponent, 10 of mantissa.
struct Half {
  std::uint16_t bits;
  float value() const {
    const std::uint32_t sign = std::uint32_t{bits & 0x8000u} << 16;
    const std::uint32_t exponent = bits >> 10 & 31u, mantissa = bits & 1023u;
    if (exponent == 0) {  // subnormal
      const float value = static_cast<float>(mantissa) * 0x1p-24f;
      return sign ? -value : value;
    }
    const std::uint32_t wide = exponent == 31 ? 255 : exponent + 127 - 15;
    return std::bit_cast<float>(sign | wide << 23 | mantissa << 13);
  }
  template <class Number>
  explicit operator Number() const {
    return static_cast<Number>(value());
  }
};

}  // namespace strata
