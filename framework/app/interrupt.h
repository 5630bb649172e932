// Ctrl-C and its kin while a run trains: the first one asks it to stop, the second one stops the
// process.
#pragma once

#include <atomic>

namespace strata::app {

// While it lives, SIGINT, SIGTERM and SIGHUP set the flag. Signals that the process was told to
// ignore stay ignored.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  const std::atomic<bool>& flag() const;
};

}  // namespace strata::app
