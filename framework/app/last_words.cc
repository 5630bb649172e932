// Handlers of crashes. What runs in a signal handler builds its text in memory that is there
// already, and makes system calls alone.
#include "framework/app/last_words.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string_view>
#if defined(__x86_64__)
#include <ucontext.h>
#endif

#include "framework/app/console.h"
#include "framework/base/error.h"
#include "framework/plugin/services.h"

namespace strata::app {
namespace {

constexpr std::array kCrashes = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kHandlesCrashes = false;
#else
constexpr bool kHandlesCrashes = true;
#endif

constexpr int kMostSuspects = 3;  // that are named

// How the run goes on that is being trained.
struct RunAdvice {
  char checkpoints[4096];  // the folder
  char command[4096];      // `trainer train --resume …`
};
std::array<RunAdvice, 2> runs{};
std::atomic<const RunAdvice*> run{nullptr};
std::atomic<int> listener{-1};
std::atomic<bool> terminal{false};
std::atomic<bool> armed{false};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free &&
              std::atomic<const RunAdvice*>::is_always_lock_free);

// A text of limited length that allocates nothing. What does not fit is left out.
class Text {
 public:
  Text& operator<<(std::string_view text) {
    for (const char c : text) {
      if (size_ < kMost) bytes_[size_++] = static_cast<unsigned char>(c) < 32 || c == 127 ? ' ' : c;
    }
    return *this;
  }
  Text& new_line() {
    if (size_ < kMost) bytes_[size_++] = '\n';
    return *this;
  }
  std::string_view view() const { return {bytes_, size_}; }

 private:
  static constexpr std::size_t kMost = 12000;
  char bytes_[kMost];
  std::size_t size_ = 0;
};

void write_whole(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

// "in `forward` of the layer `dense1` (Dense)"
void say_where(Text& text, const Running::Call& call) {
  if (!call.entry) {
    text << " as it was loaded";
    return;
  }
  const std::string_view name = call.entry->table->name;
  text << " in `" << call.function << "` of the " << kind_name(call.entry->kind()) << " `";
  if (call.place) {
    text << call.place << "` (" << name << ")";
  } else {
    text << name << "`";
  }
}

void say_library(Text& text, const PluginLibrary& library) {
  text << "the plugin " << library.name << " " << library.version << " (" << library.path << ")";
}

// The library whose code `address` is; null where it is none's.
const PluginLibrary* library_at(const void* address) {
  const char* at = static_cast<const char*>(address);
  for (const LoadedLibrary* one = loaded_libraries(); one; one = one->next) {
    if (at >= one->begin && at < one->end) return &one->library;
  }
  return nullptr;
}

// Finds the newest checkpoint of a folder, step-00000120.safetensors, among its whole ones (those
// that are being written have another name). By system calls: opendir allocates.
class NewestCheckpoint {
 public:
  explicit NewestCheckpoint(const char* folder) {
    const int file = ::open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return;
    alignas(8) char block[4096];
    for (long size; (size = ::syscall(SYS_getdents64, file, block, sizeof block)) > 0;) {
      for (long at = 0; at < size;) {
        // struct linux_dirent64: two numbers of 8 bytes, the entry's length, its kind, its name.
        std::uint16_t length;
        std::memcpy(&length, block + at + 16, sizeof length);
        consider(block + at + 19);
        at += length;
      }
    }
    ::close(file);
  }
  std::string_view name() const { return name_; }

 private:
  // Numbers have eight digits, or more.
  void consider(std::string_view name) {
    if (!name.starts_with("step-") || !name.ends_with(".safetensors") ||
        name.size() >= sizeof name_)
      return;
    const std::string_view best = name_;
    if (name.size() < best.size() || (name.size() == best.size() && name < best)) return;
    std::copy(name.begin(), name.end(), name_);
    name_[name.size()] = 0;
  }
  char name_[256] = "";
};

void say_how_to_go_on(Text& text, const RunAdvice& going) {
  const NewestCheckpoint checkpoint(going.checkpoints);
  if (checkpoint.name().empty()) {
    text << "nothing was saved yet; " << going.command << " begins the run again; ";
  } else {
    text << "the last good checkpoint is " << going.checkpoints << "/" << checkpoint.name() << "; "
         << going.command << " goes on from it; ";
  }
}

// To whoever listens, or to standard error with the help.
void speak(std::string_view sentence, std::string_view help) {
  Text out;
  const int pipe = listener;
  if (pipe >= 0) {
    write_whole(pipe, (out << "!" << sentence).new_line().view());
    return;
  }
  if (terminal) write_whole(STDERR_FILENO, "\r\x1b[K");  // over a live line
  (out << "error: " << sentence).new_line() << "  help: " << help;
  write_whole(STDERR_FILENO, out.new_line().view());
}

// The process crashed again while it said why: names and texts of a library lie in its file, which
// somebody may have cut short. What is written here is the host's own.
[[noreturn]] void end_unsaid(const PluginLibrary* library) {
  Text sentence, help;
  if (library) {
    say_library(sentence, *library);
    sentence
        << " crashed, and its file cannot be read any more: was it changed while it was in use?";
  } else {
    sentence << "internal error, and saying what it is failed, too";
  }
  if (const RunAdvice* going = run) say_how_to_go_on(help, *going);
  help << "a library is exchanged by moving another file to its place";
  speak(sentence.view(), help.view());
  ::_exit(static_cast<int>(library ? ExitCode::kPlugin : ExitCode::kInternal));
}

// Says what happened and ends the process. `address`: of the code that failed, where it is known.
[[noreturn]] void end(std::string_view what, const void* address, std::string_view hint = {}) {
  static constinit thread_local int speaking = 0;
  static constinit thread_local const PluginLibrary* blamed = nullptr;
  if (++speaking == 2) end_unsaid(blamed);
  if (speaking > 2) ::_exit(static_cast<int>(ExitCode::kInternal));
  // Several threads may fail at once; the first one speaks.
  static std::atomic<bool> said{false};
  while (said.exchange(true)) ::pause();
  const Running::Call* call = Running::current();
  const PluginLibrary* library = call ? call->library() : library_at(address);
  blamed = library;
  Text sentence, help;
  if (library) {
    say_library(sentence, *library);
    sentence << " crashed";
    if (call)
      say_where(sentence, *call);
    else
      sentence << " on a thread of its own";
    sentence << ": " << what;
  } else {
    sentence << "internal error: " << what;
    if (call) say_where(sentence, *call);
  }
  if (const RunAdvice* going = run) say_how_to_go_on(help, *going);
  if (!hint.empty()) help << hint << "; ";
  if (library) {
    help << "`trainer plugin check " << library->path << "` looks for the fault";
  } else if (const LoadedLibrary* suspect = loaded_libraries()) {
    help << "this is a bug in Strata, or a plugin has written outside of its buffers: ";
    for (int shown = 0; suspect && shown < kMostSuspects; suspect = suspect->next, ++shown)
      help << (shown ? ", " : "") << "`trainer plugin check " << suspect->library.path << "`";
    help << " looks for that";
  } else {
    help << "this is a bug in Strata; please report it with the command and the model file";
  }
  speak(sentence.view(), help.view());
  ::_exit(static_cast<int>(library ? ExitCode::kPlugin : ExitCode::kInternal));
}

const void* code_address([[maybe_unused]] void* context) {
#if defined(__x86_64__)
  return reinterpret_cast<const void*>(
      static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
#else
  return nullptr;
#endif
}

// A fault just beyond where the stack pointer is: the guard page below the stack.
bool is_stack_overflow([[maybe_unused]] const siginfo_t& facts, [[maybe_unused]] void* context) {
#if defined(__x86_64__)
  constexpr std::intptr_t kBelow = 1 << 20, kAbove = 1 << 16;  // a large frame, a small one
  const auto stack = static_cast<std::intptr_t>(
      static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_RSP]);
  const auto fault = reinterpret_cast<std::intptr_t>(facts.si_addr);
  return fault > stack - kBelow && fault < stack + kAbove;
#else
  return false;
#endif
}

void crashed(int signal, siginfo_t* facts, void* context) {
  const bool sent = facts->si_code <= 0 && facts->si_code != SI_KERNEL;
  if (sent && facts->si_pid != ::getpid()) {
    // Somebody else wants the process to end this way.
    std::signal(signal, SIG_DFL);
    ::raise(signal);
    return;
  }
  const void* address = sent ? nullptr : code_address(context);
  switch (signal) {
    case SIGSEGV:
      end(is_stack_overflow(*facts, context) ? "the stack is used up, as by endless recursion"
                                             : "segmentation fault",
          address);
    case SIGBUS:
      end("bus error", address, "a file that was read from memory may have been cut off");
    case SIGFPE:
      end(facts->si_code == FPE_INTDIV ? "integer division by zero" : "arithmetic exception",
          address);
    case SIGILL:
      end("an instruction that this processor does not have", address,
          "build it for this machine, without the -march of another");
    default:
      end("abort() was called", address);
  }
}

[[noreturn]] void terminated() {
  std::string what = "the process was terminated";
  try {
    if (const std::exception_ptr current = std::current_exception()) {
      what = "an exception of an unknown type";
      std::rethrow_exception(current);
    }
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
  }
  // What TBB says where the system refuses it a thread.
  constexpr std::string_view kRefused = "pthread_create has failed: ";
  if (what.starts_with(kRefused)) {
    write_whole(STDERR_FILENO,
                "error: a thread cannot be started: " + what.substr(kRefused.size()) +
                    "\n  help: use fewer --threads, or raise the limits of memory "
                    "(ulimit -v) and of processes (ulimit -u)\n");
    ::_exit(static_cast<int>(ExitCode::kUsage));
  }
  const Running::Call* call = Running::current();
  end(call && call->library() ? "an exception that nobody caught: " + what : what, nullptr);
}

void exited() {
  if (armed) end("exit() was called", nullptr);
}

}  // namespace

void install_last_words() {
  std::set_terminate(&terminated);
  terminal = ::isatty(STDERR_FILENO) != 0;
  if (kHandlesCrashes) {
    struct sigaction action {};
    action.sa_sigaction = &crashed;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    for (const int signal : kCrashes) ::sigaction(signal, &action, nullptr);
  }
  if (!armed.exchange(true)) std::atexit(&exited);
}

void expect_exit() { armed = false; }

void leave_without_words() {
  armed = false;
  for (const int signal : kCrashes) std::signal(signal, SIG_DFL);
  std::set_terminate(&std::abort);
}

void send_last_words_to(int file) { listener = file; }

void set_run_of_last_words(const std::string& folder) {
  if (folder.empty()) {
    run = nullptr;
    return;
  }
  RunAdvice& next = runs[run == &runs[0] ? 1 : 0];
  const auto put = [](auto& to, const std::string& text) {
    const std::size_t size = std::min(text.size(), sizeof to - 1);
    std::copy_n(text.begin(), size, to);
    to[size] = 0;
  };
  put(next.checkpoints, folder + "/checkpoints");
  put(next.command, fmt::format("`{} train --resume {}`", program_name(), shell_quoted(folder)));
  run = &next;
}

}  // namespace strata::app
