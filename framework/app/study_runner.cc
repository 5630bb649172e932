// Queues, children and lines on the terminal.
#include "framework/app/study_runner.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "framework/app/format.h"
#include "framework/app/last_words.h"
#include "framework/app/study/halving.h"
#include "framework/app/study/plan.h"
#include "framework/app/study_results.h"
#include "framework/base/utf8.h"

namespace strata::app {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kLockPatience = 5'000;  // ms, for the children of a killed process to be gone

std::string target_text(const std::optional<double>& target) {
  return target ? fmt::format("{}", *target) : std::string("none");
}

}  // namespace

int StudyCall::jobs_for(std::size_t runs) const {
  const int wanted = jobs > 0 ? jobs : cores;
  return std::max(1, std::min(wanted, static_cast<int>(std::min<std::size_t>(runs, 1024))));
}

RunOfFile StudyCall::task(const StudyRecord& study, const RunRecord& run) const {
  RunOfFile task;
  task.file = file;
  task.text = text;
  task.overrides = overrides_of(study, run);
  task.registry = registry;
  return task;
}

// ---- the lock and the rows ----

StudyLock::StudyLock(const AskedStudy& asked) {
  std::error_code failed;
  fs::create_directories(asked.folder, failed);
  file_ = ::open(asked.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file_ < 0) {
    throw Failure{make_error(ExitCode::kData, "cannot make the folder `{}`: {}",
                             safe_text(asked.folder),
                             failed ? failed.message() : std::strerror(errno))};
  }
  for (int waited = 0; ::flock(file_, LOCK_EX | LOCK_NB) != 0; waited += 50) {
    if (errno != EWOULDBLOCK) return;  // a file system without locks
    if (waited >= kLockPatience) {
      ::close(file_);
      throw Failure{make_error(ExitCode::kUsage, "another process is running the study `{}`",
                               asked.record.name)};
    }
    ::usleep(50'000);
  }
}

StudyLock::~StudyLock() { ::close(file_); }

std::vector<RunRecord> begin_or_resume(const StudyCall& call, const AskedStudy& asked, bool resume,
                                       StudyDatabase& database, StudyRecord& record) {
  const auto known = database.find(record.model, record.name);
  if (!known) {
    std::error_code ignored;
    if (!fs::is_empty(asked.folder, ignored)) {
      throw Failure{Error{ExitCode::kUsage,
                          fmt::format("`{}` holds runs, and {} knows none of them",
                                      safe_text(asked.folder), safe_text(database.path())),
                          "move that folder away, or name another place: --runs DIR"}};
    }
    std::vector<RunRecord> runs = asked.planned;
    database.add(record, runs);
    return runs;
  }
  if (!resume) {
    throw Failure{
        Error{ExitCode::kUsage,
              fmt::format("the study `{}` has been run here before: {}", record.name,
                          state_text(database.runs(known->id))),
              "--resume goes on, --table shows what there is, --runs DIR begins anew elsewhere"}};
  }
  const auto changed = [&](const std::string& what) {
    throw Failure{Error{ExitCode::kUsage, fmt::format("the study `{}` {}", record.name, what),
                        "give it another name, or begin anew in another folder: --runs DIR"}};
  };
  if (known->paths != record.paths) {
    changed(fmt::format("varied {} when it began, and now {}", fmt::join(known->paths, ", "),
                        fmt::join(record.paths, ", ")));
  }
  if (known->target != record.target) {
    changed(fmt::format("had the target {} when it began, and now {}", target_text(known->target),
                        target_text(record.target)));
  }
  if (halving_text(known->halving) != halving_text(record.halving)) {
    changed(fmt::format("had {} when it began, and now {}", halving_text(known->halving),
                        halving_text(record.halving)));
  }
  record.id = known->id;
  std::vector<RunRecord> runs = runs_to_resume(database, *known, *call.program, asked.planned);
  if (call.retry) {
    for (RunRecord& run : runs) {
      if (run.status == kFailed) run.status = kInterrupted;
    }
  }
  return runs;
}

// ---- what is to do ----

void StudyRunner::go() {
  while (!*call_.stop) {
    std::vector<Task> queue = to_do();
    if (call_.max_runs >= 0) {
      const auto left = static_cast<std::size_t>(call_.max_runs - begun_);
      if (queue.size() > left) queue.resize(left);
    }
    if (queue.empty()) {
      if (begun_ == 0 && call_.max_runs != 0) train(queue);  // says that there is nothing
      if (record_.halving && to_do().empty()) stop_the_rest();
      return;
    }
    begun_ += static_cast<std::int64_t>(queue.size());
    train(queue);
    if (!record_.halving) return;
  }
}

std::vector<StudyRunner::Task> StudyRunner::to_do() {
  std::vector<Task> tasks;
  if (!record_.halving) {
    for (RunRecord& run : runs_) {
      if (run.to_do()) tasks.push_back({&run, 0});
    }
    return tasks;
  }
  const std::int64_t epochs = *call_.program->train.epochs;
  const std::vector<std::int64_t> goals =
      halving_goals(*record_.halving, epochs, runs_, [&](const RunRecord& run, std::int64_t epoch) {
        return database_.figure_at(run.id, epoch, record_.halving->figure);
      });
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    RunRecord& run = runs_[i];
    const bool may_go_on = run.to_do() || run.status == kStopped;
    const bool further =
        run.epochs < goals[i] || run.status == kRunning || run.status == kInterrupted;
    if (!may_go_on || !further) continue;
    tasks.push_back({&run, goals[i] < epochs ? goals[i] : 0});
  }
  return tasks;
}

// With halving: runs that wait behind their rung have been passed by others.
void StudyRunner::stop_the_rest() {
  std::vector<RunRecord*> rest;
  for (RunRecord& run : runs_)
    if (run.status == kPaused) rest.push_back(&run);
  std::size_t next = 0;
  ChildWatcher watcher;
  watcher.next = [&]() -> std::optional<ChildTask> {
    if (next == rest.size()) return std::nullopt;
    const auto place = static_cast<std::int64_t>(next);
    return ChildTask{place, [folder = rest[next++]->folder](int, const auto&) {
                       note_stopped(folder);
                       return std::string();
                     }};
  };
  watcher.ended = [&](std::int64_t place, const ChildEnd&) {
    RunRecord& run = *rest[static_cast<std::size_t>(place)];
    run.status = kStopped;
    database_.set_status(run);
  };
  run_children(call_.jobs_for(rest.size()), call_.cores, call_.stop, watcher);
}

// ---- running ----

void StudyRunner::train(const std::vector<Task>& queue) {
  const int at_once = call_.jobs_for(queue.size());
  const std::int64_t goal = queue.empty() ? 0 : queue[0].goal;
  console_.out(fmt::format("{} of {}: {}, {} at a time on {}{}\n", record_.name, record_.model,
                           counted(static_cast<std::int64_t>(queue.size()), "run"), at_once,
                           counted(call_.cores, "core"),
                           goal > 0 ? fmt::format(", up to epoch {}", goal) : ""));
  std::size_t next = 0;
  const auto begin = Clock::now();
  ended_ = 0;
  ChildWatcher watcher;
  watcher.next = [&]() -> std::optional<ChildTask> {
    if (next == queue.size()) return std::nullopt;
    return child_of(queue[next++]);
  };
  watcher.begun = &send_last_words_to;
  watcher.said = [&](std::int64_t id, const std::string& line) { epochs_[id] = line; };
  watcher.ended = [&](std::int64_t id, const ChildEnd& end) {
    const auto at = std::find_if(queue.begin(), queue.end(),
                                 [&](const Task& task) { return task.run->number == id; });
    note_end(*at->run, end);
  };
  watcher.idle = [&] {
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    draw_live(static_cast<std::int64_t>(queue.size()) - ended_,
              ended_ > 0 ? seconds / static_cast<double>(ended_) : -1);
  };
  run_children(at_once, call_.cores, call_.stop, watcher);
  erase_live();
}

ChildTask StudyRunner::child_of(const Task& task) {
  RunOfFile run = call_.task(record_, *task.run);
  run.folder = task.run->folder;
  run.begun = task.run->status != kPlanned;
  run.stop = call_.stop;
  run.pause_after = task.goal;
  run.reports = record_.reports;
  run.target = record_.target;
  run.memory = task.run->memory;
  task.run->status = kRunning;
  database_.set_status(*task.run);
  return {task.run->number, [run](int threads, const std::function<void(const std::string&)>& say) {
            return train_run(run, threads, say);
          }};
}

void StudyRunner::note_end(RunRecord& run, const ChildEnd& end) {
  epochs_.erase(run.number);
  if (!read_result(end.answer, run)) {
    run.status = *call_.stop ? kInterrupted : kFailed;
    run.message = end.last_words.empty() ? "the process ended by " + end.how : end.last_words;
  }
  if (run.status == kFailed) run.memory = std::max(run.memory, end.memory);
  database_.update(run, log_lines(run.folder));
  ++ended_;
  erase_live();
  console_.out(run_line(run));
}

// ---- lines ----

std::string StudyRunner::run_line(const RunRecord& run) const {
  const Paint paint = console_.paint();
  std::string line = fmt::format("{:>{}}/{}  {}", run.number, std::to_string(runs_.size()).size(),
                                 runs_.size(), safe_text(run_label(record_, run)));
  if (run.status == kDone || run.status == kPaused) {
    for (const std::string& name : reported_figures(record_, {run})) {
      if (name == "seconds") continue;
      const double* value = find_figure(run.last, name);
      if (value) line += fmt::format("  {} {}", figure_label(name), figure(name, *value));
    }
    return line + "  " + duration(run.seconds) + "\n";
  }
  const std::string what = run.status == kInterrupted ? run.status : paint.red(run.status);
  return line + "  " + what + (run.message.empty() ? "" : ": " + safe_text(run.message)) + "\n";
}

void StudyRunner::draw_live(std::int64_t left, double seconds_a_run) {
  if (!console_.live()) return;
  std::string line = fmt::format("{} done, {} to do", ended_, left);
  if (seconds_a_run >= 0)
    line += fmt::format(", about {} left", clock(seconds_a_run * static_cast<double>(left)));
  for (const auto& [id, epoch] : epochs_) {
    const std::string more = fmt::format("  run {} epoch {}", id, epoch);
    if (cells(line) + cells(more) < console_.width()) line += more;
  }
  if (line == drawn_) return;
  console_.out("\r\x1b[K" + line);
  drawn_ = line;
}

void StudyRunner::erase_live() {
  if (!drawn_.empty()) console_.out("\r\x1b[K");
  drawn_.clear();
}

}  // namespace strata::app
