// Tiles of a product, each done on one thread by the own kernel, or by Eigen where there is none
// for this processor or both operands are transposed.
#include "framework/tensor/matmul.h"

#include <Eigen/Core>
#include <algorithm>
#include <type_traits>

#include "framework/tensor/parallel.h"
#include "framework/tensor/product_kernel.h"

namespace strata {
namespace {

template <class T>
void eigen_product(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n,
                   std::int64_t k, const T* a, std::int64_t lda, const T* b, std::int64_t ldb,
                   bool accumulate, T* c, std::int64_t ldc) {
  using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using ConstView = Eigen::Map<const RowMajor, 0, Eigen::OuterStride<>>;
  Eigen::Map<RowMajor, 0, Eigen::OuterStride<>> result(c, m, n, Eigen::OuterStride<>(ldc));
  const ConstView left(a, transpose_a ? k : m, transpose_a ? m : k, Eigen::OuterStride<>(lda));
  const ConstView right(b, transpose_b ? n : k, transpose_b ? k : n, Eigen::OuterStride<>(ldb));
  const auto product = [&](const auto& x, const auto& y) {
    if (accumulate) {
      result.noalias() += x * y;
    } else {
      result.noalias() = x * y;
    }
  };
  if (transpose_a && transpose_b) return product(left.transpose(), right.transpose());
  if (transpose_a) return product(left.transpose(), right);
  if (transpose_b) return product(left, right.transpose());
  product(left, right);
}

ProductKernels choose_kernels() {
#if defined(STRATA_PORTABLE)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512cd"))
    return kernel_avx512::product_kernels();
#endif
  return kernel_native::product_kernels();
}

const ProductKernels& chosen() {
  static const ProductKernels kernels = choose_kernels();
  return kernels;
}

template <class T>
const KernelsOf<T>& kernels() {
  if constexpr (std::is_same_v<T, float>) {
    return chosen().f32;
  } else {
    return chosen().f64;
  }
}

template <class T>
void tile_product(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n,
                  std::int64_t k, const T* a, std::int64_t lda, const T* b, std::int64_t ldb,
                  bool accumulate, T* c, std::int64_t ldc) {
  ProductKernel<T> product = kernels<T>().product;
  if (chosen().lanes < 8 || (transpose_a && transpose_b)) product = &eigen_product<T>;
  product(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, accumulate, c, ldc);
}

// Below this many multiply-adds a second thread costs more than it brings (a parallel region takes
// 5–8 µs).
constexpr std::int64_t kSmallProduct = std::int64_t{1} << 18;
constexpr std::int64_t kTile = 64;  // rows or columns: a multiple of every kernel's width
constexpr std::int64_t kMostTasks = 16;

}  // namespace

const char* product_kernel_name() { return chosen().name; }

template <class T>
void matmul_serial(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n,
                   std::int64_t k, const T* a, std::int64_t lda, const T* b, std::int64_t ldb,
                   bool accumulate, T* c, std::int64_t ldc) {
  if (m > 0 && n > 0)
    tile_product(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, accumulate, c, ldc);
}

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

template <class T>
void matmul_rows_of_a(std::int64_t m, std::int64_t n, std::int64_t k, const T* const* a, const T* b,
                      std::int64_t ldb, bool accumulate, T* c, std::int64_t ldc) {
  kernels<T>().rows_of_a(m, n, k, a, b, ldb, accumulate, c, ldc);
}

template <class T>
void matmul_rows_of_b(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda,
                      const T* const* b, bool accumulate, T* c, std::int64_t ldc) {
  kernels<T>().rows_of_b(m, n, k, a, lda, b, accumulate, c, ldc);
}

template void matmul_rows_of_a<float>(std::int64_t, std::int64_t, std::int64_t, const float* const*,
                                      const float*, std::int64_t, bool, float*, std::int64_t);
template void matmul_rows_of_a<double>(std::int64_t, std::int64_t, std::int64_t,
                                       const double* const*, const double*, std::int64_t, bool,
                                       double*, std::int64_t);
template void matmul_rows_of_b<float>(std::int64_t, std::int64_t, std::int64_t, const float*,
                                      std::int64_t, const float* const*, bool, float*,
                                      std::int64_t);
template void matmul_rows_of_b<double>(std::int64_t, std::int64_t, std::int64_t, const double*,
                                       std::int64_t, const double* const*, bool, double*,
                                       std::int64_t);
template void matmul_serial<float>(bool, bool, std::int64_t, std::int64_t, std::int64_t,
                                   const float*, std::int64_t, const float*, std::int64_t, bool,
                                   float*, std::int64_t);
template void matmul_serial<double>(bool, bool, std::int64_t, std::int64_t, std::int64_t,
                                    const double*, std::int64_t, const double*, std::int64_t, bool,
                                    double*, std::int64_t);
template void matmul<float>(bool, bool, std::int64_t, std::int64_t, std::int64_t, const float*,
                            std::int64_t, const float*, std::int64_t, bool, float*, std::int64_t);
template void matmul<double>(bool, bool, std::int64_t, std::int64_t, std::int64_t, const double*,
                             std::int64_t, const double*, std::int64_t, bool, double*,
                             std::int64_t);

}  // namespace strata
