// The inner kernel: a tile of kRows × (kVectors registers) of c stays in registers while all of k
// passes by. Per step of k it loads kVectors registers of b and broadcasts kRows numbers of a: 24
// multiply-adds for 10 loads with AVX-512, which keeps both multipliers busy (BLIS: Van Zee and van
// de Geijn, 2015, doi:10.1145/2764454, without the packing of b). Tiles of fewer columns have more
// rows instead, so that there are always enough sums to hide the time that one addition takes.
#include "framework/tensor/product_kernel.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>
#include <utility>

#include "framework/tensor/simd.h"

namespace strata {
namespace {

using simd::Vector;

constexpr int kRows = 6;
template <class T>
constexpr int kVectors = Vector<T>::kRegisters >= 32 ? 4 : 2;
// The most rows of a tile that is `vectors` registers wide.
template <class T>
constexpr int rows_by(int vectors) {
  return std::min(16, kRows * kVectors<T> / vectors);
}
template <class T>
constexpr std::int64_t kColumns = kVectors<T>* Vector<T>::kLanes;
constexpr std::int64_t kDepth = 128;  // of k at a time: a panel of b then stays in the first cache

// How an operand is reached: by strides, or with a pointer to each of its rows.
enum class By { kStrides, kRowsOfA, kRowsOfB };

template <class T>
struct Operands {
  std::int64_t depth;
  const T* a;  // element (row, p) at a[row · a_row + p · a_step]
  std::int64_t a_row, a_step;
  const T* b;  // row p at b + p · b_step
  std::int64_t b_step;
  const T* const* rows = nullptr;  // of a or of b
  std::int64_t offset = 0;         // into each of those rows
  T* c;
  std::int64_t c_row;
  bool accumulate;
};

// c[rows, columns] of one tile; `part` lanes of the last register count (kLanes where all do).
template <class T, int rows, int vectors, bool partial, By by>
void tile(const Operands<T>& o, int part) {
  using V = Vector<T>;
  typename V::Register sum[rows][vectors];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 16
    for (int j = 0; j < vectors; ++j) sum[i][j] = V::zero();
  }
  const T* a = o.a;
  const T* b = o.b;
  const T* row_of_a[rows];
  if constexpr (by == By::kRowsOfA) {
    for (int i = 0; i < rows; ++i) row_of_a[i] = o.rows[i] + o.offset;
  }
  for (std::int64_t p = 0; p < o.depth; ++p, a += o.a_step, b += o.b_step) {
    if constexpr (by == By::kRowsOfB) b = o.rows[p] + o.offset;
    typename V::Register row[vectors];
#pragma GCC unroll 16
    for (int j = 0; j < vectors; ++j) {
      row[j] = partial && j == vectors - 1 ? V::load_part(b + j * V::kLanes, part)
                                           : V::load(b + j * V::kLanes);
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const auto x = V::broadcast(by == By::kRowsOfA ? row_of_a[i][p] : a[i * o.a_row]);
#pragma GCC unroll 16
      for (int j = 0; j < vectors; ++j) sum[i][j] = V::multiply_add(x, row[j], sum[i][j]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 16
    for (int j = 0; j < vectors; ++j) {
      T* out = o.c + i * o.c_row + j * V::kLanes;
      if (partial && j == vectors - 1) {
        V::store_part(out, o.accumulate ? V::add(V::load_part(out, part), sum[i][j]) : sum[i][j],
                      part);
      } else {
        V::store(out, o.accumulate ? V::add(V::load(out), sum[i][j]) : sum[i][j]);
      }
    }
  }
}

template <class T>
using TileFunction = void (*)(const Operands<T>&, int);

// The tiles of one width by rows - 1 and whether the last register is partial.
template <class T, int vectors, By by, int... row>
constexpr auto tiles_of_width(std::integer_sequence<int, row...>) {
  return std::array<std::array<TileFunction<T>, 2>, 16>{
      {{&tile<T, row + 1, vectors, false, by>, &tile<T, row + 1, vectors, true, by>}...}};
}
template <class T, By by, int... vector>
constexpr auto tiles_of_widths(std::integer_sequence<int, vector...>) {
  return std::array<std::array<std::array<TileFunction<T>, 2>, 16>, sizeof...(vector)>{
      tiles_of_width<T, vector + 1, by>(
          std::make_integer_sequence<int, rows_by<T>(vector + 1)>())...};
}
// By vectors - 1, rows - 1 and whether the last register is partial.
template <class T, By by>
constexpr auto kTiles = tiles_of_widths<T, by>(std::make_integer_sequence<int, kVectors<T>>());

// How a panel of c is cut into tiles: its columns into registers, its rows into nearly equal
// heights.
template <class T>
struct Cut {
  std::int64_t columns, rows;  // of a tile; of the last one fewer rows
  std::size_t vectors;
  int part;

  Cut(std::int64_t m, std::int64_t wanted)
      : columns(std::min(kColumns<T>, wanted)),
        vectors(static_cast<std::size_t>((columns + Vector<T>::kLanes - 1) / Vector<T>::kLanes)),
        part(static_cast<int>(columns -
                              static_cast<std::int64_t>(vectors - 1) * Vector<T>::kLanes)) {
    const std::int64_t most = rows_by<T>(static_cast<int>(vectors)), tiles = (m + most - 1) / most;
    rows = (m + tiles - 1) / tiles;
  }
  template <By by>
  void run(const Operands<T>& operands, std::int64_t height) const {
    kTiles<T, by>[vectors - 1][static_cast<std::size_t>(height - 1)][part < Vector<T>::kLanes](
        operands, part);
  }
};

constexpr std::int64_t kWide = 8;

// out[row block][p][kRows] = a[p, row], for rows [0, m) of the transposed operand.
template <class T>
void pack_a(const T* a, std::int64_t lda, std::int64_t m, std::int64_t depth, T* out) {
  for (std::int64_t row = 0; row < m; row += kRows, out += depth * kRows) {
    const std::int64_t rows = std::min<std::int64_t>(kRows, m - row);
    std::int64_t p = 0;
    if (row + kWide <= m) {
      // Eight are copied for six: the two too many are the next row's place, which is written next.
      for (; p + 1 < depth; ++p) std::memcpy(out + p * kRows, a + p * lda + row, kWide * sizeof(T));
    }
    for (; p < depth; ++p) {
      for (std::int64_t i = 0; i < rows; ++i) out[p * kRows + i] = a[p * lda + row + i];
    }
  }
}

// out[p][columns] = b[column, p]: the transposed operand's rows become columns, a small square at a
// time.
template <class T>
void pack_b(const T* b, std::int64_t ldb, std::int64_t columns, std::int64_t depth, T* out,
            std::int64_t width) {
  std::int64_t whole_columns = 0, whole_depth = 0;
  if constexpr (std::is_same_v<T, float>) {
    whole_columns = columns / simd::kSquare * simd::kSquare;
    whole_depth = depth / simd::kSquare * simd::kSquare;
    for (std::int64_t p = 0; p < whole_depth; p += simd::kSquare) {
      for (std::int64_t j = 0; j < whole_columns; j += simd::kSquare)
        simd::transpose_square(b + j * ldb + p, ldb, out + p * width + j, width);
    }
  }
  for (std::int64_t j = 0; j < columns; ++j) {
    const std::int64_t first = j < whole_columns ? whole_depth : 0;
    for (std::int64_t p = first; p < depth; ++p) out[p * width + j] = b[j * ldb + p];
  }
}

// c[rows, columns] = a · bᵀ for a few rows, where packing b would cost more than the product: both
// are read along k as they lie. Each element is one sum over lanes, whatever the tile.
template <class T, int rows, int columns>
void dot_tile(std::int64_t k, const T* a, std::int64_t lda, const T* b, std::int64_t ldb,
              bool accumulate, T* c, std::int64_t ldc) {
  using V = Vector<T>;
  typename V::Register sum[rows][columns];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 16
    for (int j = 0; j < columns; ++j) sum[i][j] = V::zero();
  }
  std::int64_t p = 0;
  for (; p + V::kLanes <= k; p += V::kLanes) {
    typename V::Register x[rows];
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) x[i] = V::load(a + i * lda + p);
#pragma GCC unroll 16
    for (int j = 0; j < columns; ++j) {
      const auto y = V::load(b + j * ldb + p);
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i) sum[i][j] = V::multiply_add(x[i], y, sum[i][j]);
    }
  }
  if (p < k) {
    const int part = static_cast<int>(k - p);
    for (int j = 0; j < columns; ++j) {
      const auto y = V::load_part(b + j * ldb + p, part);
      for (int i = 0; i < rows; ++i)
        sum[i][j] = V::multiply_add(V::load_part(a + i * lda + p, part), y, sum[i][j]);
    }
  }
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < columns; ++j) {
      T& out = c[i * ldc + j];
      const T product = V::sum(sum[i][j]);
      out = accumulate ? out + product : product;
    }
  }
}

// Columns of a dot tile: as many as the registers hold beside the rows' operands.
template <class T>
constexpr int dot_columns(int rows) {
  const int most = (Vector<T>::kRegisters - 2 - rows) / rows;
  return most > 8 ? 8 : most < 1 ? 1 : most;
}

template <class T, int rows>
void dot_rows(std::int64_t n, std::int64_t k, const T* a, std::int64_t lda, const T* b,
              std::int64_t ldb, bool accumulate, T* c, std::int64_t ldc) {
  constexpr int kTileColumns = dot_columns<T>(rows);
  std::int64_t j = 0;
  for (; j + kTileColumns <= n; j += kTileColumns)
    dot_tile<T, rows, kTileColumns>(k, a, lda, b + j * ldb, ldb, accumulate, c + j, ldc);
  for (; j < n; ++j) dot_tile<T, rows, 1>(k, a, lda, b + j * ldb, ldb, accumulate, c + j, ldc);
}

constexpr int kDotRows = Vector<float>::kRegisters >= 32 ? 8 : 4;  // of a tile
constexpr std::int64_t kMostDotRows = 16;                          // of a product

template <class T>
void dot_product(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda,
                 const T* b, std::int64_t ldb, bool accumulate, T* c, std::int64_t ldc) {
  using Rows = void (*)(std::int64_t, std::int64_t, const T*, std::int64_t, const T*, std::int64_t,
                        bool, T*, std::int64_t);
  static constexpr Rows kRowsOf[] = {&dot_rows<T, 1>, &dot_rows<T, 2>, &dot_rows<T, 3>,
                                     &dot_rows<T, 4>, &dot_rows<T, 5>, &dot_rows<T, 6>,
                                     &dot_rows<T, 7>, &dot_rows<T, 8>};
  for (std::int64_t row = 0; row < m; row += kDotRows) {
    const std::int64_t rows = std::min<std::int64_t>(kDotRows, m - row);
    kRowsOf[rows - 1](n, k, a + row * lda, lda, b, ldb, accumulate, c + row * ldc, ldc);
  }
}

// A panel of b whose rows lie on more pages than a core can look up at once is copied first, where
// enough rows of a use it.
constexpr std::int64_t kNearBytes = 64 * 4096;
constexpr std::int64_t kRowsToCopy = 6 * kRows;

template <class T>
void copy_b(const T* b, std::int64_t ldb, std::int64_t columns, std::int64_t depth, T* out) {
  using V = Vector<T>;
  for (std::int64_t p = 0; p < depth; ++p, b += ldb, out += kColumns<T>) {
    std::int64_t j = 0;
    for (; j + V::kLanes <= columns; j += V::kLanes) V::store(out + j, V::load(b + j));
    for (; j < columns; ++j) out[j] = b[j];
  }
}

// A thread's space for packed operands: fixed, so that nothing is allocated in a step.
constexpr std::int64_t kPackedRows = 192;  // of a transposed a at a time; a multiple of kRows
template <class T>
T* workspace() {
  alignas(64) thread_local T space[kPackedRows * kDepth + kDepth * kColumns<T>];
  return space;
}

template <class T>
void product_kernel(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n,
                    std::int64_t k, const T* a, std::int64_t lda, const T* b, std::int64_t ldb,
                    bool accumulate, T* c, std::int64_t ldc) {
  if (k == 0) {
    for (std::int64_t i = 0; i < m && !accumulate; ++i) std::fill_n(c + i * ldc, n, T(0));
    return;
  }
  if (transpose_b && !transpose_a && m <= kMostDotRows)
    return dot_product(m, n, k, a, lda, b, ldb, accumulate, c, ldc);
  if (transpose_a && m > kPackedRows) {
    for (std::int64_t row = 0; row < m; row += kPackedRows) {
      product_kernel(true, transpose_b, std::min(kPackedRows, m - row), n, k, a + row, lda, b, ldb,
                     accumulate, c + row * ldc, ldc);
    }
    return;
  }
  T* packed_b = workspace<T>();
  T* packed_a = packed_b + kDepth * kColumns<T>;
  for (std::int64_t first = 0; first < k; first += kDepth) {
    Operands<T> o;
    o.depth = std::min(kDepth, k - first);
    o.c_row = ldc;
    o.accumulate = accumulate || first > 0;
    if (transpose_a) pack_a(a + first * lda, lda, m, o.depth, packed_a);
    for (std::int64_t column = 0; column < n; column += kColumns<T>) {
      const Cut<T> cut(m, n - column);
      const std::int64_t columns = cut.columns;
      if (transpose_b) {
        o.b_step = kColumns<T>;
        pack_b(b + column * ldb + first, ldb, columns, o.depth, packed_b, o.b_step);
        o.b = packed_b;
      } else if (m >= kRowsToCopy && o.depth * ldb * std::int64_t{sizeof(T)} > kNearBytes) {
        o.b_step = kColumns<T>;
        copy_b(b + first * ldb + column, ldb, columns, o.depth, packed_b);
        o.b = packed_b;
      } else {
        o.b = b + first * ldb + column;
        o.b_step = ldb;
      }
      const std::int64_t height = transpose_a ? kRows : cut.rows;
      for (std::int64_t row = 0; row < m; row += height) {
        if (transpose_a) {
          o.a = packed_a + row * o.depth;
          o.a_row = 1;
          o.a_step = kRows;
        } else {
          o.a = a + row * lda + first;
          o.a_row = lda;
          o.a_step = 1;
        }
        o.c = c + row * ldc + column;
        cut.template run<By::kStrides>(o, std::min(height, m - row));
      }
    }
  }
}

template <class T, By by>
void by_rows(std::int64_t m, std::int64_t n, std::int64_t k, const T* const* a, std::int64_t lda,
             const T* const* b, std::int64_t ldb, bool accumulate, T* c, std::int64_t ldc) {
  if (k == 0) {
    for (std::int64_t i = 0; i < m && !accumulate; ++i) std::fill_n(c + i * ldc, n, T(0));
    return;
  }
  // Equal parts of k; rows of b that overlap take less of the cache than a panel of a matrix.
  constexpr std::int64_t kMost = by == By::kRowsOfB ? 2 * kDepth : kDepth;
  const std::int64_t parts = (k + kMost - 1) / kMost, step = (k + parts - 1) / parts;
  // Columns first: a panel of c stays near while all of k passes by.
  for (std::int64_t column = 0; column < n; column += kColumns<T>) {
    const Cut<T> cut(m, n - column);
    for (std::int64_t first = 0; first < k; first += step) {
      Operands<T> o{};
      o.depth = std::min(step, k - first);
      o.c_row = ldc;
      o.accumulate = accumulate || first > 0;
      for (std::int64_t row = 0; row < m; row += cut.rows) {
        if constexpr (by == By::kRowsOfA) {
          o.rows = a + row;
          o.offset = first;
          o.b = b[0] + first * ldb + column;
          o.b_step = ldb;
        } else {
          o.rows = b + first;
          o.offset = column;
          o.a = a[0] + row * lda + first;
          o.a_row = lda;
          o.a_step = 1;
        }
        o.c = c + row * ldc + column;
        cut.template run<by>(o, std::min(cut.rows, m - row));
      }
    }
  }
}

template <class T>
void rows_of_a(std::int64_t m, std::int64_t n, std::int64_t k, const T* const* a, const T* b,
               std::int64_t ldb, bool accumulate, T* c, std::int64_t ldc) {
  by_rows<T, By::kRowsOfA>(m, n, k, a, 0, &b, ldb, accumulate, c, ldc);
}

template <class T>
void rows_of_b(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda,
               const T* const* b, bool accumulate, T* c, std::int64_t ldc) {
  by_rows<T, By::kRowsOfB>(m, n, k, &a, lda, b, 0, accumulate, c, ldc);
}

}  // namespace

namespace STRATA_KERNEL {

ProductKernels product_kernels() {
  constexpr int kLanes = Vector<float>::kLanes;
  return {{&product_kernel<float>, &rows_of_a<float>, &rows_of_b<float>},
          {&product_kernel<double>, &rows_of_a<double>, &rows_of_b<double>},
          kLanes,
          kLanes == 16  ? "AVX-512"
          : kLanes == 8 ? "AVX2"
                        : "plain"};
}

}  // namespace STRATA_KERNEL
}  // namespace strata
