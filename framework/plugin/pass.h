// What the passes of all kinds share: parallel tasks, matrix products and random streams of the
// host. Depends on the standard library alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <mutex>
#include <type_traits>

#include "framework/plugin/abi.h"

namespace strata {

enum class Transpose { kNo = 0, kYes = 1 };

template <class T>
constexpr strata_dtype dtype_of() {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>);
  return std::is_same_v<T, float> ? STRATA_F32 : STRATA_F64;
}

class Services {
 public:
  static constexpr std::int64_t kParallelOperations = std::int64_t{1} << 19;

  Services(const strata_services* services, void* host) : services_(services), host_(host) {}

  // body(task) for task in [0, tasks), in parallel. What a task does must depend on shapes and its
  // number alone.
  template <class Body>
  void parallel(std::int64_t tasks, Body&& body) const {
    if (tasks == 1) return body(std::int64_t{0});
    // What a task throws goes to the caller's thread, not through the host; of several the first
    // one in the order of tasks.
    struct Work {
      std::remove_reference_t<Body>& body;
      std::mutex mutex;
      std::exception_ptr thrown;
      std::int64_t thrown_by = 0;
    } work{body, {}, nullptr, 0};
    services_->parallel(
        host_, tasks,
        [](void* context, std::int64_t task) {
          Work& mine = *static_cast<Work*>(context);
          try {
            mine.body(task);
          } catch (...) {
            const std::lock_guard lock(mine.mutex);
            if (mine.thrown && mine.thrown_by < task) return;
            mine.thrown = std::current_exception();
            mine.thrown_by = task;
          }
        },
        &work);
    if (work.thrown) std::rethrow_exception(work.thrown);
  }

  // The same, one after the other where `operations` (multiply-adds, or as much) are too few to be
  // worth a second thread: starting and joining tasks takes 5 to 8 µs.
  template <class Body>
  void parallel(std::int64_t tasks, std::int64_t operations, Body&& body) const {
    if (operations >= kParallelOperations) return parallel(tasks, body);
    for (std::int64_t task = 0; task < tasks; ++task) body(task);
  }

  // body(begin, end) over fixed tiles of [0, count), in parallel.
  template <class Body>
  void tiles(std::int64_t count, std::int64_t tile, Body&& body) const {
    parallel((count + tile - 1) / tile,
             [&](std::int64_t task) { body(task * tile, std::min(count, (task + 1) * tile)); });
  }

  // c[m, n] = op(a)[m, k] · op(b)[k, n], added to c where `accumulate`. Row-major, leading
  // dimensions in elements.
  template <class T>
  void matmul(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
              std::int64_t k, const T* a, std::int64_t lda, const T* b, std::int64_t ldb,
              bool accumulate, T* c, std::int64_t ldc) const {
    services_->matmul(host_, dtype_of<T>(), static_cast<int>(transpose_a),
                      static_cast<int>(transpose_b), m, n, k, a, lda, b, ldb,
                      accumulate ? 1.0 : 0.0, c, ldc);
  }

  // The same on the calling thread, for use inside a task.
  template <class T>
  void product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
               std::int64_t k, const T* a, std::int64_t lda, const T* b, std::int64_t ldb,
               bool accumulate, T* c, std::int64_t ldc) const {
    services_->product(host_, dtype_of<T>(), static_cast<int>(transpose_a),
                       static_cast<int>(transpose_b), m, n, k, a, lda, b, ldb,
                       accumulate ? 1.0 : 0.0, c, ldc);
  }

  // c[m, n] = a · b on the calling thread, where row i of a begins at a[i], or row p of b at b[p].
  template <class T>
  void product_rows_of_a(std::int64_t m, std::int64_t n, std::int64_t k, const T* const* a,
                         const T* b, std::int64_t ldb, bool accumulate, T* c,
                         std::int64_t ldc) const {
    const void* whole = b;
    services_->product_by_rows(host_, dtype_of<T>(), 0, m, n, k,
                               reinterpret_cast<const void* const*>(a), 0, &whole, ldb,
                               accumulate ? 1.0 : 0.0, c, ldc);
  }
  template <class T>
  void product_rows_of_b(std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
                         std::int64_t lda, const T* const* b, bool accumulate, T* c,
                         std::int64_t ldc) const {
    const void* whole = a;
    services_->product_by_rows(host_, dtype_of<T>(), 1, m, n, k, &whole, lda,
                               reinterpret_cast<const void* const*>(b), 0, accumulate ? 1.0 : 0.0,
                               c, ldc);
  }

  // Words [offset, offset + count) of the stream `key`.
  void random(const std::uint64_t key[2], std::uint64_t offset, std::int64_t count,
              std::uint32_t* out) const {
    services_->random(host_, key, offset, count, out);
  }

 private:
  const strata_services* services_;
  void* host_;
};

// Elements of a tile for elementwise work: enough to be worth a task, few enough to stay in cache.
constexpr std::int64_t kElementwiseTile = 16384;

}  // namespace strata
