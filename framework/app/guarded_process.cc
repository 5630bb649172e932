#include "framework/app/guarded_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "framework/app/last_words.h"
#include "framework/base/error.h"

namespace strata::app {
namespace {

struct stat facts_of(int file) {
  struct stat facts {};
  if (::fstat(file, &facts) != 0) facts = {};
  return facts;
}

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
      throw Failure{make_error(ExitCode::kInternal, "no pipe: {}", std::strerror(errno))};
    read = ends[0];
    write = ends[1];
  }
  ~Pipe() {
    close(read);
    close(write);
  }
  static void close(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
};

// Memory that the child shares, for what it cannot say any more.
class Shared {
 public:
  Shared() {
    void* memory = ::mmap(nullptr, sizeof(std::atomic<bool>), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      throw Failure{make_error(ExitCode::kInternal, "no memory: {}", std::strerror(errno))};
    lost_ = new (memory) std::atomic<bool>(false);
  }
  ~Shared() { ::munmap(lost_, sizeof(std::atomic<bool>)); }
  std::atomic<bool>& lost() { return *lost_; }

 private:
  std::atomic<bool>* lost_;
};

void begin_process() {
  leave_without_words();
  for (int signal = 1; signal < NSIG; ++signal) std::signal(signal, SIG_DFL);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody waits for it any more
}

[[noreturn]] void run_child(const std::function<void(const GuardedWriter&)>& body, int output,
                            int pipe, std::atomic<bool>& lost) {
  begin_process();
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  if (const int nothing = ::open("/dev/null", O_RDONLY); nothing > 0) {
    ::dup2(nothing, STDIN_FILENO);
    ::close(nothing);
  }
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  body(GuardedWriter(pipe, lost));
  ::_exit(0);
}

// Waits for the child and tells how it ended.
[[noreturn]] void run_guard(pid_t child, int pipe) {
  int status = 0;
  while (::waitpid(child, &status, WUNTRACED) < 0 && errno == EINTR) {
  }
  GuardedEnd end;
  if (WIFSTOPPED(status)) {
    end = {GuardedEnd::kStopped, WSTOPSIG(status)};
  } else if (WIFSIGNALED(status)) {
    end = {GuardedEnd::kKilled, WTERMSIG(status)};
  } else {
    end = {GuardedEnd::kExited, WEXITSTATUS(status)};
  }
  (void)!::write(pipe, &end, sizeof end);
  ::_exit(0);
}

class Parent {
 public:
  Parent(int lines, int ends, const std::function<bool(std::string_view)>& take)
      : lines_(lines), ends_(ends), take_(take) {}

  // Nothing where the guard is gone without a word.
  std::optional<GuardedEnd> listen(int seconds) {
    while (true) {
      pollfd waiting[] = {{lines_, POLLIN, 0}, {ends_, POLLIN, 0}};
      const int ready = ::poll(waiting, 2, seconds * 1000);
      if (ready < 0 && errno == EINTR) continue;
      if (ready == 0) return GuardedEnd{GuardedEnd::kLate, 0};
      if (waiting[0].revents && read_lines()) return GuardedEnd{GuardedEnd::kDone, 0};
      if (!waiting[1].revents) continue;
      GuardedEnd end;
      const bool said = ::read(ends_, &end, sizeof end) == sizeof end;
      // What it said before its end.
      for (pollfd rest{lines_, POLLIN, 0}; ::poll(&rest, 1, 0) == 1;) {
        if (read_lines()) return GuardedEnd{GuardedEnd::kDone, 0};
        rest.fd = lines_;
      }
      return said ? std::optional(end) : std::nullopt;
    }
  }

 private:
  // Whether the last line was among them.
  bool read_lines() {
    char block[4096];
    const ssize_t count = ::read(lines_, block, sizeof block);
    if (count < 0 && errno == EINTR) return false;
    if (count <= 0) {
      lines_ = -1;  // poll() passes over it
      return false;
    }
    unread_.append(block, static_cast<std::size_t>(count));
    for (std::size_t end; (end = unread_.find('\n')) != std::string::npos;) {
      const bool last = take_(std::string_view(unread_).substr(0, end));
      if (last) return true;
      unread_.erase(0, end + 1);
    }
    return false;
  }

  int lines_;
  const int ends_;
  const std::function<bool(std::string_view)>& take_;
  std::string unread_;
};

}  // namespace

GuardedWriter::GuardedWriter(int pipe, std::atomic<bool>& lost)
    : pipe_(pipe), device_(facts_of(pipe).st_dev), inode_(facts_of(pipe).st_ino), lost_(lost) {}

bool GuardedWriter::is_ours() const {
  const struct stat facts = facts_of(pipe_);
  return facts.st_dev == device_ && facts.st_ino == inode_;
}

void GuardedWriter::line(std::string text) const {
  text += '\n';
  for (std::size_t done = 0; done < text.size();) {
    // Another file may have got the number of a pipe that was closed.
    const ssize_t count = is_ours() ? ::write(pipe_, text.data() + done, text.size() - done) : -1;
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      lost_ = true;
      ::_exit(1);
    }
    done += static_cast<std::size_t>(count);
  }
}

GuardedEnd run_guarded(const std::function<void(const GuardedWriter&)>& body, int output,
                       int seconds, const std::function<bool(std::string_view line)>& take) {
  Pipe lines, ends;
  Shared shared;
  const pid_t guard = ::fork();
  if (guard < 0)
    throw Failure{make_error(ExitCode::kInternal, "no other process: {}", std::strerror(errno))};
  if (guard == 0) {
    ::setpgid(0, 0);  // a signal to its group reaches nobody else
    begin_process();
    Pipe::close(lines.read);
    Pipe::close(ends.read);
    const pid_t child = ::fork();
    if (child == 0) {
      Pipe::close(ends.write);
      run_child(body, output, lines.write, shared.lost());
    }
    Pipe::close(lines.write);
    if (child < 0) ::_exit(1);
    run_guard(child, ends.write);
  }
  ::setpgid(guard, guard);  // whoever comes first
  Pipe::close(lines.write);
  Pipe::close(ends.write);
  auto end = Parent(lines.read, ends.read, take).listen(seconds);
  siginfo_t facts{};
  ::waitid(P_PID, static_cast<id_t>(guard), &facts, WSTOPPED | WEXITED | WNOHANG | WNOWAIT);
  if (facts.si_pid == guard && facts.si_code == CLD_STOPPED)
    end = {GuardedEnd::kHurtGuard, facts.si_status};
  ::kill(-guard, SIGKILL);
  int status = 0;
  while (::waitpid(guard, &status, 0) < 0 && errno == EINTR) {
  }
  if (!end) end = {GuardedEnd::kHurtGuard, WIFSIGNALED(status) ? WTERMSIG(status) : SIGKILL};
  if (end->kind == GuardedEnd::kExited && shared.lost()) end = {GuardedEnd::kLostPipe, 0};
  return *end;
}

}  // namespace strata::app
