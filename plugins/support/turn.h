// Transposing small matrices, in squares that the processor's vectors hold. Depends on the standard
// library alone.
#pragma once

#include <cstdint>
#include <cstring>

namespace strata::plugins {

// to[j · to_row + i] = from[i · from_row + j] for i in [0, rows) and j in [0, columns).
template <class T>
void turn(const T* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns, T* to,
          std::int64_t to_row) {
  typedef T Four __attribute__((vector_size(4 * sizeof(T))));
  const auto load = [](const T* p, Four& four) { std::memcpy(&four, p, sizeof four); };
  const auto store = [](T* p, const Four& four) { std::memcpy(p, &four, sizeof four); };
  const std::int64_t whole_rows = rows / 4 * 4, whole_columns = columns / 4 * 4;
  for (std::int64_t j = 0; j < whole_columns; j += 4) {
    for (std::int64_t i = 0; i < whole_rows; i += 4) {
      const T* in = from + i * from_row + j;
      Four a, b, c, d;
      load(in, a);
      load(in + from_row, b);
      load(in + 2 * from_row, c);
      load(in + 3 * from_row, d);
      const Four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5),
                 ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7),
                 cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5),
                 cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
      T* out = to + j * to_row + i;
      store(out, __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5));
      store(out + to_row, __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7));
      store(out + 2 * to_row, __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5));
      store(out + 3 * to_row, __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7));
    }
    for (std::int64_t i = whole_rows; i < rows; ++i) {
      for (std::int64_t k = j; k < j + 4; ++k) to[k * to_row + i] = from[i * from_row + k];
    }
  }
  for (std::int64_t j = whole_columns; j < columns; ++j) {
    for (std::int64_t i = 0; i < rows; ++i) to[j * to_row + i] = from[i * from_row + j];
  }
}

}  // namespace strata::plugins
