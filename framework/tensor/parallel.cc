// The pool over a TBB task arena.
#include "framework/tensor/parallel.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <xmmintrin.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

#include "framework/base/thread_sanitizer.h"

namespace strata {
namespace {

constexpr unsigned kFlushToZeroAndDenormalsAreZero = 0x8040;

// Flush-to-zero for as long as it lives, on this thread.
class FlushToZero {
 public:
  FlushToZero() : before_(_mm_getcsr()) { _mm_setcsr(before_ | kFlushToZeroAndDenormalsAreZero); }
  ~FlushToZero() { _mm_setcsr(before_); }
  FlushToZero(const FlushToZero&) = delete;
  FlushToZero& operator=(const FlushToZero&) = delete;

 private:
  unsigned before_;
};

}  // namespace

struct ThreadPool::Arena {
  explicit Arena(int threads)
      : limit(tbb::global_control::max_allowed_parallelism,
              static_cast<std::size_t>(std::max(threads, tbb::info::default_concurrency()))),
        arena(threads) {
    // TBB sets a worker's floating-point state to what the arena saw when it was initialized.
    const FlushToZero flush;
    arena.initialize();
  }
  tbb::global_control limit;  // more threads than cores are allowed: results must not differ
  tbb::task_arena arena;
};

ThreadPool::ThreadPool(int threads)
    : threads_(threads > 0 ? threads : available_threads()),
      arena_(std::make_unique<Arena>(threads_)) {}
ThreadPool::~ThreadPool() = default;

void ThreadPool::run(const std::function<void()>& body) {
  arena_->arena.execute([&] {
    const FlushToZero flush;
    body();
  });
}

int available_threads() {
  int threads = tbb::info::default_concurrency();  // heeds the affinity mask
  std::ifstream quota_file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (quota_file >> quota >> period && quota != "max" && period > 0) {
    threads = std::min(threads, static_cast<int>(std::ceil(std::stod(quota) / period)));
  }
  return std::max(1, threads);
}

void parallel_tasks(std::int64_t tasks, void (*body)(void*, std::int64_t), void* context) {
  if (tasks <= 0) return;
  if (tasks == 1) return body(context, 0);
  // Isolated: a thread that waits here does not pick up a task of an outer region in the middle of
  // its own.
  hand_over(&context);
  tbb::this_task_arena::isolate([&] {
    tbb::parallel_for(
        tbb::blocked_range<std::int64_t>(0, tasks, 1),
        [&](const tbb::blocked_range<std::int64_t>& range) {
          hand_over_received(&context);
          for (std::int64_t task = range.begin(); task != range.end(); ++task) body(context, task);
          hand_over(&context);
        },
        tbb::simple_partitioner());
  });
  hand_over_received(&context);
}

}  // namespace strata

#if defined(STRATA_THREAD_SANITIZER)
// What TBB does to its own memory is its own affair.
extern "C" const char* __tsan_default_suppressions() { return "called_from_lib:libtbb.so\n"; }
#endif
