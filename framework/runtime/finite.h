// Looking for NaN and infinity.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

namespace strata {

// Whether all of x[0, count) are finite: the exponent is below its largest value. Integer
// arithmetic, which vectorises.
template <class T>
bool all_finite(const T* x, std::int64_t count) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr Bits kMagnitude = ~Bits{0} >> 1;
  constexpr Bits kInfinity =
      sizeof(T) == 4 ? Bits{0x7f800000u} : static_cast<Bits>(0x7ff0000000000000u);
  Bits largest = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const Bits magnitude = std::bit_cast<Bits>(x[i]) & kMagnitude;
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest < kInfinity;
}

// Index of the first that is not finite, -1 where all are.
template <class T>
std::int64_t first_not_finite(const T* x, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (!all_finite(x + i, 1)) return i;
  }
  return -1;
}

}  // namespace strata
