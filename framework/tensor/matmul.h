// Matrix products over fixed tiles: how the work is cut depends on shapes alone.
#pragma once

#include <cstdint>

namespace strata {

// c[m, n] = op(a)[m, k] · op(b)[k, n], added to c where `accumulate`. All row-major; leading
// dimensions in elements. op(x) is x, or its transpose where the flag is set (a is then stored as
// [k, m], b as [n, k]). f32 or f64.
template <class T>
void matmul(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
            const T* a, std::int64_t lda, const T* b, std::int64_t ldb, bool accumulate, T* c,
            std::int64_t ldc);

// The same on the calling thread, for use inside a task.
template <class T>
void matmul_serial(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n,
                   std::int64_t k, const T* a, std::int64_t lda, const T* b, std::int64_t ldb,
                   bool accumulate, T* c, std::int64_t ldc);

// c[m, n] = a[m, k] · b[k, n] on the calling thread, where row i of a begins at a[i], or row p of b
// at b[p]: rows may overlap, as a convolution's columns do.
template <class T>
void matmul_rows_of_a(std::int64_t m, std::int64_t n, std::int64_t k, const T* const* a, const T* b,
                      std::int64_t ldb, bool accumulate, T* c, std::int64_t ldc);
template <class T>
void matmul_rows_of_b(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda,
                      const T* const* b, bool accumulate, T* c, std::int64_t ldc);

// What products are done with here: "AVX-512", "AVX2", "plain". Sums differ between them in their
// last bits.
const char* product_kernel_name();

}  // namespace strata
