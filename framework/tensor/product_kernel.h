// Products of matrices on one thread, written for shapes whose operands fit a core's second-level
// cache: rows of b are read as they lie, so nothing is packed unless an operand is transposed.
//
// The source is compiled for the processor that the program is built for, and, in a portable
// program, once more for those with AVX-512.
#pragma once

#include <cstdint>

namespace strata {

// As matmul (matmul.h), on the calling thread; not for two transposed operands. Allocates nothing:
// transposed operands are packed into space of the thread's own.
template <class T>
using ProductKernel = void (*)(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n,
                               std::int64_t k, const T* a, std::int64_t lda, const T* b,
                               std::int64_t ldb, bool accumulate, T* c, std::int64_t ldc);

template <class T>
struct KernelsOf {
  ProductKernel<T> product;
  // matmul_rows_of_a and matmul_rows_of_b
  void (*rows_of_a)(std::int64_t m, std::int64_t n, std::int64_t k, const T* const* a, const T* b,
                    std::int64_t ldb, bool accumulate, T* c, std::int64_t ldc);
  void (*rows_of_b)(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda,
                    const T* const* b, bool accumulate, T* c, std::int64_t ldc);
};

struct ProductKernels {
  KernelsOf<float> f32;
  KernelsOf<double> f64;
  int lanes;         // floats of a register; below 8 another library does better
  const char* name;  // "AVX-512", "AVX2", "plain"
};

namespace kernel_native {
ProductKernels product_kernels();
}
namespace kernel_avx512 {
ProductKernels product_kernels();
}

}  // namespace strata
