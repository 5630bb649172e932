// The inner kernel: a tile of kRows × (kVectors registers) of c stays in registers while all of k
// passes by. Per step of k it loads kVectors registers of b and broadcasts kRows numbers of a: 24
// multiply-adds for 10 loads with AVX-512, which keeps both multipliers busy (BLIS: Van Zee and van
// de Geijn, 2015, doi:10.1145/2764454, without the packing of b).
#include "framework/tensor/product_kernel.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "framework/tensor/simd.h"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace strata {
namespace {

using simd::Vector;

constexpr int kRows = 6;
template <class T>
constexpr int kVectors = Vector<T>::kRegisters >= 32 ? 4 : 2;
template <class T>
constexpr std::int64_t kColumns = kVectors<T>* Vector<T>::kLanes;
constexpr std::int64_t kDepth = 256;  // of k at a time: a panel of b then stays near

template <class T>
struct Operands {
  std::int64_t depth;
  const T* a;  // element (row, p) at a[row · a_row + p · a_step]
  std::int64_t a_row, a_step;
  const T* b;  // row p at b + p · b_step
  std::int64_t b_step;
  T* c;
  std::int64_t c_row;
  bool accumulate;
};

// c[rows, columns] of one tile; `part` lanes of the last register count (kLanes where all do).
template <class T, int rows, int vectors, bool partial>
void tile(const Operands<T>& o, int part) {
  using V = Vector<T>;
  typename V::Register sum[rows][vectors];
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < vectors; ++j) sum[i][j] = V::zero();
  }
  const T* a = o.a;
  const T* b = o.b;
  for (std::int64_t p = 0; p < o.depth; ++p, a += o.a_step, b += o.b_step) {
    typename V::Register row[vectors];
#pragma GCC unroll 8
    for (int j = 0; j < vectors; ++j) {
      row[j] = partial && j == vectors - 1 ? V::load_part(b + j * V::kLanes, part)
                                           : V::load(b + j * V::kLanes);
    }
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i) {
      const auto x = V::broadcast(a[i * o.a_row]);
#pragma GCC unroll 8
      for (int j = 0; j < vectors; ++j) sum[i][j] = V::multiply_add(x, row[j], sum[i][j]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 8
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

// The tiles by rows - 1, vectors - 1 and whether the last register is partial.
template <class T, int rows>
constexpr std::array<std::array<TileFunction<T>, 2>, 4> tiles_of_rows() {
  if constexpr (kVectors<T> == 4) {
    return {{{&tile<T, rows, 1, false>, &tile<T, rows, 1, true>},
             {&tile<T, rows, 2, false>, &tile<T, rows, 2, true>},
             {&tile<T, rows, 3, false>, &tile<T, rows, 3, true>},
             {&tile<T, rows, 4, false>, &tile<T, rows, 4, true>}}};
  } else {
    return {{{&tile<T, rows, 1, false>, &tile<T, rows, 1, true>},
             {&tile<T, rows, 2, false>, &tile<T, rows, 2, true>}}};
  }
}
template <class T>
constexpr std::array<std::array<std::array<TileFunction<T>, 2>, 4>, kRows> kTiles = {
    tiles_of_rows<T, 1>(), tiles_of_rows<T, 2>(), tiles_of_rows<T, 3>(),
    tiles_of_rows<T, 4>(), tiles_of_rows<T, 5>(), tiles_of_rows<T, 6>()};

std::int64_t round_up(std::int64_t x, std::int64_t to) { return (x + to - 1) / to * to; }

// out[row block][p][kRows] = a[p, row], for rows [0, m) of the transposed operand.
template <class T>
void pack_a(const T* a, std::int64_t lda, std::int64_t m, std::int64_t depth, T* out) {
  for (std::int64_t row = 0; row < m; row += kRows, out += depth * kRows) {
    const std::int64_t rows = std::min<std::int64_t>(kRows, m - row);
    for (std::int64_t p = 0; p < depth; ++p) {
      for (std::int64_t i = 0; i < rows; ++i) out[p * kRows + i] = a[p * lda + row + i];
    }
  }
}

// out[p][columns] = b[column, p]: the transposed operand's rows become columns, a small square at a
// time.
template <class T>
void pack_b(const T* b, std::int64_t ldb, std::int64_t columns, std::int64_t depth, T* out,
            std::int64_t width) {
  std::int64_t p = 0;
#if defined(__SSE__)
  if constexpr (std::is_same_v<T, float>) {
    const std::int64_t fours = columns / 4 * 4;
    for (; p + 4 <= depth; p += 4) {
      for (std::int64_t j = 0; j < fours; j += 4) {
        const float* from = b + j * ldb + p;
        __m128 r0 = _mm_loadu_ps(from), r1 = _mm_loadu_ps(from + ldb);
        __m128 r2 = _mm_loadu_ps(from + 2 * ldb), r3 = _mm_loadu_ps(from + 3 * ldb);
        _MM_TRANSPOSE4_PS(r0, r1, r2, r3);
        float* to = out + p * width + j;
        _mm_storeu_ps(to, r0);
        _mm_storeu_ps(to + width, r1);
        _mm_storeu_ps(to + 2 * width, r2);
        _mm_storeu_ps(to + 3 * width, r3);
      }
      for (std::int64_t j = fours; j < columns; ++j) {
        for (std::int64_t q = p; q < p + 4; ++q) out[q * width + j] = b[j * ldb + q];
      }
    }
  }
#endif
  constexpr std::int64_t kSquare = 16;
  for (; p < depth; p += kSquare) {
    const std::int64_t last = std::min(depth, p + kSquare);
    for (std::int64_t j = 0; j < columns; ++j) {
      for (std::int64_t q = p; q < last; ++q) out[q * width + j] = b[j * ldb + q];
    }
  }
}

}  // namespace

template <class T>
std::int64_t product_workspace(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n,
                               std::int64_t k) {
  const std::int64_t depth = std::min(k, kDepth);
  return (transpose_a ? round_up(m, kRows) * depth : 0) +
         (transpose_b ? depth * std::min(round_up(n, 16), kColumns<T>) : 0);
}

template <class T>
void product_kernel(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n,
                    std::int64_t k, const T* a, std::int64_t lda, const T* b, std::int64_t ldb,
                    bool accumulate, T* c, std::int64_t ldc, T* workspace) {
  constexpr int kLanes = Vector<T>::kLanes;
  T* packed_a = workspace;
  T* packed_b = workspace + (transpose_a ? round_up(m, kRows) * std::min(k, kDepth) : 0);
  if (k == 0 && !accumulate) {
    for (std::int64_t i = 0; i < m; ++i) std::fill_n(c + i * ldc, n, T(0));
  }
  for (std::int64_t first = 0; first < k; first += kDepth) {
    Operands<T> o;
    o.depth = std::min(kDepth, k - first);
    o.c_row = ldc;
    o.accumulate = accumulate || first > 0;
    if (transpose_a) pack_a(a + first * lda, lda, m, o.depth, packed_a);
    for (std::int64_t column = 0; column < n; column += kColumns<T>) {
      const std::int64_t columns = std::min(kColumns<T>, n - column);
      const auto vectors = static_cast<std::size_t>((columns + kLanes - 1) / kLanes);
      const int part = static_cast<int>(columns - static_cast<std::int64_t>(vectors - 1) * kLanes);
      if (transpose_b) {
        o.b_step = std::min(round_up(n, 16), kColumns<T>);
        pack_b(b + column * ldb + first, ldb, columns, o.depth, packed_b, o.b_step);
        o.b = packed_b;
      } else {
        o.b = b + first * ldb + column;
        o.b_step = ldb;
      }
      for (std::int64_t row = 0; row < m; row += kRows) {
        const auto rows = static_cast<std::size_t>(std::min<std::int64_t>(kRows, m - row));
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
        kTiles<T>[rows - 1][vectors - 1][part < kLanes](o, part);
      }
    }
  }
}

template void product_kernel<float>(bool, bool, std::int64_t, std::int64_t, std::int64_t,
                                    const float*, std::int64_t, const float*, std::int64_t, bool,
                                    float*, std::int64_t, float*);
template void product_kernel<double>(bool, bool, std::int64_t, std::int64_t, std::int64_t,
                                     const double*, std::int64_t, const double*, std::int64_t, bool,
                                     double*, std::int64_t, double*);
template std::int64_t product_workspace<float>(bool, bool, std::int64_t, std::int64_t,
                                               std::int64_t);
template std::int64_t product_workspace<double>(bool, bool, std::int64_t, std::int64_t,
                                                std::int64_t);

}  // namespace strata
