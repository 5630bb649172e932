// Signals while a run trains: Ctrl-C and its kin ask it to stop (the second one stops the process),
// SIGUSR1 asks it to save and go on.
#pragma once

#include <atomic>

namespace strata::app {

// While it lives, SIGINT, SIGTERM and SIGHUP set a flag and say `note`; with `saves`, SIGUSR1 sets
// the other one. Signals that the process was told to ignore stay ignored.
class InterruptGuard {
 public:
  explicit InterruptGuard(const char* note = "finishing the step and saving", bool saves = false);
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  const std::atomic<bool>& flag() const;
  std::atomic<bool>& save() const;
};

}  // namespace strata::app
