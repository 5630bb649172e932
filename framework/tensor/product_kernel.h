// Products of matrices on one thread, written for shapes whose operands fit a core's second-level
// cache: rows of b are read as they lie, so nothing is packed unless an operand is transposed.
#pragma once

#include <cstdint>

namespace strata {

// As matmul (matmul.h), on the calling thread. Allocates nothing: transposed operands are packed
// into space of the thread's own.
template <class T>
void product_kernel(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n,
                    std::int64_t k, const T* a, std::int64_t lda, const T* b, std::int64_t ldb,
                    bool accumulate, T* c, std::int64_t ldc);

// Whether it was compiled for vectors wide enough to be faster than Eigen's.
bool has_product_kernel();

}  // namespace strata
