// What the host has around its calls of plugins: the services that it hands in, a note of who runs
// on each thread, and the libraries that were loaded.
#pragma once

#include <xmmintrin.h>

#include <string>
#include <vector>

#include "framework/plugin/abi.h"
#include "framework/plugin/instance.h"
#include "framework/plugin/registry.h"

namespace strata {

// Parallel tasks, matrix products and random streams. Needs no host pointer: tasks run on the pool
// that runs the caller.
const strata_services& host_services();

// A note around every call of a plugin's function, so that whoever handles a crash can say whose it
// is. It costs a few instructions and allocates nothing.
//
// A call also keeps the floating-point mode (rounding, flushing of subnormal numbers, traps): what
// a plugin sets is undone where its function returns, or others on the thread would calculate
// otherwise.
class Running {
 public:
  // What is called; everything lives longer than the call.
  struct Call {
    const Entry* entry = nullptr;           // null while a library is loaded
    const char* function = "";              // "forward"
    const char* place = nullptr;            // the layer's path in the model, where there is one
    const PluginLibrary* loaded = nullptr;  // the library that is being loaded
    // Null where it is built in.
    const PluginLibrary* library() const { return entry ? entry->library : loaded; }
  };

  explicit Running(const Call& call) : Running(&call_, call) {}
  // Goes on with what another thread runs: a task of it.
  explicit Running(const Call* other) : Running(other, {}) {}
  ~Running() {
    current_ = outer_;
    if ((_mm_getcsr() & kMode) != mode_) put_mode_back(mode_);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  // Of the calling thread; null where no plugin runs. Safe in a signal handler.
  static const Call* current() { return current_; }
  // Whether any call has changed the floating-point mode since this was last asked.
  static bool mode_was_changed();

 private:
  static constexpr unsigned kMode = 0xffc0;  // of MXCSR: all but what has happened

  Running(const Call* shown, const Call& call)
      : call_(call), outer_(current_), mode_(_mm_getcsr() & kMode) {
    if (!prepared_) prepare_thread();
    current_ = shown;
  }
  // A signal stack of its own, so that an overflow of the stack can be told.
  static void prepare_thread();
  static void put_mode_back(unsigned mode);

  const Call call_;
  const Call* const outer_;
  const unsigned mode_;
  static constinit thread_local const Call* current_;
  static constinit thread_local bool prepared_;
};

// Libraries that were loaded, for whoever looks for a culprit: they stay until the program ends.
struct LoadedLibrary {
  PluginLibrary library;
  const char *begin = nullptr, *end = nullptr;  // of its code and data in memory
  const LoadedLibrary* next = nullptr;
};
// The newest first. Safe in a signal handler.
const LoadedLibrary* loaded_libraries();
// `symbol` is an address inside of it.
void note_loaded(const PluginLibrary& library, const void* symbol);

// Runs a function of a table that takes an error as its last argument.
template <class Function, class... Args>
Status call_noted(const Running::Call& call, Function function, Args... args) {
  const Running running(call);
  return call_plugin(function, args...);
}

// A function of an instance, which it takes as its first argument.
template <class Function, class... Args>
Status call_noted(const Instance& instance, const char* name, Function function, Args... args) {
  return call_noted({&instance.entry(), name}, function, instance.raw(), args...);
}

constexpr std::size_t kMostSlots = 8;  // of an optimizer: Instance::create refuses more

// Names of an optimizer's slots.
std::vector<std::string> slot_names(const Instance& optimizer);

}  // namespace strata
