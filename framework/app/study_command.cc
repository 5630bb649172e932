// trainer study: the runs that a study section of a model file asks for, several at once, and what
// came of them.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/program_options/value_semantic.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <sstream>

#include "framework/app/format.h"
#include "framework/app/interrupt.h"
#include "framework/app/last_words.h"
#include "framework/app/model_files.h"
#include "framework/app/study/children.h"
#include "framework/app/study/database.h"
#include "framework/app/study/plan.h"
#include "framework/app/study/run.h"
#include "framework/app/study_results.h"
#include "framework/base/atomic_file.h"
#include "framework/base/utf8.h"
#include "framework/runtime/input_pipeline.h"
#include "framework/tensor/parallel.h"

namespace strata::app {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kProbes = 24;   // combinations whose time is measured; others have the mean
constexpr int kLockPatience = 5'000;  // ms, for the children of a killed process to be gone

void options(po::options_description_easy_init add) {
  add("jobs,j", po::value<std::string>()->value_name("N"),
      "how many runs at once, which share the cores; one a core by default");
  add("resume", po::bool_switch(), "go on with a study that was interrupted, or has new values");
  add("retry", po::bool_switch(), "with --resume: runs that failed begin again");
  add("max-runs", po::value<std::string>()->value_name("N"),
      "begin at most so many runs this time");
  add("dry-run", po::bool_switch(), "list the runs and how long they would take, and run none");
  add("list", po::bool_switch(), "list the studies of the file and how far they are");
  add("table", po::bool_switch(), "print the results so far");
  add("csv", po::bool_switch(), "print the results so far as CSV, a line a run");
  add_json_option(add);
  add("best", po::bool_switch(), "tables show the best epoch of each run, not its last");
  add("runs", po::value<std::string>()->value_name("DIR"),
      "where run folders and studies.sqlite are; runs by default");
  add_strict_option(add);
}

// A study of the file, with what the commands need of it.
struct Asked {
  const Study* study = nullptr;
  StudyRecord record;
  std::vector<RunRecord> planned;
  std::string folder;  // of its runs
};

class StudyCall {
 public:
  StudyCall(Invocation& invocation, const std::atomic<bool>& stop)
      : invocation_(invocation),
        console_(invocation.console()),
        stop_(stop),
        runs_folder_(invocation.text("runs", "runs")),
        cores_(available_threads()) {}

  ExitCode go() {
    check_flags();
    loaded_ = load_model(invocation_, file());
    find_studies();
    if (invocation_.has("list")) return list();
    if (invocation_.has("dry-run")) return dry_run();
    if (prints_only()) return print_results();
    for (const Asked& asked : asked_) {
      const ExitCode code = run_study(asked);
      if (code != ExitCode::kDone) return code;
    }
    return ExitCode::kDone;
  }

 private:
  const std::string& file() const { return invocation_.words[0]; }
  const Program& program() const { return loaded_->program; }
  std::string database_file() const { return runs_folder_ + "/studies.sqlite"; }
  bool prints_only() const {
    return invocation_.has("table") || invocation_.has("csv") || invocation_.has("json");
  }

  void check_flags() {
    invocation_.expect_words(1, 2, "a model file");
    jobs_ = static_cast<int>(invocation_.integer("jobs", 0, 1, 1024));
    max_runs_ = invocation_.integer("max-runs", -1, 1);
    const char* modes[] = {"list", "dry-run", "table", "csv", "json", "resume"};
    const char* given = nullptr;
    for (const char* mode : modes) {
      if (!invocation_.has(mode)) continue;
      if (given) usage_failure(fmt::format("`--{}` and `--{}` exclude each other", given, mode));
      given = mode;
    }
    if (invocation_.has("retry") && !invocation_.has("resume"))
      usage_failure("`--retry` goes with `--resume`");
    if (runs_folder_.empty()) usage_failure("`--runs` needs a path, and got an empty one");
  }

  void find_studies() {
    std::vector<std::string> names;
    for (const Study& study : program().studies) names.push_back(study.name);
    if (names.empty()) {
      throw Failure{Error{ExitCode::kModel, fmt::format("{} has no study", safe_text(file())),
                          "add one: study batch_size { grid train.batch_size = [16, 64, 256] }"}};
    }
    const std::string wanted = invocation_.words.size() > 1 ? invocation_.words[1] : "";
    for (const Study& study : program().studies) {
      if (!wanted.empty() && study.name != wanted) continue;
      Asked& asked = asked_.emplace_back();
      asked.study = &study;
      asked.folder = fmt::format("{}/{}.{}", runs_folder_, program().graph.name, study.name);
      asked.planned = plan_runs(study, invocation_.overrides, asked.folder);
      asked.record.model = program().graph.name;
      asked.record.name = study.name;
      asked.record.resolved = program().resolved;
      asked.record.overrides = invocation_.overrides;
      asked.record.paths = study_paths(study);
      asked.record.reports = study.reports;
    }
    if (!asked_.empty()) return;
    const std::string near = nearest_name(wanted, names);
    usage_failure(fmt::format("{} has no study `{}`", safe_text(file()), safe_text(wanted)),
                  near.empty() ? fmt::format("it has {}", fmt::join(names, ", "))
                               : fmt::format("did you mean `{}`?", near));
  }

  // ---- what is there ----

  // Null where no study was run yet; asking makes no file.
  std::unique_ptr<StudyDatabase> present_database() const {
    std::error_code ignored;
    if (!fs::exists(database_file(), ignored)) return nullptr;
    return std::make_unique<StudyDatabase>(database_file());
  }

  ExitCode list() {
    const auto database = present_database();
    std::vector<std::vector<std::string>> rows = {{"study", "varies", "seeds", "runs", "state"}};
    for (const Asked& asked : asked_) {
      std::string state = "not begun";
      if (database) {
        const auto known = database->find(asked.record.model, asked.record.name);
        if (known) state = state_text(database->runs(known->id));
      }
      rows.push_back({asked.record.name, fmt::format("{}", fmt::join(asked.record.paths, ", ")),
                      grouped(static_cast<std::int64_t>(asked.study->seeds.size())),
                      grouped(static_cast<std::int64_t>(asked.planned.size())), state});
    }
    console_.out(table(rows, 5));
    return ExitCode::kDone;
  }

  ExitCode print_results() {
    const auto database = present_database();
    for (const Asked& asked : asked_) {
      const auto known =
          database ? database->find(asked.record.model, asked.record.name) : std::nullopt;
      if (!known) {
        throw Failure{Error{ExitCode::kUsage,
                            fmt::format("the study `{}` has no results in {}", asked.record.name,
                                        safe_text(runs_folder_)),
                            fmt::format("{} study {} {} runs it", program_name(),
                                        shell_quoted(file()), asked.record.name)}};
      }
      const std::vector<RunRecord> runs = database->runs(known->id);
      if (invocation_.has("csv"))
        console_.out(results_csv(*known, runs));
      else if (invocation_.has("json"))
        console_.out(results_json(*known, runs));
      else
        console_.out(titled_table(*known, runs));
    }
    return ExitCode::kDone;
  }

  std::string titled_table(const StudyRecord& study, const std::vector<RunRecord>& runs) const {
    return fmt::format("{} of {}: {}; mean ± standard deviation over seeds, {} epoch\n\n{}\n",
                       study.name, study.model, state_text(runs),
                       invocation_.has("best") ? "best" : "last",
                       results_table(study, runs, invocation_.has("best")));
  }

  // ---- running ----

  int jobs(std::size_t runs) const {
    const int wanted = jobs_ > 0 ? jobs_ : cores_;
    return std::max(1, std::min(wanted, static_cast<int>(std::min<std::size_t>(runs, 1024))));
  }

  // Reads the data once: children share its memory. Also says early that it is missing.
  void open_data() {
    if (data_) return;
    data_ = value_or_end(InputPipeline::open(program().data, program().train.precision,
                                             static_cast<std::uint64_t>(program().train.seed)));
  }

  // Held by this process and its children: two processes never run one study, and one that goes on
  // waits until the children of a killed one are gone.
  struct Lock {
    int file = -1;
    ~Lock() {
      if (file >= 0) ::close(file);
    }
  };
  void claim(const Asked& asked, Lock& lock) {
    std::error_code failed;
    fs::create_directories(asked.folder, failed);
    lock.file = ::open(asked.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock.file < 0) {
      throw Failure{make_error(ExitCode::kData, "cannot make the folder `{}`: {}",
                               safe_text(asked.folder),
                               failed ? failed.message() : std::strerror(errno))};
    }
    for (int waited = 0; ::flock(lock.file, LOCK_EX | LOCK_NB) != 0; waited += 50) {
      if (errno != EWOULDBLOCK) return;  // a file system without locks
      if (waited >= kLockPatience) {
        throw Failure{make_error(ExitCode::kUsage, "another process is running the study `{}`",
                                 asked.record.name)};
      }
      ::usleep(50'000);
    }
  }

  // The study's rows, begun or gone on with.
  std::vector<RunRecord> rows_of(const Asked& asked, StudyDatabase& database, StudyRecord& record) {
    const auto known = database.find(record.model, record.name);
    if (!known) {
      std::error_code ignored;
      if (!fs::is_empty(asked.folder, ignored)) {
        throw Failure{Error{ExitCode::kUsage,
                            fmt::format("`{}` holds runs, and {} knows none of them",
                                        safe_text(asked.folder), safe_text(database_file())),
                            "move that folder away, or name another place: --runs DIR"}};
      }
      std::vector<RunRecord> runs = asked.planned;
      database.add(record, runs);
      return runs;
    }
    if (!invocation_.has("resume")) {
      const std::vector<RunRecord> runs = database.runs(known->id);
      throw Failure{Error{
          ExitCode::kUsage,
          fmt::format("the study `{}` has been run here before: {}", record.name, state_text(runs)),
          "--resume goes on, --table shows what there is, --runs DIR begins anew elsewhere"}};
    }
    if (known->paths != record.paths) {
      throw Failure{
          Error{ExitCode::kUsage,
                fmt::format("the study `{}` varied {} when it began, and now {}", record.name,
                            fmt::join(known->paths, ", "), fmt::join(record.paths, ", ")),
                "give it another name, or begin anew in another folder: --runs DIR"}};
    }
    record.id = known->id;
    std::vector<RunRecord> runs = runs_to_resume(database, *known, program(), asked.planned);
    if (invocation_.has("retry")) {
      for (RunRecord& run : runs) {
        if (run.status == kFailed) run.status = kInterrupted;
      }
    }
    return runs;
  }

  ExitCode run_study(const Asked& asked) {
    if (stop_) return ExitCode::kInterrupted;
    open_data();
    Lock lock;
    claim(asked, lock);
    StudyDatabase database(database_file());
    StudyRecord record = asked.record;
    std::vector<RunRecord> runs = rows_of(asked, database, record);
    train_all(record, runs, database);
    runs = database.runs(record.id);
    console_.out("\n" + titled_table(record, runs));
    const bool more =
        std::any_of(runs.begin(), runs.end(), [](const RunRecord& run) { return run.to_do(); });
    if (more) console_.out(resume_command(record.name) + " goes on from here\n");
    return stop_ ? ExitCode::kInterrupted : ExitCode::kDone;
  }

  std::string resume_command(const std::string& study) const {
    std::string command =
        fmt::format("{} study {} {} --resume", program_name(), shell_quoted(file()), study);
    if (invocation_.has("runs")) command += " --runs " + shell_quoted(runs_folder_);
    for (const std::string& given : invocation_.overrides) command += " " + shell_quoted(given);
    return command;
  }

  void train_all(const StudyRecord& record, std::vector<RunRecord>& runs, StudyDatabase& database) {
    std::vector<RunRecord*> queue;
    for (RunRecord& run : runs) {
      if (run.to_do()) queue.push_back(&run);
    }
    if (max_runs_ >= 0 && queue.size() > static_cast<std::size_t>(max_runs_))
      queue.resize(static_cast<std::size_t>(max_runs_));
    const int at_once = jobs(queue.size());
    console_.out(fmt::format("{} of {}: {}, {} at a time on {}\n", record.name, record.model,
                             counted(static_cast<std::int64_t>(queue.size()), "run"), at_once,
                             counted(cores_, "core")));
    std::size_t next = 0;
    std::map<std::int64_t, std::string> epochs;  // of running ones, "3/10"
    const auto begin = Clock::now();
    std::int64_t ended = 0;
    ChildWatcher watcher;
    watcher.next = [&]() -> std::optional<ChildTask> {
      if (next == queue.size()) return std::nullopt;
      RunRecord& run = *queue[next++];
      RunOfFile task{file(),
                     overrides_of(record, run),
                     run.folder,
                     run.status != kPlanned,
                     &invocation_.registry(),
                     &stop_};
      database.begin(run);
      return ChildTask{run.number,
                       [task](int threads, const std::function<void(const std::string&)>& say) {
                         return train_run(task, threads, say);
                       }};
    };
    watcher.begun = &send_last_words_to;
    watcher.said = [&](std::int64_t id, const std::string& line) { epochs[id] = line; };
    watcher.ended = [&](std::int64_t id, const ChildEnd& end) {
      epochs.erase(id);
      RunRecord& run = **std::find_if(queue.begin(), queue.end(),
                                      [&](const RunRecord* one) { return one->number == id; });
      run.memory = end.memory;
      if (!read_result(end.answer, run)) {
        run.status = stop_ ? kInterrupted : kFailed;
        run.message = end.last_words.empty() ? "the process ended by " + end.how : end.last_words;
      }
      database.update(run, log_of(run));
      ++ended;
      erase_live();
      console_.out(run_line(record, run, static_cast<std::int64_t>(runs.size())));
    };
    watcher.idle = [&] {
      const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      const auto left = static_cast<std::int64_t>(queue.size()) - ended;
      draw_live(epochs, ended, left, ended > 0 ? seconds / static_cast<double>(ended) : -1);
    };
    run_children(at_once, cores_, &stop_, watcher);
    erase_live();
  }

  std::vector<std::string> log_of(const RunRecord& run) const {
    std::vector<std::string> lines;
    const auto text = read_file(run.folder + "/metrics.jsonl");
    if (!text.ok()) return lines;
    std::istringstream stream(*text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }

  std::string run_line(const StudyRecord& record, const RunRecord& run, std::int64_t all) const {
    const Paint paint = console_.paint();
    std::string line = fmt::format("{:>{}}/{}  {}", run.number, std::to_string(all).size(), all,
                                   safe_text(run_label(record, run)));
    if (run.status == kDone) {
      for (const std::string& name : reported_figures(record, {run})) {
        if (name == "seconds") continue;
        const double* value = find_figure(run.last, name);
        if (value) line += fmt::format("  {} {}", figure_label(name), figure(name, *value));
      }
      return line + "  " + duration(run.seconds) + "\n";
    }
    const std::string what = run.status == kInterrupted ? run.status : paint.red(run.status);
    return line + "  " + what + (run.message.empty() ? "" : ": " + safe_text(run.message)) + "\n";
  }

  void draw_live(const std::map<std::int64_t, std::string>& epochs, std::int64_t ended,
                 std::int64_t left, double seconds_a_run) {
    if (!console_.live()) return;
    std::string line = fmt::format("{} done, {} to do", ended, left);
    if (seconds_a_run >= 0)
      line += fmt::format(", about {} left", clock(seconds_a_run * static_cast<double>(left)));
    for (const auto& [id, epoch] : epochs) {
      const std::string more = fmt::format("  run {} epoch {}", id, epoch);
      if (cells(line) + cells(more) < console_.width()) line += more;
    }
    if (line == drawn_) return;
    console_.out("\r\x1b[K" + line);
    drawn_ = line;
  }
  void erase_live() {
    if (!drawn_.empty()) console_.out("\r\x1b[K");
    drawn_.clear();
  }

  // ---- dry run ----

  ExitCode dry_run() {
    open_data();
    for (const Asked& asked : asked_) {
      std::vector<double> seconds = estimates(asked);
      if (stop_) return ExitCode::kInterrupted;
      std::vector<std::vector<std::string>> rows = {{"run"}};
      rows[0].insert(rows[0].end(), asked.record.paths.begin(), asked.record.paths.end());
      rows[0].insert(rows[0].end(), {"seed", "about"});
      double total = 0;
      for (std::size_t i = 0; i < asked.planned.size(); ++i) {
        const RunRecord& run = asked.planned[i];
        std::vector<std::string>& row = rows.emplace_back();
        row.push_back(std::to_string(run.number));
        row.insert(row.end(), run.values.begin(), run.values.end());
        row.push_back(std::to_string(run.seed));
        row.push_back(seconds[i] < 0 ? "does not run" : duration(seconds[i]));
        total += std::max(0.0, seconds[i]);
      }
      const int at_once = jobs(asked.planned.size());
      console_.out(fmt::format("{}\n{} of {}: {}, {} at a time on {}: about {}\n\n",
                               table(rows, 1 + static_cast<int>(asked.record.paths.size())),
                               asked.record.name, asked.record.model,
                               counted(static_cast<std::int64_t>(asked.planned.size()), "run"),
                               at_once, counted(cores_, "core"), duration(total / at_once)));
    }
    return ExitCode::kDone;
  }

  // Seconds of each planned run, from a short probe of each combination, or of some where there are
  // many; negative for those that do not run.
  std::vector<double> estimates(const Asked& asked) {
    const std::vector<Combination> all = combinations(asked.planned);
    std::vector<double> of_combination(all.size(), -2);
    const std::size_t stride = (all.size() + kProbes - 1) / kProbes;
    std::size_t next = 0;
    ChildWatcher watcher;
    watcher.next = [&]() -> std::optional<ChildTask> {
      if (next >= all.size()) return std::nullopt;
      const std::size_t index = next;
      next += stride;
      const RunOfFile task{file(), overrides_of(asked.record, *all[index].runs[0]), "", false,
                           &invocation_.registry()};
      return ChildTask{static_cast<std::int64_t>(index),
                       [task](int threads, const auto&) { return probe_run(task, threads); }};
    };
    watcher.ended = [&](std::int64_t id, const ChildEnd& end) {
      of_combination[static_cast<std::size_t>(id)] =
          end.answer.empty() ? -1 : std::strtod(end.answer.c_str(), nullptr);
    };
    run_children(jobs(asked.planned.size()), cores_, &stop_, watcher);
    double sum = 0, count = 0;
    for (const double seconds : of_combination) {
      if (seconds < 0) continue;
      sum += seconds;
      ++count;
    }
    std::map<std::vector<std::string>, double> by_values;
    for (std::size_t i = 0; i < all.size(); ++i) {
      by_values[all[i].values] =
          of_combination[i] == -2 && count > 0 ? sum / count : of_combination[i];
    }
    std::vector<double> out;
    for (const RunRecord& run : asked.planned) out.push_back(by_values[run.values]);
    return out;
  }

  Invocation& invocation_;
  Console& console_;
  const std::atomic<bool>& stop_;
  const std::string runs_folder_;
  const int cores_;
  int jobs_ = 0;
  std::int64_t max_runs_ = -1;
  std::unique_ptr<LoadedModel> loaded_;
  std::unique_ptr<InputPipeline> data_;
  std::vector<Asked> asked_;
  std::string drawn_;  // the live line that stands on the screen
};

ExitCode run(Invocation& invocation) {
  const InterruptGuard interrupt("finishing the steps and saving");
  return StudyCall(invocation, interrupt.flag()).go();
}

}  // namespace

const Command kStudyCommand = {
    .name = "study",
    .summary = "run the experiments that a file describes",
    .usage = "FILE [STUDY] [path=value …]",
    .about =
        "Trains the model once for each combination of values and each seed that the file's "
        "STUDY asks for (all its\n"
        "studies without a name), several runs at once, and prints figures as mean ± standard "
        "deviation. Each run has a\n"
        "folder, runs/MODEL.STUDY/NUMBER, and the bits that it would have alone; all results are "
        "in "
        "runs/studies.sqlite.\n"
        "A run that diverges or fails is a result. Ctrl-C saves all that runs; --resume goes on, "
        "also after a kill, and\n"
        "takes values and seeds that were added to the file. --list, --dry-run, --table, --csv and "
        "--json run nothing.\n",
    .examples =
        "study models/batchnorm_study.model --list\n"
        "study models/batchnorm_study.model batch_size --dry-run\n"
        "study models/batchnorm_study.model batch_size -j 2 train.epochs=3\n"
        "study models/batchnorm_study.model batch_size --resume\n"
        "study models/batchnorm_study.model batch_size --table --best\n",
    .overrides = true,
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
