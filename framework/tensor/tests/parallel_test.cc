// Tasks on the pool: each runs once, nested ones too, and subnormals are flushed on every thread.
#include "framework/tensor/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <stdexcept>
#include <vector>

namespace strata {
namespace {

template <class Body>
void parallel(std::int64_t tasks, Body body) {
  parallel_tasks(
      tasks, [](void* context, std::int64_t task) { (*static_cast<Body*>(context))(task); }, &body);
}

TEST(ParallelTasks, EachRunsOnce) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    std::vector<std::atomic<int>> runs(1000);
    pool.run([&] {
      parallel(1000, [&](std::int64_t task) { ++runs[static_cast<std::size_t>(task)]; });
    });
    for (const auto& count : runs) ASSERT_EQ(count, 1);
  }
}

TEST(ParallelTasks, Nest) {
  ThreadPool pool(3);
  std::atomic<int> runs = 0;
  pool.run(
      [&] { parallel(10, [&](std::int64_t) { parallel(10, [&](std::int64_t) { ++runs; }); }); });
  EXPECT_EQ(runs, 100);
}

TEST(ParallelTasks, AnExceptionReachesTheCaller) {
  ThreadPool pool(2);
  EXPECT_THROW(pool.run([] {
    parallel(50, [](std::int64_t task) {
      if (task == 17) throw std::runtime_error("task 17");
    });
  }),
               std::runtime_error);
}

TEST(ThreadPool, FlushesSubnormalsOnEveryThreadAndOnlyThere) {
  volatile float smallest = std::numeric_limits<float>::min();
  EXPECT_GT(smallest * 0.5f, 0.0f);
  ThreadPool pool(4);
  std::atomic<int> kept = 0;
  pool.run([&] {
    parallel(200, [&](std::int64_t) {
      if (smallest * 0.5f != 0.0f) ++kept;
    });
  });
  EXPECT_EQ(kept, 0);
  EXPECT_GT(smallest * 0.5f, 0.0f);
}

TEST(ThreadPool, MoreThreadsThanCoresAreAllowed) {
  ThreadPool pool(16);
  EXPECT_EQ(pool.threads(), 16);
}

}  // namespace
}  // namespace strata
