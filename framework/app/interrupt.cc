#include "framework/app/interrupt.h"

#include <unistd.h>

#include <array>
#include <csignal>

namespace strata::app {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};
std::array<struct sigaction, kSignals.size()> old_actions;
std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // or a signal handler could not set it

void handle(int) {
  // A second one means it, and nothing is half-written: files are replaced in one step.
  if (stop.exchange(true)) ::_exit(130);
  static constexpr char kNote[] = "\nfinishing the step and saving; once more to stop at once\n";
  (void)!::write(STDERR_FILENO, kNote, sizeof kNote - 1);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  stop = false;
  struct sigaction action {};
  action.sa_handler = &handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], nullptr, &old_actions[i]);
    if (old_actions[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);
  }
}

InterruptGuard::~InterruptGuard() {
  for (std::size_t i = 0; i < kSignals.size(); ++i)
    ::sigaction(kSignals[i], &old_actions[i], nullptr);
}

const std::atomic<bool>& InterruptGuard::flag() const { return stop; }

}  // namespace strata::app
