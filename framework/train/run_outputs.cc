// Folder, log and facts of a run.
#include "framework/train/run_outputs.h"

#include "framework/base/atomic_file.h"
#include "framework/base/version.h"
#include "framework/train/differences.h"
#include "framework/train/used_plugins.h"

namespace strata {
namespace {

void describe_facts(RunState& run) {
  const DataDescription& data = run.pipeline->description();
  run.facts.model = run.program.graph.name;
  run.facts.parameters = run.program.graph.parameter_count();
  run.facts.train_samples = run.plan.samples;
  run.facts.val_samples =
      run.val_split < 0 ? 0 : data.splits[static_cast<std::size_t>(run.val_split)].samples;
  run.facts.batch_size = run.plan.batch_size;
  run.facts.accumulate = run.program.train.accumulate;
  run.facts.steps_per_epoch = run.epoch_steps;
  run.facts.total_steps = run.total_steps;
  run.facts.epochs = run.total_steps / run.epoch_steps + (run.total_steps % run.epoch_steps != 0);
  run.facts.seed = run.program.train.seed;
  run.facts.threads = run.pool.threads();
  run.facts.precision = run.program.train.precision;
  run.facts.fuse = run.fuse;
  run.facts.plugins = used_plugins(run.program);
  run.facts.folder = run.folder ? run.folder->path() : run.run_folder;
  run.facts.resumed_from = run.resumed_from;
  run.facts.init_file = run.init_file;
  run.facts.start_hash = hash_tensors(run.executor->tensors());
  run.facts.data = run.data;
}

// Whether the run's model.model says something else, or nothing.
bool model_file_differs(const RunState& run) {
  const auto text = read_ordinary_file(run.folder->model_file());
  return !text || !differences(*text, run.program).empty();
}

Status begin_log(RunState& run, bool resuming) {
  if (!resuming || !run.facts.changes.empty() || run.resumed_from.empty() ||
      model_file_differs(run)) {
    const Status written = write_file_atomically(run.folder->model_file(), run.program.resolved);
    if (!written) return written;
  }
  auto log = MetricsLog::open(run.folder->metrics_file(), resuming ? run.progress.epoch : 1,
                              resuming ? run.progress.step : 0);
  if (!log) return log.error();
  run.log = std::move(*log);
  run.saver.emplace(*run.folder, *run.log, run.tensors, run.program.resolved,
                    [&run](bool warning, const std::string& message) {
                      warning ? run.warn(message) : run.note(message);
                    });
  describe_facts(run);
  const Status started = run.log->start(run.facts, kVersion);
  if (!started) return started;
  if (run.program.train.log == "tensorboard") {
    auto board = TensorBoardLog::open(run.folder->path() + "/tensorboard", run.progress.step + 1);
    if (!board) return board.error();
    run.board = std::move(*board);
  }
  for (Observer* observer : run.options.observers) observer->on_start(run.facts);
  return {};
}

// Event files are an extra: what cannot be written is said once, and training goes on.
void note_board(RunState& run, const Status& written) {
  if (written) return;
  run.warn(written.error().message + "; no more events are written");
  run.board.reset();
}

}  // namespace

Status open_outputs(RunState& run) {
  const bool resuming = !run.run_folder.empty();
  auto folder = resuming ? RunFolder::existing(run.run_folder)
                : run.options.run_folder.empty()
                    ? RunFolder::make(run.options.runs_folder, run.program.graph.name)
                    : RunFolder::make_exactly(run.options.run_folder);
  if (!folder) return folder.error();
  run.folder = std::move(*folder);
  remove_temporary_files(run.folder->path());
  const Status begun = begin_log(run, resuming);
  if (!begun && !resuming) run.folder->abandon();
  return begun;
}

Result<TrainOutcome> already_done(RunState& run) {
  TrainOutcome outcome;
  outcome.already_done = true;
  outcome.folder = run.run_folder;
  outcome.weights_hash = hash_tensors(run.executor->tensors());
  outcome.end.status = "done";
  outcome.end.seconds = run.progress.total_seconds;
  describe_end(run, outcome.end);
  const std::string log_file = run.run_folder + "/metrics.jsonl";
  if (read_log(log_file).status != "done") {
    auto claimed = RunFolder::existing(run.run_folder);
    if (!claimed) return claimed.error();
    remove_temporary_files(run.run_folder);
    auto log = MetricsLog::open(log_file, run.progress.last ? run.progress.last->epoch + 1 : 1,
                                run.progress.step);
    if (!log) return log.error();
    const Status logged = log->end(outcome.end, outcome.weights_hash);
    if (!logged) return logged.error();
  }
  describe_facts(run);
  outcome.facts = run.facts;
  outcome.checkpoint = run.resumed_from;
  return outcome;
}

void note_record(RunState& run, const StepRecord& record) {
  run.saver->note(run.log->step(record));
  if (run.board) note_board(run, run.board->step(record));
  for (Observer* observer : run.options.observers) observer->on_record(record);
}

void note_epoch(RunState& run, const EpochReport& report) {
  run.saver->note(run.log->epoch(report));
  if (run.board) note_board(run, run.board->epoch(report));
}

void write_validation(RunState& run) {
  if (!run.validation) return;
  const std::string path = run.folder->path() + "/predictions.json";
  if (!run.validation->has_best() && read_ordinary_file(path)) return;
  Status written;
  run.pool.run([&] { written = run.validation->write(path, *run.pipeline); });
  if (!written) run.warn(written.error().message);
}

void describe_end(const RunState& run, EndReport& end) {
  end.best = run.progress.best;
  end.last = run.progress.last;
  if (run.begin != std::chrono::steady_clock::time_point())
    end.seconds = run.seconds_before + seconds_since(run.begin);
  if (end.status == "done" && run.progress.step < run.total_steps)
    end.reason = run.monitor->why_enough(run.progress);
}

}  // namespace strata
