#include "framework/app/last_words.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>

#include "framework/base/error.h"

namespace strata::app {
namespace {

[[noreturn]] void end(ExitCode code, const std::string& text) {
  (void)!::write(STDERR_FILENO, text.data(), text.size());
  ::_exit(static_cast<int>(code));
}

[[noreturn]] void terminated() {
  // Several threads may fail at once; the first one speaks.
  static std::atomic<bool> said{false};
  while (said.exchange(true)) ::pause();
  std::string what = "an exception of an unknown type";
  try {
    if (const std::exception_ptr current = std::current_exception())
      std::rethrow_exception(current);
    what = "the process was terminated";
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
  }
  constexpr std::string_view kRefused = "pthread_create has failed: ";
  if (what.starts_with(kRefused)) {
    end(ExitCode::kUsage, "error: a thread cannot be started: " + what.substr(kRefused.size()) +
                              "\n  help: use fewer --threads, or raise the limits of memory "
                              "(ulimit -v) and of processes (ulimit -u)\n");
  }
  end(ExitCode::kInternal, "error: internal error: " + what +
                               "\n  help: this is a bug in Strata; please report it with the "
                               "command and the model file\n");
}

}  // namespace

void install_last_words() { std::set_terminate(&terminated); }

}  // namespace strata::app
