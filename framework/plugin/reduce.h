// Sums for kernels: over one fixed tree each, so that they give the same bits on any number of
// threads, vectorised without leave to reorder (-ffast-math), and accurate for long columns (blocks
// are summed in T, their sums in f64). Depends on the standard library alone.
#pragma once

#include <algorithm>
#include <cstdint>

namespace strata {

// Sum of term(i) for i in [0, count): 16 lanes, then halves of them.
template <class T, class Term>
inline T sum_of(std::int64_t count, Term&& term) {
  constexpr int kLanes = 16;
  T lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += term(i + lane);
  }
  for (int lane = 0; i + lane < count; ++lane) lanes[lane] += term(i + lane);
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  }
  return lanes[0];
}

constexpr int kPanel = 64;  // columns that are summed together

namespace reduce_internal {

constexpr std::int64_t kBlock = 32;  // rows

// `width` is a constant where the panel is full, so that the compiler unrolls.
template <class T, class Width, class Term>
inline void add_panel_sums(std::int64_t rows, Width width, Term& term, double* sums) {
  for (std::int64_t begin = 0; begin < rows; begin += kBlock) {
    const std::int64_t end = std::min(rows, begin + kBlock);
    T block[kPanel] = {};
    for (std::int64_t row = begin; row < end; ++row) {
      for (int column = 0; column < width(); ++column) block[column] += term(row, column);
    }
    for (int column = 0; column < width(); ++column)
      sums[column] += static_cast<double>(block[column]);
  }
}

}  // namespace reduce_internal

// sums[column] += sum over rows of term(row, column), for column in [0, width); width is at most
// kPanel.
template <class T, class Term>
inline void add_column_sums(std::int64_t rows, int width, Term&& term, double* sums) {
  if (width == kPanel) {
    reduce_internal::add_panel_sums<T>(
        rows, [] { return kPanel; }, term, sums);
  } else {
    reduce_internal::add_panel_sums<T>(
        rows, [width] { return width; }, term, sums);
  }
}

}  // namespace strata
