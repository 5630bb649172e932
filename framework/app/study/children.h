// Work in child processes, several at once: what one of them does or suffers leaves the others
// alone, and each has a thread pool of its own size. They share the memory of what was loaded
// before they began.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace strata::app {

struct ChildTask {
  std::int64_t id = 0;
  // In the child; what it returns is `answer` in the parent, what it says comes line by line.
  // Exceptions make an answer that is empty.
  std::function<std::string(int threads, const std::function<void(const std::string&)>& say)> work;
};

struct ChildEnd {
  std::string answer;      // empty where the process ended without one
  std::string how;         // then: "signal 11 (Segmentation fault)"
  std::string last_words;  // then too: what crashed, where it could still be said
  double memory = 0;       // bytes, the most that it had
};

struct ChildWatcher {
  std::function<std::optional<ChildTask>()> next;  // nothing: no more work
  std::function<void(std::int64_t id, const std::string& line)> said;
  std::function<void(std::int64_t id, const ChildEnd& end)> ended;
  // In the child, before its work: a line "!WORDS" to this file becomes `last_words`. May be empty.
  std::function<void(int file)> begun;
  std::function<void()> idle;  // about ten times a second; may be empty
};

// Runs tasks, `jobs` at once, on `cores` threads together. Where `stop` becomes true, children get
// SIGTERM, once, and end in their own time. Children die with their parent. The caller must not
// have started threads.
void run_children(int jobs, int cores, const std::atomic<bool>* stop, const ChildWatcher& watcher);

}  // namespace strata::app
