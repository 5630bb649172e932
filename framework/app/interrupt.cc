#include "framework/app/interrupt.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

namespace strata::app {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
std::array<struct sigaction, kSignals.size()> old_actions;
std::atomic<bool> stop{false}, save_now{false};
std::atomic<const char*> said{""};
// Or a signal handler could not set them.
static_assert(std::atomic<bool>::is_always_lock_free &&
              std::atomic<const char*>::is_always_lock_free);

void say(const char* text) { (void)!::write(STDERR_FILENO, text, std::strlen(text)); }

void handle(int signal) {
  if (signal == SIGUSR1) {
    save_now = true;
    return;
  }
  // A second one means it, and nothing is half-written: files are replaced in one step.
  if (stop.exchange(true)) ::_exit(130);
  say("\n");
  say(said);
  say("; once more to stop at once\n");
}

}  // namespace

InterruptGuard::InterruptGuard(const char* note, bool saves) {
  stop = save_now = false;
  said = note;
  struct sigaction action {};
  action.sa_handler = &handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], nullptr, &old_actions[i]);
    if (kSignals[i] == SIGUSR1 && !saves) continue;
    if (old_actions[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);
  }
}

InterruptGuard::~InterruptGuard() {
  for (std::size_t i = 0; i < kSignals.size(); ++i)
    ::sigaction(kSignals[i], &old_actions[i], nullptr);
}

const std::atomic<bool>& InterruptGuard::flag() const { return stop; }
std::atomic<bool>& InterruptGuard::save() const { return save_now; }

}  // namespace strata::app
