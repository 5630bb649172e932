// A TBB task group that remembers its arena.
#include "framework/runtime/background_tasks.h"

#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include <optional>

#include "framework/base/thread_sanitizer.h"

namespace strata {

struct BackgroundTasks::Group {
  // Made anew for each set: a group that was used in one arena keeps pointing there.
  struct Set {
    tbb::task_group_context context{tbb::task_group_context::isolated};
    tbb::task_group group{context};
    std::optional<tbb::task_arena> arena;
  };
  std::optional<Set> set;
};

BackgroundTasks::BackgroundTasks() : group_(std::make_unique<Group>()) {}
BackgroundTasks::~BackgroundTasks() { wait(); }

bool BackgroundTasks::others_can_help() { return tbb::this_task_arena::max_concurrency() > 1; }

void BackgroundTasks::start(std::int64_t tasks, void (*body)(void*, std::int64_t), void* context) {
  wait();
  auto& set = group_->set.emplace();
  running_ = true;
  hand_over(this);
  for (std::int64_t task = 0; task < tasks; ++task) {
    set.group.run([this, body, context, task] {
      hand_over_received(this);
      body(context, task);
      hand_over(this);
    });
  }
  // Whoever waits goes back to where the tasks are: an arena of one thread has no other to do them.
  set.arena.emplace(tbb::attach());
}

void BackgroundTasks::wait() {
  if (!running_) return;
  auto& set = *group_->set;
  set.arena->execute([&] { set.group.wait(); });
  hand_over_received(this);
  group_->set.reset();
  running_ = false;
}

}  // namespace strata
