// trainer study: the runs that a study section of a model file asks for, several at once, and what
// came of them.
#include <algorithm>
#include <boost/program_options/value_semantic.hpp>
#include <filesystem>

#include "framework/app/files.h"
#include "framework/app/format.h"
#include "framework/app/interrupt.h"
#include "framework/app/model_files.h"
#include "framework/app/study/database.h"
#include "framework/app/study/plan.h"
#include "framework/app/study_charts.h"
#include "framework/app/study_estimate.h"
#include "framework/app/study_results.h"
#include "framework/app/study_runner.h"
#include "framework/base/atomic_file.h"
#include "framework/base/utf8.h"
#include "framework/report/page.h"
#include "framework/runtime/input_pipeline.h"
#include "framework/tensor/parallel.h"

namespace strata::app {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

constexpr const char* kResults = "studies.sqlite";  // in the folder of --runs

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
  add("svg", po::value<std::string>()->value_name("DIR"),
      "draw the results so far: a file for each reported figure against each setting of numbers");
  add("runs", po::value<std::string>()->value_name("DIR"),
      "where run folders and studies.sqlite are; runs by default");
  add_strict_option(add);
}

class Studies {
 public:
  Studies(Invocation& invocation, const std::atomic<bool>& stop)
      : invocation_(invocation),
        console_(invocation.console()),
        runs_folder_(invocation.text("runs", "runs")) {
    call_.stop = &stop;
    call_.cores = available_threads();
  }

  ExitCode go() {
    check_flags();
    load();
    find_studies();
    if (invocation_.has("list")) return list();
    if (invocation_.has("dry-run")) return dry_run();
    if (prints_only()) return print_results();
    if (invocation_.has("resume")) check_begun();
    for (const AskedStudy& asked : asked_) {
      const ExitCode code = run_study(asked);
      if (code != ExitCode::kDone) return code;
    }
    return ExitCode::kDone;
  }

 private:
  const std::string& file() const { return invocation_.words[0]; }
  const Program& program() const { return loaded_->program; }
  std::string database_file() const { return runs_folder_ + "/" + kResults; }
  bool prints_only() const {
    return invocation_.has("table") || invocation_.has("csv") || invocation_.has("json") ||
           invocation_.has("svg");
  }

  void check_flags() {
    invocation_.expect_words(1, 2, "a model file");
    call_.jobs = static_cast<int>(invocation_.integer("jobs", 0, 1, 1024));
    call_.max_runs = invocation_.integer("max-runs", -1, 1);
    call_.retry = invocation_.has("retry");
    const char* modes[] = {"list", "dry-run", "table", "csv", "json", "svg", "resume"};
    const char* given = nullptr;
    for (const char* mode : modes) {
      if (!invocation_.has(mode)) continue;
      if (given) usage_failure(fmt::format("`--{}` and `--{}` exclude each other", given, mode));
      given = mode;
    }
    if (call_.retry && !invocation_.has("resume")) usage_failure("`--retry` goes with `--resume`");
    if (invocation_.has("svg") && invocation_.text("svg").empty())
      usage_failure("`--svg` needs a path, and got an empty one");
    if (runs_folder_.empty()) usage_failure("`--runs` needs a path, and got an empty one");
  }

  // The text is kept: runs that begin after the file was changed are still runs of this study.
  void load() {
    loaded_ = load_model(invocation_, file());
    std::error_code ignored;
    if (!fs::is_regular_file(file(), ignored)) {
      usage_failure("a study needs a file that is still there when it goes on",
                    "write the model to a file");
    }
    call_.file = file();
    call_.text = value_or_end(read_file(file()));
    call_.program = &program();
    call_.registry = &invocation_.registry();
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
      AskedStudy& asked = asked_.emplace_back();
      asked.study = &study;
      asked.folder = fmt::format("{}/{}.{}", runs_folder_, program().graph.name, study.name);
      asked.planned = plan_runs(study, invocation_.overrides, asked.folder);
      asked.record.model = program().graph.name;
      asked.record.name = study.name;
      asked.record.resolved = program().resolved;
      asked.record.overrides = invocation_.overrides;
      asked.record.paths = study_paths(study);
      asked.record.reports = study.reports;
      asked.record.target = study.settings.target;
      asked.record.halving = study.settings.halving;
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
    for (const AskedStudy& asked : asked_) {
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
    for (const AskedStudy& asked : asked_) {
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
      else if (invocation_.has("svg"))
        write_charts(*known, runs);
      else
        console_.out(titled_table(*known, runs));
    }
    return ExitCode::kDone;
  }

  // Beginning anew where nothing is to go on would hide a slip in --runs. Of several studies, those
  // after the one that was interrupted need not have begun.
  void check_begun() const {
    const auto database = present_database();
    const auto begun = [&](const AskedStudy& asked) {
      return database->find(asked.record.model, asked.record.name).has_value();
    };
    if (database && std::any_of(asked_.begin(), asked_.end(), begun)) return;
    const std::string what =
        asked_.size() > 1
            ? fmt::format("no study of {}", safe_text(file()))
            : fmt::format("the study `{}` of {}", asked_[0].record.name, safe_text(file()));
    const std::string near = nearest_runs_folder();
    throw Failure{Error{ExitCode::kData,
                        fmt::format("there is nothing to resume: {} has {}been run in `{}`", what,
                                    asked_.size() > 1 ? "" : "not ", safe_text(runs_folder_)),
                        near.empty() ? "leave `--resume` out to begin"
                                     : fmt::format("did you mean `--runs {}`?", safe_text(near))}};
  }

  // Beside --runs, with results of studies.
  std::string nearest_runs_folder() const {
    fs::path folder = fs::path(runs_folder_).lexically_normal();
    if (!folder.has_filename()) folder = folder.parent_path();  // "runs/"
    std::vector<std::string> names;
    std::error_code failed;
    for (fs::directory_iterator at(folder.has_parent_path() ? folder.parent_path() : ".", failed),
         end;
         !failed && at != end; at.increment(failed)) {
      std::error_code ignored;
      if (fs::is_regular_file(at->path() / kResults, ignored) &&
          at->path().filename() != folder.filename())
        names.push_back(at->path().filename().string());
    }
    const std::string near = nearest_name(folder.filename().string(), names);
    return near.empty() ? "" : (folder.parent_path() / near).string();
  }

  void write_charts(const StudyRecord& study, const std::vector<RunRecord>& runs) {
    const std::string folder = invocation_.text("svg");
    std::error_code failed;
    fs::create_directories(folder, failed);
    if (failed) {
      usage_failure(
          fmt::format("cannot make the folder `{}`: {}", safe_text(folder), failed.message()));
    }
    const std::vector<report::SvgFile> files = study_charts(study, runs, invocation_.has("best"));
    if (files.empty()) {
      throw Failure{Error{ExitCode::kUsage,
                          fmt::format("there is nothing to draw of the study `{}`", study.name),
                          "a chart needs a setting with three numbers, and runs that are done"}};
    }
    for (const report::SvgFile& file : files) {
      const std::string path = fmt::format("{}/{}-{}", folder, study.name, file.name);
      end_unless(write_output(path, file.text));
      console_.out(safe_text(path) + "\n");
    }
  }

  std::string titled_table(const StudyRecord& study, const std::vector<RunRecord>& runs) const {
    return fmt::format("{} of {}: {}; mean ± standard deviation over seeds, {} epoch\n\n{}\n",
                       study.name, study.model, state_text(runs),
                       invocation_.has("best") ? "best" : "last",
                       results_table(study, runs, invocation_.has("best")));
  }

  // ---- running ----

  // Reads the data once: children share its memory. Also says early that it is missing.
  void open_data() {
    if (data_) return;
    data_ = value_or_end(InputPipeline::open(program().data, program().train.precision,
                                             static_cast<std::uint64_t>(program().train.seed)));
  }

  ExitCode run_study(const AskedStudy& asked) {
    if (*call_.stop) return ExitCode::kInterrupted;
    open_data();
    const StudyLock lock(asked);
    StudyDatabase database(database_file());
    StudyRecord record = asked.record;
    std::vector<RunRecord> runs =
        begin_or_resume(call_, asked, invocation_.has("resume"), database, record);
    StudyRunner(call_, console_, database, record, runs).go();
    runs = database.runs(record.id);
    console_.out("\n" + titled_table(record, runs));
    const bool more =
        std::any_of(runs.begin(), runs.end(), [](const RunRecord& run) { return run.to_do(); });
    draw_page(asked.folder);
    if (more) console_.out(resume_command(record.name) + " goes on from here\n");
    return *call_.stop ? ExitCode::kInterrupted : ExitCode::kDone;
  }

  // The answer as a page. What keeps it from being drawn takes nothing from the results.
  void draw_page(const std::string& folder) {
    const std::string file = folder + "/report.html";
    auto runs = report::read_runs({folder});
    const Status written =
        runs ? write_output(file, report::draw_page(report::compare(std::move(*runs))))
             : Status(runs.error());
    if (written)
      console_.out(safe_text(file) + " shows it as a page\n");
    else
      console_.note("there is no page of it: " + written.error().message);
  }

  std::string resume_command(const std::string& study) const {
    std::string command =
        fmt::format("{} study {} {} --resume", program_name(), shell_quoted(file()), study);
    if (invocation_.has("runs")) command += " --runs " + shell_quoted(runs_folder_);
    for (const std::string& given : invocation_.overrides) command += " " + shell_quoted(given);
    return command;
  }

  ExitCode dry_run() {
    open_data();
    for (const AskedStudy& asked : asked_) {
      const std::vector<double> seconds = estimate_runs(call_, asked);
      if (*call_.stop) return ExitCode::kInterrupted;
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
      std::string halving;
      if (asked.record.halving) {
        const double share = halving_share(asked, *program().train.epochs);
        total *= share;
        halving = fmt::format(", {:.0f} % of their epochs", 100 * share);
      }
      const int at_once = call_.jobs_for(asked.planned.size());
      console_.out(fmt::format(
          "{}\n{} of {}: {}{}, {} at a time on {}: about {}\n\n",
          table(rows, 1 + static_cast<int>(asked.record.paths.size())), asked.record.name,
          asked.record.model, counted(static_cast<std::int64_t>(asked.planned.size()), "run"),
          halving, at_once, counted(call_.cores, "core"), duration(total / at_once)));
    }
    return ExitCode::kDone;
  }

  Invocation& invocation_;
  Console& console_;
  const std::string runs_folder_;
  StudyCall call_;
  std::unique_ptr<LoadedModel> loaded_;
  std::unique_ptr<InputPipeline> data_;
  std::vector<AskedStudy> asked_;
};

ExitCode run(Invocation& invocation) {
  const InterruptGuard interrupt("finishing the steps and saving");
  return Studies(invocation, interrupt.flag()).go();
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
        "deviation, and on a page,\n"
        "runs/MODEL.STUDY/report.html. Each run has a folder, runs/MODEL.STUDY/NUMBER, and the "
        "bits "
        "that it would have\n"
        "alone; all results are in runs/studies.sqlite.\n"
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
