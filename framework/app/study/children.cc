// A child's pipe carries lines, ">line" while it works, "=line" for its answer, and "!line" where
// it crashed.
#include "framework/app/study/children.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <vector>

#include "framework/base/error.h"

namespace strata::app {
namespace {

constexpr int kTick = 100;  // ms

Error system_failure(const char* what) {
  return make_error(ExitCode::kInternal, "cannot {}: {}", what, std::strerror(errno));
}

void write_whole(int file, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(file, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;  // the parent is gone, and so are we soon
    done += static_cast<std::size_t>(count);
  }
}

std::string framed(char mark, std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return mark + text + "\n";
}

[[noreturn]] void work(const ChildTask& task, const std::function<void(int)>& begun, int threads,
                       int pipe, pid_t parent) {
  // A terminal sends these to the parent as well, who passes on what is meant.
  for (const int signal : {SIGINT, SIGHUP}) std::signal(signal, SIG_IGN);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  // What a child has to say goes through the pipe.
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int file = 0; file <= 2; ++file) ::dup2(nowhere, file);
  std::string answer;
  if (begun) begun(pipe);
  try {
    answer =
        task.work(threads, [&](const std::string& line) { write_whole(pipe, framed('>', line)); });
  } catch (...) {
    ::_exit(1);
  }
  write_whole(pipe, framed('=', answer));
  ::_exit(0);
}

struct Child {
  std::int64_t id = 0;
  int slot = 0;
  pid_t process = -1;
  int pipe = -1;
  std::string pending;  // of a line that has not ended
  ChildEnd end;
};

class Pool {
 public:
  Pool(int jobs, int cores, const std::atomic<bool>* stop, const ChildWatcher& watcher)
      : cores_(cores), stop_(stop), watcher_(watcher), taken_(static_cast<std::size_t>(jobs)) {}
  // Only where the watcher threw: nobody would listen any more.
  ~Pool() {
    for (const Child& child : children_) {
      ::kill(child.process, SIGKILL);
      ::waitpid(child.process, nullptr, 0);
      ::close(child.pipe);
    }
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void go() {
    bool more = true;
    while (true) {
      while (more && !stopped() && children_.size() < taken_.size()) {
        std::optional<ChildTask> task = watcher_.next();
        if (!task)
          more = false;
        else
          start(*task);
      }
      if (children_.empty()) return;
      if (stopped() && !told_) {
        for (const Child& child : children_) ::kill(child.process, SIGTERM);
        told_ = true;
      }
      listen();
      if (watcher_.idle) watcher_.idle();
    }
  }

 private:
  bool stopped() const { return stop_ && stop_->load(); }

  void start(const ChildTask& task) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw Failure{system_failure("make a pipe")};
    const auto free = std::find(taken_.begin(), taken_.end(), false);
    const int slot = static_cast<int>(free - taken_.begin());
    const pid_t parent = ::getpid();
    const pid_t process = ::fork();
    if (process < 0) {
      ::close(ends[0]);
      ::close(ends[1]);
      throw Failure{system_failure("start a process")};
    }
    if (process == 0) {
      for (const Child& other : children_) ::close(other.pipe);
      ::close(ends[0]);
      work(task, watcher_.begun, threads_of(slot), ends[1], parent);
    }
    ::close(ends[1]);
    *free = true;
    Child& child = children_.emplace_back();
    child.id = task.id;
    child.slot = slot;
    child.process = process;
    child.pipe = ends[0];
  }

  // Slots share the cores as evenly as they can.
  int threads_of(int slot) const {
    const int jobs = static_cast<int>(taken_.size());
    return std::max(1, cores_ / jobs + (slot < cores_ % jobs ? 1 : 0));
  }

  void listen() {
    std::vector<pollfd> waiting;
    for (const Child& child : children_) waiting.push_back({child.pipe, POLLIN, 0});
    if (::poll(waiting.data(), waiting.size(), kTick) <= 0) return;
    std::vector<pid_t> closed;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].revents && !read(children_[i])) closed.push_back(children_[i].process);
    }
    for (const pid_t process : closed) {
      const auto at = std::find_if(children_.begin(), children_.end(),
                                   [&](const Child& child) { return child.process == process; });
      Child child = std::move(*at);
      children_.erase(at);
      finish(child);
    }
  }

  // False where the pipe has ended.
  bool read(Child& child) {
    char block[4096];
    const ssize_t count = ::read(child.pipe, block, sizeof block);
    if (count < 0 && errno == EINTR) return true;
    if (count <= 0) return false;
    child.pending.append(block, static_cast<std::size_t>(count));
    for (std::size_t end; (end = child.pending.find('\n')) != std::string::npos;) {
      const std::string line = child.pending.substr(0, end);
      child.pending.erase(0, end + 1);
      if (line.starts_with('='))
        child.end.answer = line.substr(1);
      else if (line.starts_with('!'))
        child.end.last_words = line.substr(1);
      else if (watcher_.said)
        watcher_.said(child.id, line.substr(1));
    }
    return true;
  }

  void finish(Child& child) {
    ::close(child.pipe);
    taken_[static_cast<std::size_t>(child.slot)] = false;
    int status = 0;
    struct rusage used {};
    while (::wait4(child.process, &status, 0, &used) < 0 && errno == EINTR) {
    }
    child.end.memory = 1024.0 * static_cast<double>(used.ru_maxrss);
    child.end.how = WIFSIGNALED(status) ? fmt::format("signal {} ({})", WTERMSIG(status),
                                                      ::strsignal(WTERMSIG(status)))
                                        : fmt::format("exit code {}", WEXITSTATUS(status));
    watcher_.ended(child.id, child.end);
  }

  const int cores_;
  const std::atomic<bool>* stop_;
  const ChildWatcher& watcher_;
  std::vector<bool> taken_;
  std::vector<Child> children_;
  bool told_ = false;
};

}  // namespace

void run_children(int jobs, int cores, const std::atomic<bool>* stop, const ChildWatcher& watcher) {
  Pool(std::max(1, jobs), cores, stop, watcher).go();
}

}  // namespace strata::app
