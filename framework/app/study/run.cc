// Training of one run and its result as JSON.
#include "framework/app/study/run.h"

#include <stdlib.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "framework/base/atomic_file.h"
#include "framework/base/diagnostic.h"
#include "framework/graph/figures.h"
#include "framework/graph/program.h"
#include "framework/report/page.h"
#include "framework/report/predictions.h"
#include "framework/train/checkpoint.h"
#include "framework/train/final_figures.h"
#include "framework/train/monitor.h"

namespace strata::app {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr const char* kLog = "/metrics.jsonl";  // in a run's folder
constexpr double kProbe = 0.3;                  // seconds of steps
constexpr std::int64_t kWarmUp = 3;             // steps that do not count
constexpr double kValidationCost = 1.0 / 3;     // of a sample, against one that is trained with

std::string as_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json figures_json(const NamedFigures& figures) {
  Json json = Json::array();
  for (const auto& [name, value] : figures)
    json.push_back({name, std::isfinite(value) ? Json(value) : Json(nullptr)});
  return json;
}

NamedFigures figures_of(const Json& json) {
  NamedFigures figures;
  for (const Json& one : json) {
    figures.emplace_back(one[0].get<std::string>(),
                         one[1].is_number() ? one[1].get<double>() : std::nan(""));
  }
  return figures;
}

// Of an epoch, and `further` ones of the whole run.
NamedFigures figures_of(const EpochReport& report, double seconds, const NamedFigures& further,
                        double memory) {
  NamedFigures figures = report.figures;
  figures.emplace_back("samples_per_second", report.samples_per_second);
  figures.emplace_back("seconds", seconds);
  figures.insert(figures.end(), further.begin(), further.end());
  figures.emplace_back(kPeakMemory, memory);
  return figures;
}

// Bytes, the most that this process has had.
double peak_memory() {
  struct rusage used {};
  return ::getrusage(RUSAGE_SELF, &used) == 0 ? 1024.0 * static_cast<double>(used.ru_maxrss) : 0;
}

// What no epoch of a log has.
bool is_of_whole_run(std::string_view figure) {
  return figure == kPeakMemory || needs_target(figure) || figure.starts_with(kInferenceFigure) ||
         figure.starts_with(kTrainingFigure) || figure.starts_with(kGapFigure);
}

// The run's own page, with what was measured of the whole run. Both are for readers; a study can do
// without them.
void write_page(const std::string& folder, const NamedFigures& last) {
  std::map<std::string, double> measured;
  for (const auto& [name, value] : last)
    if (is_of_whole_run(name)) measured[name] = value;
  if (!measured.empty()) (void)report::write_measured(folder, measured);
  (void)report::write_run_page(folder);
}

// The last line of a run's log, where it is an "end", says `status` and `reason` in place of its
// own: the run was stopped, and only the study knows why.
void rename_end(const std::string& folder, const char* status, const char* reason) {
  auto text = read_file(folder + kLog);
  if (!text.ok()) return;
  while (text->ends_with('\n')) text->pop_back();
  const std::size_t last = text->rfind('\n') + 1;  // 0 where there is one line
  Json event = Json::parse(text->substr(last), nullptr, false);
  if (!event.is_object() || event.value("event", "") != "end") return;
  event["status"] = status;
  event["reason"] = reason;
  text->replace(last, std::string::npos, as_text(event) + "\n");
  (void)write_file_atomically(folder + kLog, *text);
}

std::string failure(const std::string& message) {
  return as_text(Json{{"status", kFailed}, {"message", message}});
}

// The file with the run's overrides; nullopt where it is unsound, and why in `message`.
std::optional<Program> load(const RunOfFile& run, Sources& sources, std::string& message) {
  Diagnostics diagnostics;
  ElaborateOptions options;
  options.overrides = run.overrides;
  options.try_studies = false;  // this run is one of their values
  auto program = elaborate_text(run.file, run.text, *run.registry, sources, diagnostics, options);
  if (!program.ok()) {
    message = program.error().message;
  } else if (!*program) {
    for (const Diagnostic& one : diagnostics.all()) {
      if (one.severity == Severity::kError && message.empty())
        message = fmt::format("{} [{}]", one.message, one.code);
    }
  } else {
    return std::move(**program);
  }
  return std::nullopt;
}

// Says how far the run is, and stops it where it is to pause or the study is stopped.
class Epochs final : public Observer {
 public:
  Epochs(const RunOfFile& run, const std::function<void(const std::string&)>& say)
      : run_(run), say_(say) {
    look();
  }
  std::atomic<bool> stop{false};
  bool paused = false;
  bool reached = false;  // a kill came when it was to pause, and nobody noted that

  void on_start(const RunFacts& facts) override {
    epochs_ = facts.epochs;
    if (reached) paused = stop = true;
  }
  void on_update(std::int64_t) override { look(); }
  void on_validation(std::int64_t, std::int64_t) override { look(); }
  Status on_epoch(const EpochReport& report) override {
    say_(fmt::format("{}/{}", report.epoch, epochs_));
    if (run_.pause_after > 0 && report.epoch >= run_.pause_after) paused = stop = true;
    return {};
  }

 private:
  void look() {
    if (run_.stop && run_.stop->load()) stop = true;
  }

  const RunOfFile& run_;
  const std::function<void(const std::string&)>& say_;
  std::int64_t epochs_ = 0;
};

// When the monitored figure first reaches the target, by the run's log, which resumed runs share.
NamedFigures to_target(const Program& program, const RunOfFile& run) {
  NamedFigures found;
  if (!run.target) return found;
  const Monitor monitor(program, program.data.result().find_split("val") >= 0);
  double seconds = 0;
  for (const std::string& line : log_lines(run.folder)) {
    const Json event = Json::parse(line, nullptr, false);
    if (!event.is_object() || event.value("event", "") != "epoch") continue;
    if (event.contains("seconds") && event["seconds"].is_number())
      seconds += event["seconds"].get<double>();
    const auto figure = event.find(monitor.figure());
    if (figure == event.end() || !figure->is_number() ||
        !monitor.reaches(figure->get<double>(), *run.target)) {
      continue;
    }
    found.emplace_back(kEpochsToTarget, event.value("epoch", 0.0));
    found.emplace_back(kSecondsToTarget, seconds);
    break;
  }
  return found;
}

// Ends a run after a while and knows how long its steps took.
class Probe final : public Observer {
 public:
  std::atomic<bool> stop{false};

  void on_start(const RunFacts& facts) override { facts_ = facts; }
  void on_update(std::int64_t step) override {
    const auto now = Clock::now();
    if (step <= kWarmUp) {
      begin_ = now;
      first_ = step;
      return;
    }
    steps_ = step - first_;
    seconds_ = std::chrono::duration<double>(now - begin_).count();
    stop = seconds_ > kProbe;
  }

  double whole_run() const {
    if (steps_ == 0) return 0;
    const double step = seconds_ / static_cast<double>(steps_);
    const double sample = step / static_cast<double>(facts_.batch_size * facts_.accumulate);
    return step * static_cast<double>(facts_.total_steps) +
           kValidationCost * sample * static_cast<double>(facts_.val_samples * facts_.epochs);
  }

 private:
  RunFacts facts_;
  Clock::time_point begin_;
  std::int64_t first_ = 0, steps_ = 0;
  double seconds_ = 0;
};

}  // namespace

std::vector<std::string> log_lines(const std::string& folder) {
  std::vector<std::string> lines;
  const auto text = read_file(folder + kLog);
  if (!text.ok()) return lines;
  std::istringstream stream(*text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

namespace {

// Whether the checkpoint that a run goes on from stands where it is to pause.
bool stands_at_pause(const RunOfFile& run) {
  const auto path = find_checkpoint(run.folder);
  if (!path || run.pause_after == 0) return false;
  const auto checkpoint = open_checkpoint(*path);
  return checkpoint && checkpoint->progress.epoch_step == 0 &&
         checkpoint->progress.epoch > run.pause_after;
}

}  // namespace

std::string train_run(const RunOfFile& run, int threads,
                      const std::function<void(const std::string&)>& say) {
  Sources sources;
  std::string message;
  const std::optional<Program> program = load(run, sources, message);
  if (!program) return failure(message);
  TrainOptions options;
  options.threads = threads;
  Epochs epochs(run, say);
  options.stop = &epochs.stop;
  options.observers = {&epochs};
  if (run.begun && (find_checkpoint(run.folder).ok() || is_unstarted_run(run.folder))) {
    options.resume = run.folder;
    epochs.reached = stands_at_pause(run);
  } else {
    std::error_code ignored;
    if (run.begun) fs::remove_all(run.folder, ignored);  // killed before it had written anything
    options.run_folder = run.folder;
  }
  const Result<TrainOutcome> outcome = train(*program, options);
  if (!outcome.ok()) {
    const Error& error = outcome.error();
    if (error.code == ExitCode::kInterrupted) return as_text(Json{{"status", kInterrupted}});
    return failure(error.message);
  }
  const EndReport& end = outcome->end;
  const bool paused = epochs.paused && end.status == "interrupted";
  Json json = {{"status", paused ? kPaused : end.status},
               {"message", end.message},
               {"seconds", end.seconds},
               {"weights_sha256", outcome->weights_hash}};
  if (outcome->unsaved) json["message"] = outcome->unsaved->message;
  NamedFigures more;
  if (end.status == "done") {
    auto measured = final_figures(*program, run.folder, run.reports, threads);
    if (!measured) return failure(measured.error().message);
    more = std::move(*measured);
    const NamedFigures reached = to_target(*program, run);
    more.insert(more.end(), reached.begin(), reached.end());
  }
  const double memory = std::max(run.memory, peak_memory());
  json["memory"] = memory;
  NamedFigures last;
  if (end.last) {
    last = figures_of(*end.last, end.seconds, more, memory);
    json["epochs"] = end.last->epoch;
    json["last"] = figures_json(last);
  }
  if (end.best) {
    json["best_epoch"] = end.best->epoch;
    json["best"] =
        figures_json(figures_of(*end.best, end.seconds, to_target(*program, run), memory));
  }
  if (paused) rename_end(run.folder, kPaused, "paused by the halving");
  if (!outcome->unsaved) write_page(run.folder, last);
  return as_text(json);
}

void note_stopped(const std::string& folder) {
  rename_end(folder, kStopped, "stopped early by the halving");
  (void)report::write_run_page(folder);
}

bool read_result(const std::string& text, RunRecord& run) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return false;
  run.status = json.value("status", kFailed);
  run.message = json.value("message", "");
  run.seconds = json.value("seconds", 0.0);
  run.memory = std::max(run.memory, json.value("memory", 0.0));
  run.weights_sha256 = json.value("weights_sha256", "");
  run.epochs = json.value("epochs", std::int64_t{0});
  run.best_epoch = json.value("best_epoch", std::int64_t{0});
  if (json.contains("last")) run.last = figures_of(json["last"]);
  if (json.contains("best")) run.best = figures_of(json["best"]);
  return true;
}

std::string probe_run(const RunOfFile& run, int threads) {
  Sources sources;
  std::string message;
  const std::optional<Program> program = load(run, sources, message);
  std::error_code failed;
  std::string folder = (fs::temp_directory_path(failed) / "strata-probe-XXXXXX").string();
  if (!program || failed || !::mkdtemp(folder.data())) return {};
  Probe probe;
  TrainOptions options;
  options.threads = threads;
  options.run_folder = folder;
  options.stop = &probe.stop;
  options.observers = {&probe};
  const bool sound = train(*program, options).ok();
  fs::remove_all(folder, failed);
  return sound ? fmt::format("{}", probe.whole_run()) : "";
}

}  // namespace strata::app
