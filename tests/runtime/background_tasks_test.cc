// Tasks in the background: all are done, also where nobody but the waiting thread is there to do
// them, and beside regions of the caller.
#include "framework/runtime/background_tasks.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <vector>

#include "framework/tensor/parallel.h"

namespace strata {
namespace {

struct Counter {
  explicit Counter(std::size_t tasks) : done(tasks) {}
  std::vector<int> done;  // by whom it may; the wait makes it visible
  static void count(void* self, std::int64_t task) {
    ++static_cast<Counter*>(self)->done[static_cast<std::size_t>(task)];
  }
};

TEST(BackgroundTasks, AreAllDoneOnceAfterWait) {
  for (const int threads : {1, 2, 5}) {
    Counter counter(100);
    BackgroundTasks tasks;
    ThreadPool(threads).run([&] {
      for (int round = 1; round <= 20; ++round) {
        tasks.start(100, &Counter::count, &counter);
        EXPECT_TRUE(tasks.running());
        tasks.wait();
        EXPECT_FALSE(tasks.running());
        EXPECT_EQ(counter.done, std::vector<int>(100, round));
      }
    });
  }
}

TEST(BackgroundTasks, RunBesideTheCallersRegions) {
  for (const int threads : {1, 2, 5}) {
    Counter counter(64), region(64);
    ThreadPool(threads).run([&] {
      BackgroundTasks tasks;
      for (int round = 1; round <= 50; ++round) {
        tasks.start(64, &Counter::count, &counter);
        parallel_tasks(64, &Counter::count, &region);
        EXPECT_EQ(region.done, std::vector<int>(64, round));
      }
    });
    EXPECT_EQ(counter.done, std::vector<int>(64, 50));
  }
}

TEST(BackgroundTasks, MayHaveRegionsOfTheirOwn) {
  ThreadPool(3).run([&] {
    std::vector<Counter> counters(8, Counter(32));
    BackgroundTasks tasks;
    tasks.start(
        8,
        [](void* context, std::int64_t task) {
          auto& all = *static_cast<std::vector<Counter>*>(context);
          parallel_tasks(32, &Counter::count, &all[static_cast<std::size_t>(task)]);
        },
        &counters);
    tasks.wait();
    for (const Counter& counter : counters) EXPECT_EQ(counter.done, std::vector<int>(32, 1));
  });
}

TEST(BackgroundTasks, AreWaitedForOutsideOfTheirPool) {
  for (const int threads : {1, 2, 8}) {
    Counter counter(16);
    std::optional<ThreadPool> pool(threads);
    std::optional<BackgroundTasks> tasks(std::in_place);
    pool->run([&] { tasks->start(16, &Counter::count, &counter); });
    if (threads == 2) pool.reset();
    tasks.reset();
    EXPECT_EQ(counter.done, std::vector<int>(16, 1));
  }
}

TEST(BackgroundTasks, WithNothingToDoAreDone) {
  BackgroundTasks tasks;
  tasks.wait();
  tasks.start(0, &Counter::count, nullptr);
  tasks.wait();
  EXPECT_FALSE(tasks.running());
}

TEST(BackgroundTasks, AMovedPoolServesTheNextSet) {
  Counter counter(16);
  BackgroundTasks tasks;
  for (int round = 1; round <= 10; ++round) {
    ThreadPool pool(1 + round % 3);
    pool.run([&] { tasks.start(16, &Counter::count, &counter); });
    if (round % 2) pool.run([&] { tasks.wait(); });
    tasks.wait();
    EXPECT_EQ(counter.done, std::vector<int>(16, round));
  }
}

}  // namespace
}  // namespace strata
