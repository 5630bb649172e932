// Tiles of a product, each done by Eigen on one thread.
#include "framework/tensor/matmul.h"

#include <algorithm>

#include <Eigen/Core>

#include "framework/tensor/parallel.h"

namespace strata {
namespace {

template <class T>
using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using ConstView = Eigen::Map<const RowMajor<T>, 0, Eigen::OuterStride<>>;
template <class T>
using View = Eigen::Map<RowMajor<T>, 0, Eigen::OuterStride<>>;

template <class A, class B, class C>
void product(const A& a, const B& b, bool accumulate, C& c) {
  if (accumulate) {
    c.noalias() += a * b;
  } else {
    c.noalias() = a * b;
  }
}

template <class T>
void tile_product(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
                  std::int64_t lda, const T* b, std::int64_t ldb, bool accumulate, T* c, std::int64_t ldc) {
  View<T> result(c, m, n, Eigen::OuterStride<>(ldc));
  const ConstView<T> left(a, transpose_a ? k : m, transpose_a ? m : k, Eigen::OuterStride<>(lda));
  const ConstView<T> right(b, transpose_b ? n : k, transpose_b ? k : n, Eigen::OuterStride<>(ldb));
  if (transpose_a && transpose_b) {
    product(left.transpose(), right.transpose(), accumulate, result);
  } else if (transpose_a) {
    product(left.transpose(), right, accumulate, result);
  } else if (transpose_b) {
    product(left, right.transpose(), accumulate, result);
  } else {
    product(left, right, accumulate, result);
  }
}

// Below this many multiply-adds a second thread costs more than it brings (a parallel region takes 5–8 µs).
constexpr std::int64_t kSmallProduct = std::int64_t{1} << 18;
constexpr std::int64_t kTile = 64;       // rows or columns: a multiple of every kernel's width
constexpr std::int64_t kMostTasks = 16;

}  // namespace

template <class T>
void matmul(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
            std::int64_t lda, const T* b, std::int64_t ldb, bool accumulate, T* c, std::int64_t ldc) {
  if (m <= 0 || n <= 0) return;
  const bool by_columns = n >= m;
  const std::int64_t extent = by_columns ? n : m;
  const std::int64_t tiles = (extent + kTile - 1) / kTile;
  if (m * n * k < kSmallProduct || tiles == 1) {
    return tile_product(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, accumulate, c, ldc);
  }
  const std::int64_t step = ((tiles + kMostTasks - 1) / kMostTasks) * kTile;
  auto body = [&](std::int64_t task) {
    const std::int64_t begin = task * step;
    const std::int64_t count = std::min(step, extent - begin);
    if (by_columns) {
      tile_product(transpose_a, transpose_b, m, count, k, a, lda, b + begin * (transpose_b ? ldb : 1), ldb,
                   accumulate, c + begin, ldc);
    } else {
      tile_product(transpose_a, transpose_b, count, n, k, a + begin * (transpose_a ? 1 : lda), lda, b, ldb,
                   accumulate, c + begin * ldc, ldc);
    }
  };
  parallel_tasks(
      (extent + step - 1) / step,
      [](void* context, std::int64_t task) { (*static_cast<decltype(body)*>(context))(task); }, &body);
}

template void matmul<float>(bool, bool, std::int64_t, std::int64_t, std::int64_t, const float*, std::int64_t,
                            const float*, std::int64_t, bool, float*, std::int64_t);
template void matmul<double>(bool, bool, std::int64_t, std::int64_t, std::int64_t, const double*, std::int64_t,
                             const double*, std::int64_t, bool, double*, std::int64_t);

}  // namespace strata
