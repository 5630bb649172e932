// The training loop. All that decides the next bits is in the executor's tensors and in Progress:
// the order of samples, dropout and augmentation are functions of (seed, epoch, step), so going on
// from a checkpoint needs no replay.
#include "framework/train/training.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "framework/base/atomic_file.h"
#include "framework/base/version.h"
#include "framework/train/checkpoint.h"
#include "framework/train/run_folder.h"
#include "framework/train/safetensors.h"
#include "framework/train/session.h"

namespace strata {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

constexpr double kReportEvery = 0.1;  // seconds

// What a run is made of, after everything was checked.
class Run {
 public:
  Run(const Program& program, const TrainOptions& options)
      : program_(program), options_(options), pool_(options.threads) {}

  Result<TrainOutcome> go() {
    Status ready = prepare();
    if (ready) ready = open_folder();
    if (!ready) return ready.error();
    begin_ = Clock::now();
    seconds_before_ = progress_.total_seconds;
    EndReport end;
    pool_.run([&] { end = loop(); });
    end.best = progress_.best;
    end.last = progress_.last;
    end.seconds = seconds_before_ + seconds_since(begin_);
    const std::string hash = hash_tensors(executor_->tensors());
    if (Status logged = log_->end(end, hash); !logged) warn(logged.error());
    for (Observer* observer : options_.observers) observer->on_end(end);
    if (unsaved_) return *unsaved_;
    return TrainOutcome{end, folder_->path(), hash};
  }

 private:
  // Opens the data, lays out the executor, loads starting weights: nothing is written yet.
  Status prepare() {
    if (!program_.has_train) return make_error(ExitCode::kModel, "the file has no `train` section");
    const TrainSettings& train = program_.train;
    auto pipeline =
        InputPipeline::open(program_.data, train.precision, static_cast<std::uint64_t>(train.seed));
    if (!pipeline) return pipeline.error();
    pipeline_ = std::move(*pipeline);
    const DataDescription& data = pipeline_->description();
    train_split_ = data.find_split("train");
    val_split_ = data.find_split("val");
    if (train_split_ < 0) return make_error(ExitCode::kData, "the data set has no split `train`");
    const std::int64_t samples = data.splits[static_cast<std::size_t>(train_split_)].samples;
    // A batch larger than the data is the data; with "drop" none is left, as check_batches says.
    plan_ = {samples,
             train.last_batch == LastBatch::kDrop ? train.batch_size
                                                  : std::min(train.batch_size, samples),
             train.last_batch};
    Status fits = check_batches();
    if (!fits) return fits;
    if (__builtin_mul_overflow(train.epochs.value_or(1), plan_.batches(), &total_steps_)) {
      total_steps_ = std::numeric_limits<std::int64_t>::max();  // trains until it is stopped
    }
    if (train.steps) total_steps_ = *train.steps;
    eval_batch_ = evaluation_batch(train.batch_size);
    auto executor = Executor::create(
        program_, std::max(plan_.largest(), val_split_ >= 0 ? eval_batch_ : 0), true);
    if (!executor) return executor.error();
    executor_ = std::move(*executor);
    progress_.seed = train.seed;
    progress_.figures = executor_->make_figures();
    if (!options_.resume.empty()) return restore();
    const Status filled = executor_->initialize(static_cast<std::uint64_t>(train.seed));
    if (!filled || options_.init_file.empty()) return filled;
    return load_weights(options_.init_file, *executor_);
  }

  // A batch that batch statistics cannot be made of would stop the run at the end of its first
  // epoch: say so now.
  Status check_batches() const {
    if (plan_.batches() == 0) {
      Error error = make_error(
          ExitCode::kModel, "no batch is left: {} samples, batch_size {} and last_batch \"drop\"",
          plan_.samples, plan_.batch_size);
      error.hint = "use a smaller batch_size, or last_batch = \"keep\"";
      return error;
    }
    const std::int64_t last = plan_.size(plan_.batches() - 1);
    if (last > 1 && plan_.size(0) > 1) return {};
    for (const GraphNode& node : program_.graph.nodes) {
      if (!node.plan.has(STRATA_BATCH_STATISTICS)) continue;
      Error error = make_error(
          ExitCode::kModel, "layer `{}` ({}) normalizes over the batch, and {} has one sample",
          node.path, node.layer->entry().name(),
          plan_.size(0) == 1 ? "every batch"
                             : fmt::format("the last batch of an epoch ({} samples, batch_size {})",
                                           plan_.samples, plan_.batch_size));
      error.hint = plan_.size(0) == 1
                       ? "use a batch_size of at least 2"
                       : "use last_batch = \"merge\" or \"drop\", or another batch_size";
      return error;
    }
    return {};
  }

  Status restore() {
    std::vector<std::string> damaged;
    auto path = find_checkpoint(options_.resume, &damaged);
    if (!path) return path.error();
    for (const std::string& message : damaged) {
      for (Observer* observer : options_.observers)
        observer->on_warning(message + "; the one before it is used");
    }
    auto checkpoint = read_checkpoint(*path, executor_->tensors());
    if (!checkpoint) return checkpoint.error();
    if (checkpoint->model_text != program_.resolved) {
      Error error = make_error(ExitCode::kModel,
                               "`{}` was trained from another model file or other settings", *path);
      error.hint = "resume without a file and overrides: the run's own model.model is used";
      return error;
    }
    const Figures& figures = checkpoint->progress.figures;
    bool fits = figures.loss_sums.size() == progress_.figures.loss_sums.size() &&
                figures.accumulators.size() == progress_.figures.accumulators.size() &&
                checkpoint->progress.epoch_step <= plan_.batches() &&
                checkpoint->progress.step <= total_steps_;
    for (std::size_t i = 0; fits && i < figures.accumulators.size(); ++i) {
      fits = figures.accumulators[i].size() == progress_.figures.accumulators[i].size();
    }
    if (!fits)
      return make_error(ExitCode::kData, "`{}` is damaged: its counters do not fit its model",
                        *path);
    progress_ = std::move(checkpoint->progress);
    resumed_from_ = *path;
    return {};
  }

  Status open_folder() {
    const bool resuming = !options_.resume.empty();
    if (resuming) {
      // The checkpoint lies in <run>/checkpoints/.
      std::string run = resumed_from_;
      for (int up = 0; up < 2; ++up) run = run.substr(0, run.find_last_of('/'));
      auto claimed = RunFolder::existing(run);
      if (!claimed) return claimed.error();
      folder_ = std::move(*claimed);
    } else {
      auto made = options_.run_folder.empty()
                      ? RunFolder::make(options_.runs_folder, program_.graph.name)
                      : RunFolder::make_exactly(options_.run_folder);
      if (!made) return made.error();
      folder_ = std::move(*made);
      const Status written = write_file_atomically(folder_->model_file(), program_.resolved);
      if (!written) return written;
    }
    auto log = MetricsLog::open(folder_->metrics_file(), resuming ? progress_.epoch : 1);
    if (!log) return log.error();
    log_ = std::move(*log);
    const DataDescription& data = pipeline_->description();
    RunFacts facts;
    facts.model = program_.graph.name;
    facts.parameters = program_.graph.parameter_count();
    facts.train_samples = plan_.samples;
    facts.val_samples =
        val_split_ < 0 ? 0 : data.splits[static_cast<std::size_t>(val_split_)].samples;
    facts.batch_size = plan_.batch_size;
    facts.steps_per_epoch = plan_.batches();
    facts.total_steps = total_steps_;
    facts.epochs = total_steps_ / plan_.batches() + (total_steps_ % plan_.batches() != 0);
    facts.seed = program_.train.seed;
    facts.threads = pool_.threads();
    facts.precision = program_.train.precision;
    facts.folder = folder_->path();
    facts.resumed_from = resumed_from_;
    facts.init_file = options_.init_file;
    facts.start_hash = hash_tensors(executor_->tensors());
    for (Observer* observer : options_.observers) observer->on_start(facts);
    return log_->start(facts, kVersion);
  }

  bool stopped() const {
    return (options_.stop && options_.stop->load(std::memory_order_relaxed)) ||
           (options_.stop_after > 0 && steps_here_ >= options_.stop_after);
  }

  EndReport loop() {
    EndReport end;
    end.status = "done";
    while (progress_.step < total_steps_) {
      Status done = epoch();
      if (done && interrupted_) {
        save(false);
        end.status = "interrupted";
        end.code = ExitCode::kInterrupted;
        return end;
      }
      if (!done) {
        end.status = done.error().code == ExitCode::kDiverged ? "diverged" : "failed";
        end.message = done.error().message;
        end.hint = done.error().hint;
        end.code = done.error().code;
        return end;
      }
    }
    return end;
  }

  // Trains to the end of an epoch (or of the run), validates, reports and saves. Sets interrupted_
  // where it was stopped.
  Status epoch() {
    const TrainSettings& train = program_.train;
    const auto order = pipeline_->training_order(train_split_, progress_.epoch, train.shuffle);
    const Clock::time_point begin = Clock::now();
    const double seconds_before = progress_.epoch_seconds;
    const std::int64_t samples_before = progress_.figures.samples;
    Clock::time_point reported = begin;
    double rate = 0;
    while (progress_.epoch_step < plan_.batches() && progress_.step < total_steps_) {
      if (stopped()) {
        progress_.epoch_seconds = seconds_before + seconds_since(begin);
        interrupted_ = true;
        return {};
      }
      const std::int64_t b = progress_.epoch_step;
      auto batch = pipeline_->read(train_split_, order.data() + plan_.begin(b), plan_.size(b), true,
                                   progress_.epoch);
      if (!batch) return batch.error();
      if (b + 1 < plan_.batches()) {
        pipeline_->read_ahead(train_split_, order.data() + plan_.begin(b + 1), plan_.size(b + 1),
                              true, progress_.epoch);
      }
      rate = learning_rate(progress_.step);
      const Executor::StepContext context{static_cast<std::uint64_t>(train.seed),
                                          progress_.step + 1, rate};
      const Status done = executor_->train_step(*batch, context, progress_.figures);
      if (!done) return done;
      ++progress_.step;
      ++progress_.epoch_step;
      ++steps_here_;
      if (seconds_since(reported) >= kReportEvery) {
        reported = Clock::now();
        report_step(static_cast<double>(progress_.figures.samples - samples_before) /
                    seconds_since(begin));
      }
    }
    progress_.epoch_seconds = seconds_before + seconds_since(begin);
    return finish_epoch(rate);
  }

  double learning_rate(std::int64_t step) const {
    const TrainSettings& train = program_.train;
    const OptionValue* option = train.optimizer->call().option("lr");
    const double base = option ? std::get<double>(option->data) : 0;
    if (!train.schedule) return base;
    return base * train.schedule->functions<strata_schedule>().factor(
                      train.schedule->raw(), step, total_steps_, plan_.batches());
  }

  void report_step(double rate) {
    if (options_.observers.empty()) return;
    StepReport report;
    report.step = progress_.step;
    report.epoch = progress_.epoch;
    report.epoch_step = progress_.epoch_step;
    if (auto named = name_figures(program_, progress_.figures, ""); named)
      report.figures = std::move(*named);
    report.samples_per_second = rate;
    for (Observer* observer : options_.observers) observer->on_step(report);
  }

  Status finish_epoch(double rate) {
    EpochReport report;
    report.epoch = progress_.epoch;
    report.step = progress_.step;
    report.learning_rate = rate;
    report.seconds = progress_.epoch_seconds;
    report.samples_per_second =
        static_cast<double>(progress_.figures.samples) / std::max(progress_.epoch_seconds, 1e-9);
    auto named = name_figures(program_, progress_.figures, "train.");
    if (!named) return named.error();
    report.figures = std::move(*named);
    if (val_split_ >= 0) {
      auto figures = evaluate_split(*executor_, *pipeline_, val_split_, eval_batch_,
                                    [&](std::int64_t done, std::int64_t of) {
                                      for (Observer* observer : options_.observers)
                                        observer->on_validation(done, of);
                                    });
      if (!figures) return figures.error();
      auto val = name_figures(program_, *figures, "val.");
      if (!val) return val.error();
      report.figures.insert(report.figures.end(), val->begin(), val->end());
    }
    report.best = !progress_.best || better(report, *progress_.best);
    if (report.best) progress_.best = report;
    progress_.last = report;
    ++progress_.epoch;
    progress_.epoch_step = 0;
    progress_.epoch_seconds = 0;
    progress_.figures = executor_->make_figures();
    if (Status logged = log_->epoch(report); !logged) warn(logged.error());
    for (Observer* observer : options_.observers) {
      const Status seen = observer->on_epoch(report);
      if (!seen) return seen;
    }
    save(report.best);
    return {};
  }

  // By the first metric on the validation split; the loss where there is none; the training split
  // where there is no other.
  bool better(const EpochReport& now, const EpochReport& before) const {
    const std::string prefix = val_split_ >= 0 ? "val." : "train.";
    std::string name = prefix + "loss";
    bool higher = false;
    if (!program_.train.metrics.empty() && !program_.train.metrics[0].plan.results.empty()) {
      name = prefix + program_.train.metrics[0].plan.results[0].name;
      higher = program_.train.metrics[0].plan.results[0].higher_is_better;
    }
    const auto value = [&](const EpochReport& report) {
      for (const auto& [key, x] : report.figures) {
        if (key == name) return x;
      }
      return std::nan("");
    };
    const double a = value(now), b = value(before);
    if (std::isnan(a)) return false;
    return std::isnan(b) || (higher ? a > b : a < b);
  }

  // A checkpoint that cannot be written does not stop training: the weights are safe in memory, and
  // the next one may work.
  void save(bool best) {
    progress_.total_seconds = seconds_before_ + seconds_since(begin_);
    const Status saved = write_checkpoint(folder_->checkpoints(), progress_, executor_->tensors(),
                                          program_.resolved, best);
    unsaved_.reset();
    if (!saved) {
      unsaved_ = saved.error();
      warn(saved.error());
    }
  }

  void warn(const Error& error) {
    for (Observer* observer : options_.observers) observer->on_warning(error.message);
  }

  const Program& program_;
  const TrainOptions& options_;
  ThreadPool pool_;
  std::unique_ptr<InputPipeline> pipeline_;
  std::unique_ptr<Executor> executor_;
  BatchPlan plan_;
  int train_split_ = -1, val_split_ = -1;
  std::int64_t total_steps_ = 0, eval_batch_ = 0;
  std::string resumed_from_;
  std::optional<RunFolder> folder_;
  std::optional<MetricsLog> log_;
  Progress progress_;
  Clock::time_point begin_;
  double seconds_before_ = 0;
  std::int64_t steps_here_ = 0;  // done by this call
  bool interrupted_ = false;
  std::optional<Error> unsaved_;  // why the newest checkpoint is missing
};

}  // namespace

Result<TrainOutcome> train(const Program& program, const TrainOptions& options) {
  return Run(program, options).go();
}

}  // namespace strata
