// Tasks that the pool's threads take up while the caller does something else: what parallel_tasks
// does, without waiting.
#pragma once

#include <cstdint>
#include <memory>

namespace strata {

class BackgroundTasks {
 public:
  BackgroundTasks();
  ~BackgroundTasks();  // waits
  BackgroundTasks(const BackgroundTasks&) = delete;
  BackgroundTasks& operator=(const BackgroundTasks&) = delete;

  // Hands body(context, task) for task in [0, tasks) to the pool that runs the caller and returns.
  // A pool of one thread does them in wait(). One set at a time: wait() comes before the next. The
  // body must not throw.
  void start(std::int64_t tasks, void (*body)(void* context, std::int64_t task), void* context);
  // Returns when all are done, and helps. From any thread, inside the pool or not. What the tasks
  // wrote is then seen by the caller.
  void wait();
  bool running() const { return running_; }  // whether a wait() is due
  // Whether the pool that runs the caller has a thread besides it.
  static bool others_can_help();

 private:
  struct Group;
  std::unique_ptr<Group> group_;
  bool running_ = false;
};

}  // namespace strata
