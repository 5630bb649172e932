// Runs in processes of their own, and what they say through a pipe.
#include "framework/train/verify.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "framework/train/training.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

struct Ended {
  bool killed = false;  // by itself, as it was told
  std::string status, hash;
  double loss = 0;
};

// SIGKILL comes from within, so that it comes at a known step.
class KillAt final : public Observer {
 public:
  explicit KillAt(std::int64_t step) : step_(step) {}
  void on_update(std::int64_t step) override {
    if (step == step_) std::raise(SIGKILL);
  }

 private:
  std::int64_t step_;
};

Error interrupted() { return make_error(ExitCode::kInterrupted, "interrupted"); }

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

// What the child writes: a word, then lines.
std::string answer_of(const Result<TrainOutcome>& outcome) {
  const auto failure = [](const Error& error) {
    return fmt::format("error\n{}\n{}\n{}\n", static_cast<int>(error.code), one_line(error.message),
                       one_line(error.hint));
  };
  if (!outcome.ok()) return failure(outcome.error());
  const EndReport& end = outcome->end;
  if (end.status != "done" && end.status != "interrupted")
    return failure({end.code, end.message, end.hint});
  double loss = std::nan("");
  if (end.last && !end.last->figures.empty()) loss = end.last->figures[0].second;
  return fmt::format("{}\n{}\n{}\n", end.status, outcome->weights_hash, loss);
}

class Verifier {
 public:
  Verifier(const Program& program, const VerifyOptions& options)
      : program_(program), options_(options) {}
  ~Verifier() {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;

  Result<VerifyOutcome> go() {
    try {
      make_folder();
      if (options_.on_begin) options_.on_begin();
      thread_counts();
      stops();
      kills();
      if (options_.fuse) compare_fusion();
    } catch (const Failure& failure) {
      return failure.error;
    }
    return std::move(outcome_);
  }

 private:
  void make_folder() {
    std::error_code failed;
    const fs::path place = fs::temp_directory_path(failed);
    std::string name = (place / "strata-verify-XXXXXX").string();
    if (failed || !::mkdtemp(name.data())) {
      const std::string reason = failed ? failed.message() : std::strerror(errno);
      const char* given = std::getenv("TMPDIR");
      const std::string tried = failed && given ? given : failed ? "/tmp" : place.string();
      Error error =
          make_error(ExitCode::kData, "cannot make a temporary folder in `{}`: {}", tried, reason);
      error.hint = "name a folder that can be written to: TMPDIR=DIR";
      throw Failure{std::move(error)};
    }
    folder_ = name;
  }

  std::string fresh() { return fmt::format("{}/{}", folder_, ++runs_); }

  TrainOptions train_options(const std::string& run, int threads, bool resume) const {
    TrainOptions train;
    train.threads = threads;
    train.fuse = options_.fuse;
    (resume ? train.resume : train.run_folder) = run;
    return train;
  }

  void thread_counts() {
    for (const int threads : options_.threads) {
      const Ended ended = run(train_options(fresh(), threads, false), options_.steps);
      note(fmt::format("{} thread{}", threads, threads == 1 ? "" : "s"), ended);
      if (threads == options_.threads.front()) loss_ = ended.loss;
    }
  }

  // At the first step, the last but one, and between: in turn with other numbers of threads.
  std::vector<std::int64_t> places() const {
    const std::int64_t n = options_.steps;
    std::vector<std::int64_t> all = {1, n / 3, n / 2, n - 1};
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    std::erase_if(all, [&](std::int64_t step) { return step < 1 || step >= n; });
    return all;
  }

  void stops() {
    for (const std::int64_t step : places()) {
      const std::string folder = fresh();
      TrainOptions first = train_options(folder, 2, false);
      first.stop_after = step;
      run(first, options_.steps);
      note(fmt::format("stopped after step {}, resumed", step),
           run(train_options(folder, 3, true), options_.steps));
    }
  }

  void kills() {
    for (const std::int64_t step : places()) {
      const std::string folder = fresh();
      const Ended killed = run(train_options(folder, 2, false), options_.steps, true, step);
      if (!killed.killed)
        throw Failure{make_error(ExitCode::kInternal, "a run survived SIGKILL at step {}", step)};
      note(fmt::format("killed at step {}, resumed", step),
           run(train_options(folder, 1, true), options_.steps));
    }
  }

  void compare_fusion() {
    FusionComparison fusion;
    const auto loss = [&](bool fuse, std::int64_t steps) {
      TrainOptions train = train_options(fresh(), 0, false);
      train.fuse = fuse;
      return run(train, steps).loss;
    };
    fusion.first_fused = loss(true, 1);
    fusion.first_plain = loss(false, 1);
    fusion.last_fused = loss_;
    fusion.last_plain = loss(false, options_.steps);
    const double size = std::max(std::abs(fusion.first_fused), std::abs(fusion.first_plain));
    const double apart = std::abs(fusion.first_fused - fusion.first_plain);
    fusion.difference = size > 0 ? apart / size : 0;
    fusion.agrees =
        fusion.difference <= (program_.train.precision == Precision::kF64 ? 1e-10 : 1e-4);
    outcome_.fusion = fusion;
  }

  void note(std::string what, const Ended& ended) {
    VerifiedRun run{std::move(what), ended.hash, false};
    run.same = outcome_.runs.empty() || run.hash == outcome_.runs[0].hash;
    outcome_.runs.push_back(run);
    if (options_.on_run) options_.on_run(run);
  }

  // Trains in a child process. `kill` at this step ends it; `saving` writes checkpoints on the way.
  Ended run(const TrainOptions& train, std::int64_t steps, bool saving = false,
            std::int64_t kill = 0) {
    if (options_.stop && options_.stop->load()) throw Failure{interrupted()};
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw Failure{system_failure("make a pipe")};
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) throw Failure{system_failure("start a process")};
    if (child == 0) {
      ::close(ends[0]);
      for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(1);
      work(train, steps, saving, kill, ends[1]);
    }
    ::close(ends[1]);
    const std::string answer = listen(ends[0], child);
    ::close(ends[0]);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (options_.stop && options_.stop->load()) throw Failure{interrupted()};
    return understand(answer, status, kill > 0);
  }

  [[noreturn]] void work(TrainOptions train, std::int64_t steps, bool saving, std::int64_t kill,
                         int answer_to) const {
    Program program = program_;
    program.train.epochs.reset();
    program.train.steps = steps;
    program.train.patience.reset();
    program.train.checkpoint_minutes.reset();
    program.train.checkpoint_steps.reset();
    if (saving) program.train.checkpoint_steps = std::max<std::int64_t>(1, options_.steps / 6);
    KillAt killer(kill);
    if (kill > 0) train.observers.push_back(&killer);
    std::string answer;
    try {
      answer = answer_of(strata::train(program, train));
    } catch (const std::exception& e) {
      answer = fmt::format("error\n{}\n{}\n\n", static_cast<int>(ExitCode::kInternal),
                           one_line(e.what()));
    }
    const bool written =
        ::write(answer_to, answer.data(), answer.size()) == static_cast<ssize_t>(answer.size());
    ::_exit(written ? 0 : 1);
  }

  // All that the child says; ends it where the user wants to stop.
  std::string listen(int pipe, pid_t child) const {
    std::string text;
    char block[4096];
    while (true) {
      if (options_.stop && options_.stop->load()) ::kill(child, SIGKILL);
      pollfd waiting{pipe, POLLIN, 0};
      if (::poll(&waiting, 1, 100) <= 0) continue;
      const ssize_t got = ::read(pipe, block, sizeof block);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return text;
      text.append(block, static_cast<std::size_t>(got));
    }
  }

  static Ended understand(const std::string& answer, int status, bool killed) {
    Ended ended;
    std::istringstream lines(answer);
    std::getline(lines, ended.status);
    if (answer.empty()) {
      if (killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
        ended.killed = true;
        return ended;
      }
      throw Failure{make_error(ExitCode::kInternal, "a run ended without a result ({})",
                               WIFSIGNALED(status)
                                   ? fmt::format("signal {}", WTERMSIG(status))
                                   : fmt::format("exit code {}", WEXITSTATUS(status)))};
    }
    if (ended.status == "error") {
      std::string code;
      Error error;
      std::getline(lines, code);
      std::getline(lines, error.message);
      std::getline(lines, error.hint);
      error.code = static_cast<ExitCode>(std::atoi(code.c_str()));
      throw Failure{std::move(error)};
    }
    std::string loss;
    std::getline(lines, ended.hash);
    std::getline(lines, loss);
    ended.loss = std::strtod(loss.c_str(), nullptr);
    return ended;
  }

  static Error system_failure(const char* what) {
    return make_error(ExitCode::kInternal, "cannot {}: {}", what, std::strerror(errno));
  }

  const Program& program_;
  const VerifyOptions& options_;
  std::string folder_;
  int runs_ = 0;
  double loss_ = 0;
  VerifyOutcome outcome_;
};

}  // namespace

bool VerifyOutcome::same() const {
  return std::all_of(runs.begin(), runs.end(), [](const VerifiedRun& run) { return run.same; }) &&
         (!fusion || fusion->agrees);
}

Result<VerifyOutcome> verify(const Program& program, const VerifyOptions& options) {
  return Verifier(program, options).go();
}

}  // namespace strata
