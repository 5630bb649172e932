// Tiles of a product, each done on one thread by the own kernel, or by Eigen where both operands
// are transposed.
#include "framework/tensor/matmul.h"

#include <Eigen/Core>
#include <algorithm>
#include <vector>

#include "framework/tensor/parallel.h"
#include "framework/tensor/product_kernel.h"

namespace strata {
namespace {

template <class T>
void eigen_product(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda,
                   const T* b, std::int64_t ldb, bool accumulate, T* c, std::int64_t ldc) {
  using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using ConstView = Eigen::Map<const RowMajor, 0, Eigen::OuterStride<>>;
  Eigen::Map<RowMajor, 0, Eigen::OuterStride<>> result(c, m, n, Eigen::OuterStride<>(ldc));
  const ConstView left(a, k, m, Eigen::OuterStride<>(lda)),
      right(b, n, k, Eigen::OuterStride<>(ldb));
  if (accumulate) {
    result.noalias() += left.transpose() * right.transpose();
  } else {
    result.noalias() = left.transpose() * right.transpose();
  }
}

template <class T>
void tile_product(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n,
                  std::int64_t k, const T* a, std::int64_t lda, const T* b, std::int64_t ldb,
                  bool accumulate, T* c, std::int64_t ldc) {
  if (transpose_a && transpose_b) return eigen_product(m, n, k, a, lda, b, ldb, accumulate, c, ldc);
  // Grows to what the largest tile needs and stays: nothing is allocated once a model's shapes were
  // seen.
  thread_local std::vector<T> workspace;
  const auto needed =
      static_cast<std::size_t>(product_workspace<T>(transpose_a, transpose_b, m, n, k));
  if (workspace.size() < needed) workspace.resize(needed);
  product_kernel(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, accumulate, c, ldc,
                 workspace.data());
}

// Below this many multiply-adds a second thread costs more than it brings (a parallel region takes
// 5–8 µs).
constexpr std::int64_t kSmallProduct = std::int64_t{1} << 18;
constexpr std::int64_t kTile = 64;  // rows or columns: a multiple of every kernel's width
constexpr std::int64_t kMostTasks = 16;

}  // namespace

template <class T>
void matmul(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
            const T* a, std::int64_t lda, const T* b, std::int64_t ldb, bool accumulate, T* c,
            std::int64_t ldc) {
  if (m <= 0 || n <= 0) return;
  // A tile packs what it takes of a transposed operand, so the cut goes through that one.
  const bool by_columns =
      transpose_b || (!transpose_a && n >= m) || (transpose_a && m < kTile * 2 && n > m);
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
      tile_product(transpose_a, transpose_b, m, count, k, a, lda,
                   b + begin * (transpose_b ? ldb : 1), ldb, accumulate, c + begin, ldc);
    } else {
      tile_product(transpose_a, transpose_b, count, n, k, a + begin * (transpose_a ? 1 : lda), lda,
                   b, ldb, accumulate, c + begin * ldc, ldc);
    }
  };
  parallel_tasks(
      (extent + step - 1) / step,
      [](void* context, std::int64_t task) { (*static_cast<decltype(body)*>(context))(task); },
      &body);
}

template void matmul<float>(bool, bool, std::int64_t, std::int64_t, std::int64_t, const float*,
                            std::int64_t, const float*, std::int64_t, bool, float*, std::int64_t);
template void matmul<double>(bool, bool, std::int64_t, std::int64_t, std::int64_t, const double*,
                             std::int64_t, const double*, std::int64_t, bool, double*,
                             std::int64_t);

}  // namespace strata
