// Code that may do anything to its process, and to those around it, runs in a child of a guard: the
// guard sees how it ends or stops, and is what it finds where it looks for its parent.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

namespace strata::app {

struct GuardedEnd {
  enum Kind : int {
    kExited,     // by itself; number: the exit code
    kKilled,     // number: the signal
    kStopped,    // number: the signal
    kLostPipe,   // it had closed the pipe that its lines go through
    kHurtGuard,  // it killed or stopped the guard; number: the signal
    kLate,       // nothing came for too long
    kDone,       // it said its last line
  };
  Kind kind = kExited;
  int number = 0;
};

// What the guarded code says, line by line.
class GuardedWriter {
 public:
  GuardedWriter(int pipe, std::atomic<bool>& lost);
  // Adds the end of the line. Ends the process where the pipe is gone.
  void line(std::string text) const;

 private:
  bool is_ours() const;
  const int pipe_;
  const unsigned long device_, inode_;
  std::atomic<bool>& lost_;
};

// Runs `body` in a process of its own, with standard output and error in the file `output` and
// nothing to read, and gives each of its lines to `take`, which says whether that was the last one.
// Whatever it leaves behind in its group of processes is killed. `seconds`: how long it may say
// nothing. Throws Failure where the system has no process or pipe left.
GuardedEnd run_guarded(const std::function<void(const GuardedWriter&)>& body, int output,
                       int seconds, const std::function<bool(std::string_view line)>& take);

}  // namespace strata::app
