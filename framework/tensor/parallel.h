// Parallel tasks on the one thread pool of the process. Tasks are numbered; what a task does
// depends on its number and on shapes, never on which thread runs it or how many there are.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace strata {

// A task arena of a number of threads, on each of which subnormal numbers are flushed to zero (they
// cost a hundred times the time of others on most CPUs) for as long as it works here.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);  // 0: as many as the process may use
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }
  // Runs body on this pool; parallel_tasks inside it use the pool's threads.
  void run(const std::function<void()>& body);

 private:
  struct Arena;
  int threads_;
  std::unique_ptr<Arena> arena_;
};

// How many threads the process may use (its CPU affinity and cgroup quota).
int available_threads();

// body(context, task) for task in [0, tasks) on the pool that runs the caller. May nest. The first
// exception is rethrown.
void parallel_tasks(std::int64_t tasks, void (*body)(void* context, std::int64_t task),
                    void* context);

}  // namespace strata
