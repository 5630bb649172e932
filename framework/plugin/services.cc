// Services over framework/tensor and framework/base.
#include "framework/plugin/services.h"

#include "framework/base/random.h"
#include "framework/tensor/matmul.h"
#include "framework/tensor/parallel.h"

namespace strata {
namespace {

// Tasks go on with the note of the call that they belong to, on whichever thread they run.
void parallel(void*, std::int64_t tasks, void (*body)(void*, std::int64_t), void* context) {
  struct Tasks {
    void (*body)(void*, std::int64_t);
    void* context;
    const Running::Call* call;
  } all{body, context, Running::current()};
  parallel_tasks(
      tasks,
      [](void* tasks_of, std::int64_t task) {
        const auto& of = *static_cast<const Tasks*>(tasks_of);
        const Running running(of.call);
        of.body(of.context, task);
      },
      &all);
}

void product(void*, std::int32_t dtype, std::int32_t transpose_a, std::int32_t transpose_b,
             std::int64_t m, std::int64_t n, std::int64_t k, const void* a, std::int64_t lda,
             const void* b, std::int64_t ldb, double beta, void* c, std::int64_t ldc) {
  if (dtype == STRATA_F32) {
    matmul(transpose_a != 0, transpose_b != 0, m, n, k, static_cast<const float*>(a), lda,
           static_cast<const float*>(b), ldb, beta != 0, static_cast<float*>(c), ldc);
  } else {
    matmul(transpose_a != 0, transpose_b != 0, m, n, k, static_cast<const double*>(a), lda,
           static_cast<const double*>(b), ldb, beta != 0, static_cast<double*>(c), ldc);
  }
}

void serial_product(void*, std::int32_t dtype, std::int32_t transpose_a, std::int32_t transpose_b,
                    std::int64_t m, std::int64_t n, std::int64_t k, const void* a, std::int64_t lda,
                    const void* b, std::int64_t ldb, double beta, void* c, std::int64_t ldc) {
  if (dtype == STRATA_F32) {
    matmul_serial(transpose_a != 0, transpose_b != 0, m, n, k, static_cast<const float*>(a), lda,
                  static_cast<const float*>(b), ldb, beta != 0, static_cast<float*>(c), ldc);
  } else {
    matmul_serial(transpose_a != 0, transpose_b != 0, m, n, k, static_cast<const double*>(a), lda,
                  static_cast<const double*>(b), ldb, beta != 0, static_cast<double*>(c), ldc);
  }
}

template <class T>
void product_by_rows(bool rows_of_b, std::int64_t m, std::int64_t n, std::int64_t k,
                     const void* const* a, std::int64_t lda, const void* const* b, std::int64_t ldb,
                     bool accumulate, void* c, std::int64_t ldc) {
  const auto rows = [](const void* const* pointers) {
    return reinterpret_cast<const T* const*>(pointers);
  };
  if (rows_of_b) {
    matmul_rows_of_b(m, n, k, static_cast<const T*>(a[0]), lda, rows(b), accumulate,
                     static_cast<T*>(c), ldc);
  } else {
    matmul_rows_of_a(m, n, k, rows(a), static_cast<const T*>(b[0]), ldb, accumulate,
                     static_cast<T*>(c), ldc);
  }
}

void product_by_rows_of(void*, std::int32_t dtype, std::int32_t rows_of_b, std::int64_t m,
                        std::int64_t n, std::int64_t k, const void* const* a, std::int64_t lda,
                        const void* const* b, std::int64_t ldb, double beta, void* c,
                        std::int64_t ldc) {
  (dtype == STRATA_F32 ? product_by_rows<float> : product_by_rows<double>)(rows_of_b != 0, m, n, k,
                                                                           a, lda, b, ldb,
                                                                           beta != 0, c, ldc);
}

void random(void*, const std::uint64_t key[2], std::uint64_t offset, std::int64_t count,
            std::uint32_t* out) {
  random_words({key[0], key[1]}, offset, count, out);
}

}  // namespace

const strata_services& host_services() {
  static const strata_services services{
      sizeof(strata_services), &parallel, &product, &random, &serial_product, &product_by_rows_of};
  return services;
}

}  // namespace strata
