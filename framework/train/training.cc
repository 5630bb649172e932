// The training loop. All that decides the next bits is in the executor's tensors and in Progress:
// the order of samples, dropout and augmentation are functions of (seed, epoch, batch), so going on
// from a checkpoint needs no replay. Runs stop, save and resume between steps, never between the
// batches of one step, so that gradients that wait for an update are no part of the state.
#include "framework/train/training.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>

#include "framework/base/atomic_file.h"
#include "framework/base/version.h"
#include "framework/train/checkpoint.h"
#include "framework/train/data_identity.h"
#include "framework/train/differences.h"
#include "framework/train/monitor.h"
#include "framework/train/run_folder.h"
#include "framework/train/safetensors.h"
#include "framework/train/saver.h"
#include "framework/train/session.h"
#include "framework/train/used_plugins.h"

namespace strata {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

constexpr double kReportEvery = 0.1;       // seconds
constexpr std::size_t kLongestName = 255;  // of a folder, on the file systems in use

// What a run is made of, after everything was checked.
class Run {
 public:
  Run(const Program& program, const TrainOptions& options)
      : program_(program),
        options_(options),
        pool_(options.threads),
        init_file_(options.init_file),
        fuse_(options.fuse) {}

  Result<TrainOutcome> go() {
    Status ready = prepare();
    if (ready && stopped()) ready = stopped_early();
    if (!ready) return ready.error();
    TrainOutcome outcome;
    if (nothing_left()) return already_done();
    ready = open_folder();
    if (!ready) return ready.error();
    begin_ = saved_at_ = Clock::now();
    seconds_before_ = progress_.total_seconds;
    if (!facts_.changes.empty()) save(false);  // what is asked for now must survive a kill
    EndReport& end = outcome.end;
    pool_.run([&] { end = loop(); });
    if (end.status != "diverged") {
      progress_.total_seconds = seconds_before_ + seconds_since(begin_);
      outcome.unsaved = saver_->finish(progress_);
    }
    describe_end(end);
    if (outcome.unsaved) {
      end.status = "failed";
      end.code = outcome.unsaved->code;
      end.message = outcome.unsaved->message;
      end.hint = outcome.unsaved->hint;
    }
    outcome.folder = folder_->path();
    outcome.facts = facts_;
    outcome.checkpoint = saver_->newest().empty() ? resumed_from_ : saver_->newest();
    outcome.weights_hash = hash_tensors(executor_->tensors());
    saver_->note(log_->end(end, outcome.weights_hash));
    for (Observer* observer : options_.observers) observer->on_end(end);
    return outcome;
  }

 private:
  // Opens the data, lays out the executor, loads starting weights: nothing is written yet.
  Status prepare() {
    if (!program_.has_train) return make_error(ExitCode::kModel, "the file has no `train` section");
    Status fits = check_name();
    if (!fits) return fits;
    const TrainSettings& train = program_.train;
    auto pipeline =
        InputPipeline::open(program_.data, train.precision, static_cast<std::uint64_t>(train.seed));
    if (!pipeline) return pipeline.error();
    pipeline_ = std::move(*pipeline);
    const DataDescription& data = pipeline_->description();
    train_split_ = data.find_split("train");
    val_split_ = data.find_split("val");
    if (train_split_ < 0) return make_error(ExitCode::kData, "the data set has no split `train`");
    monitor_.emplace(program_, val_split_ >= 0);
    const std::int64_t samples = data.splits[static_cast<std::size_t>(train_split_)].samples;
    // A batch larger than the data is the data; with "drop" none is left, as check_batches says.
    plan_ = {samples,
             train.last_batch == LastBatch::kDrop ? train.batch_size
                                                  : std::min(train.batch_size, samples),
             train.last_batch};
    fits = check_batches();
    if (!fits) return fits;
    epoch_steps_ = plan_.batches() / train.accumulate + (plan_.batches() % train.accumulate != 0);
    if (train.steps) {
      total_steps_ = *train.steps;
    } else {
      total_steps_ = steps_of(train.epochs.value_or(1));
    }
    eval_batch_ = evaluation_batch(train.batch_size);
    std::optional<Checkpoint> checkpoint;
    if (!options_.resume.empty()) {
      Status found = find_resumed(checkpoint);
      if (!found) return found;
    }
    auto executor =
        Executor::create(program_, std::max(plan_.largest(), val_split_ >= 0 ? eval_batch_ : 0),
                         true, {.fuse = fuse_});
    if (!executor) return executor.error();
    executor_ = std::move(*executor);
    progress_.figures = executor_->make_figures();
    if (!checkpoint || checkpoint->progress.data.empty()) {
      Result<DataIdentity> identity = DataIdentity();
      pool_.run([&] { identity = identify_data(program_, pipeline_->description()); });
      if (!identity) return identity.error();
      data_ = std::move(*identity);
    } else {
      data_ = checkpoint->progress.data;
    }
    if (checkpoint) return restore(*checkpoint);
    progress_.seed = train.seed;
    progress_.fuse = fuse_;
    progress_.plugins = used_plugins(program_);
    progress_.data = data_;
    return start();
  }

  // Steps of so many epochs; of more than can be counted, as many as there are numbers: such a run
  // trains until it is stopped.
  std::int64_t steps_of(std::int64_t epochs) const {
    std::int64_t steps = 0;
    return __builtin_mul_overflow(epochs, epoch_steps_, &steps)
               ? std::numeric_limits<std::int64_t>::max()
               : steps;
  }

  Status check_name() const {
    const std::string& name = program_.graph.name;
    if (!options_.resume.empty() || !options_.run_folder.empty() || name.size() <= kLongestName)
      return {};
    Error error = make_error(ExitCode::kModel,
                             "the model's name has {} characters, and its run folder's may have {}",
                             name.size(), kLongestName);
    error.hint = "give the model a shorter name, or name a folder for the run: --run DIR";
    return error;
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

  // Starting weights, by the initializers or from a file.
  Status start() {
    const Status filled = executor_->initialize(static_cast<std::uint64_t>(program_.train.seed));
    if (!filled || init_file_.empty()) return filled;
    const Status loaded = load_weights(init_file_, *executor_);
    if (!loaded) return loaded;
    // Averages begin at the weights.
    const std::vector<NamedTensor>& tensors = executor_->tensors();
    for (const NamedTensor& average : tensors) {
      if (average.role != TensorRole::kAverage) continue;
      for (const NamedTensor& weight : tensors) {
        if (average.name == weight.name + "/ema")
          std::memcpy(average.data, weight.data, static_cast<std::size_t>(weight.bytes()));
      }
    }
    if (expected_start_.empty() || expected_start_ == hash_tensors(tensors)) return {};
    Error error = make_error(ExitCode::kData,
                             "the run began with other weights than `{}` holds now", init_file_);
    error.hint = "start a new run";
    return error;
  }

  // The checkpoint to go on from, or none where the run ended before its first one and begins
  // again.
  Status find_resumed(std::optional<Checkpoint>& checkpoint) {
    std::vector<std::string> damaged;
    auto path = find_checkpoint(options_.resume, &damaged);
    if (!path && is_unstarted_run(options_.resume)) {
      run_folder_ = options_.resume;
      const LogFacts log = read_log(run_folder_ + "/metrics.jsonl");
      init_file_ = log.init_file;
      expected_start_ = log.init_file.empty() ? "" : log.start_hash;
      note(fmt::format("`{}` has no checkpoint yet: it begins again", options_.resume));
      return {};
    }
    if (!path) return path.error();
    for (const std::string& message : damaged) warn(message + "; the one before it is used");
    if (*path != options_.resume && path->ends_with("/best.safetensors")) {
      warn(fmt::format("`{}` has no checkpoint of a step: it goes on from the best epoch's",
                       options_.resume));
    }
    auto run_folder = run_folder_of(*path);
    if (!run_folder) return run_folder.error();
    run_folder_ = std::move(*run_folder);
    auto opened = open_checkpoint(*path);
    if (!opened) return opened.error();
    checkpoint = std::move(*opened);
    resumed_from_ = *path;
    if (!options_.fuse && checkpoint->progress.fuse) {
      Error error =
          make_error(ExitCode::kUsage,
                     "`{}` was trained with fused layers: without them it would not go on "
                     "with the same bits",
                     run_folder_);
      error.hint = "leave --no-fuse out";
      return error;
    }
    fuse_ = checkpoint->progress.fuse;
    return check_changes(*checkpoint);
  }

  // What the file and overrides say now against what the run was trained with.
  Status check_changes(const Checkpoint& checkpoint) {
    const std::string& model = program_.graph.name;
    if (const std::string theirs = model_name(checkpoint.model_text);
        !theirs.empty() && theirs != model) {
      Error error = make_error(ExitCode::kModel, "`{}` is of the model `{}`, not of `{}`",
                               resumed_from_, theirs, model);
      error.hint =
          "put the run's own checkpoint in its place, or start a new run: --init " + resumed_from_;
      return error;
    }
    std::string refused;
    bool length = false;
    for (const Difference& difference : differences(checkpoint.model_text, program_)) {
      length = length || difference.setting == "epochs" || difference.setting == "steps";
      if (difference.allowed) {
        facts_.changes.push_back(difference.text);
      } else {
        refused += "\n  " + difference.text;
      }
    }
    if (!refused.empty()) {
      Error error = make_error(ExitCode::kModel, "`{}` cannot go on the same way with{}",
                               run_folder_, refused);
      error.hint = "resume without these changes, or start a new run from its weights: --init " +
                   run_folder_;
      return error;
    }
    const Status same_data = check_data(checkpoint.progress);
    if (!same_data) return same_data;
    const Progress& progress = checkpoint.progress;
    for (std::string& change : changed_plugins(progress.plugins, used_plugins(program_)))
      facts_.changes.push_back(std::move(change));
    if (length && progress.step > total_steps_) {
      return make_error(ExitCode::kModel, "`{}` has trained for {} steps already, and {} gives {}",
                        run_folder_, progress.step,
                        program_.train.steps
                            ? fmt::format("train.steps={}", *program_.train.steps)
                            : fmt::format("train.epochs={}", program_.train.epochs.value_or(0)),
                        total_steps_);
    }
    if (length && program_.train.schedule) check_schedule(checkpoint);
    return {};
  }

  // What the model in a resolved text is called.
  static std::string model_name(const std::string& text) {
    constexpr std::string_view kWord = "\nmodel ";
    const std::string lines = "\n" + text;
    std::size_t at = lines.find(kWord);
    if (at == std::string::npos) return {};
    at += kWord.size();
    return lines.substr(at, lines.find_first_of(" (", at) - at);
  }

  // Samples by their number and a checksum.
  Status check_data(const Progress& progress) {
    if (progress.data.empty()) return {};
    Result<std::vector<std::string>> found = std::vector<std::string>();
    pool_.run([&] { found = data_differences(progress.data, program_, pipeline_->description()); });
    if (!found) return found.error();
    if (found->empty()) return {};
    std::string lines;
    for (const std::string& line : *found) lines += "\n  " + line;
    Error error =
        make_error(ExitCode::kData, "`{}` cannot go on the same way with{}", run_folder_, lines);
    error.hint = "give it the data it began with, or start a new run from its weights: --init " +
                 run_folder_;
    return error;
  }

  // A schedule that is laid out over the whole run would have gone another way.
  void check_schedule(const Checkpoint& checkpoint) {
    const auto log = [&](const char* key) -> std::int64_t {
      const std::size_t at = checkpoint.model_text.rfind(fmt::format("\n  {} ", key));
      if (at == std::string::npos) return 0;
      const std::size_t equals = checkpoint.model_text.find('=', at);
      return std::strtoll(checkpoint.model_text.c_str() + equals + 1, nullptr, 10);
    };
    const std::int64_t before = log("steps") > 0 ? log("steps") : steps_of(log("epochs"));
    const std::int64_t done = checkpoint.progress.step;
    const std::int64_t stride = std::max<std::int64_t>(1, done / 1000);
    for (std::int64_t step = 0; step < done; step += stride) {
      if (learning_rate(step, before) == learning_rate(step, total_steps_)) continue;
      warn(
          fmt::format("the schedule `{}` is laid out over {} steps now and was over {}: a run of "
                      "this length from the start would have had other learning rates so far",
                      program_.train.schedule->entry().name(), total_steps_, before));
      return;
    }
  }

  Status restore(Checkpoint& checkpoint) {
    const Figures& figures = checkpoint.progress.figures;
    const std::int64_t before = checkpoint.progress.step - checkpoint.progress.epoch_step;
    if (checkpoint.progress.epoch_step >= epoch_steps_ || before % epoch_steps_ != 0 ||
        before / epoch_steps_ != checkpoint.progress.epoch - 1) {
      Error error = make_error(ExitCode::kData,
                               "`{}` does not fit these data: step {} of epoch {} is its step {}",
                               resumed_from_, checkpoint.progress.epoch_step,
                               checkpoint.progress.epoch, checkpoint.progress.step);
      error.hint = "give it the data it began with, or start a new run from its weights: --init " +
                   run_folder_;
      return error;
    }
    bool fits = figures.loss_sums.size() == progress_.figures.loss_sums.size() &&
                figures.accumulators.size() == progress_.figures.accumulators.size() &&
                checkpoint.progress.step <= total_steps_;
    for (std::size_t i = 0; fits && i < figures.accumulators.size(); ++i) {
      fits = figures.accumulators[i].size() == progress_.figures.accumulators[i].size();
    }
    if (!fits)
      return make_error(ExitCode::kData, "the counters in `{}` do not fit its model",
                        resumed_from_);
    const Status loaded = load_tensors(checkpoint.file, resumed_from_, executor_->tensors(), false);
    if (!loaded) return loaded;
    progress_ = std::move(checkpoint.progress);
    progress_.plugins = used_plugins(program_);
    progress_.data = data_;
    check_best();
    return {};
  }

  // The best epoch's checkpoint is made before the epoch's own; where it is older, a disk that was
  // full at that time lost it.
  void check_best() {
    if (!progress_.best) return;
    const std::string path = best_checkpoint(run_folder_ + "/checkpoints");
    const auto best = open_checkpoint(path);
    if (best && best->progress.step >= progress_.best->step) return;
    warn(fmt::format("`{}` does not hold the best epoch so far, {}", path, progress_.best->epoch));
  }

  bool nothing_left() const {
    return !resumed_from_.empty() &&
           (progress_.step >= total_steps_ || !monitor_->why_enough(progress_).empty());
  }

  // A finished run is resumed: what there is to say, and nothing is written, unless a kill came
  // between its last checkpoint and the last line of its log.
  Result<TrainOutcome> already_done() {
    TrainOutcome outcome;
    outcome.already_done = true;
    outcome.folder = run_folder_;
    outcome.weights_hash = hash_tensors(executor_->tensors());
    outcome.end.status = "done";
    outcome.end.seconds = progress_.total_seconds;
    describe_end(outcome.end);
    const std::string log_file = run_folder_ + "/metrics.jsonl";
    if (read_log(log_file).status != "done") {
      auto claimed = RunFolder::existing(run_folder_);
      if (!claimed) return claimed.error();
      remove_temporary_files(run_folder_);
      auto log = MetricsLog::open(log_file, progress_.last ? progress_.last->epoch + 1 : 1);
      if (!log) return log.error();
      const Status logged = log->end(outcome.end, outcome.weights_hash);
      if (!logged) return logged.error();
    }
    describe_facts();
    outcome.facts = facts_;
    outcome.checkpoint = resumed_from_;
    return outcome;
  }

  void describe_end(EndReport& end) const {
    end.best = progress_.best;
    end.last = progress_.last;
    if (begin_ != Clock::time_point()) end.seconds = seconds_before_ + seconds_since(begin_);
    if (end.status == "done" && progress_.step < total_steps_)
      end.reason = monitor_->why_enough(progress_);
  }

  void describe_facts() {
    const DataDescription& data = pipeline_->description();
    facts_.model = program_.graph.name;
    facts_.parameters = program_.graph.parameter_count();
    facts_.train_samples = plan_.samples;
    facts_.val_samples =
        val_split_ < 0 ? 0 : data.splits[static_cast<std::size_t>(val_split_)].samples;
    facts_.batch_size = plan_.batch_size;
    facts_.accumulate = program_.train.accumulate;
    facts_.steps_per_epoch = epoch_steps_;
    facts_.total_steps = total_steps_;
    facts_.epochs = total_steps_ / epoch_steps_ + (total_steps_ % epoch_steps_ != 0);
    facts_.seed = program_.train.seed;
    facts_.threads = pool_.threads();
    facts_.precision = program_.train.precision;
    facts_.fuse = fuse_;
    facts_.plugins = used_plugins(program_);
    facts_.folder = folder_ ? folder_->path() : run_folder_;
    facts_.resumed_from = resumed_from_;
    facts_.init_file = init_file_;
    facts_.start_hash = hash_tensors(executor_->tensors());
    facts_.data = data_;
  }

  // Whether the run's model.model says something else, or nothing.
  bool model_file_differs() const {
    const auto text = read_ordinary_file(folder_->model_file());
    return !text || !differences(*text, program_).empty();
  }

  Status open_folder() {
    const bool resuming = !run_folder_.empty();
    auto folder = resuming ? RunFolder::existing(run_folder_)
                  : options_.run_folder.empty()
                      ? RunFolder::make(options_.runs_folder, program_.graph.name)
                      : RunFolder::make_exactly(options_.run_folder);
    if (!folder) return folder.error();
    folder_ = std::move(*folder);
    remove_temporary_files(folder_->path());
    const Status begun = begin_log(resuming);
    if (!begun && !resuming) folder_->abandon();
    return begun;
  }

  Status begin_log(bool resuming) {
    if (!resuming || !facts_.changes.empty() || resumed_from_.empty() || model_file_differs()) {
      const Status written = write_file_atomically(folder_->model_file(), program_.resolved);
      if (!written) return written;
    }
    auto log = MetricsLog::open(folder_->metrics_file(), resuming ? progress_.epoch : 1);
    if (!log) return log.error();
    log_ = std::move(*log);
    saver_.emplace(*folder_, *log_, executor_->tensors(), program_.resolved,
                   [this](bool warning, const std::string& message) {
                     warning ? warn(message) : note(message);
                   });
    describe_facts();
    const Status started = log_->start(facts_, kVersion);
    if (!started) return started;
    for (Observer* observer : options_.observers) observer->on_start(facts_);
    return {};
  }

  bool stopped() const {
    return (options_.stop && options_.stop->load(std::memory_order_relaxed)) ||
           (options_.stop_after > 0 && steps_here_ >= options_.stop_after);
  }

  static Status stopped_early() {
    return make_error(ExitCode::kInterrupted,
                      "interrupted before the first step; nothing was written");
  }

  EndReport loop() {
    EndReport end;
    end.status = "done";
    while (progress_.step < total_steps_ && monitor_->why_enough(progress_).empty()) {
      const Status done = epoch();
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
    const auto order =
        pipeline_->training_order(train_split_, progress_.epoch, program_.train.shuffle);
    const Clock::time_point begin = Clock::now();
    const double seconds_before = progress_.epoch_seconds;
    const std::int64_t samples_before = progress_.figures.samples;
    Clock::time_point reported = begin;
    while (progress_.epoch_step < epoch_steps_ && progress_.step < total_steps_) {
      if (stopped()) {
        progress_.epoch_seconds = seconds_before + seconds_since(begin);
        interrupted_ = true;
        return {};
      }
      const Status done = step(order);
      if (!done) return done;
      for (Observer* observer : options_.observers) observer->on_update(progress_.step);
      if (progress_.epoch_step < epoch_steps_ && progress_.step < total_steps_ && save_is_due()) {
        progress_.epoch_seconds = seconds_before + seconds_since(begin);
        save(false);
      }
      if (seconds_since(reported) >= kReportEvery) {
        reported = Clock::now();
        report_step(static_cast<double>(progress_.figures.samples - samples_before) /
                    seconds_since(begin));
      }
    }
    progress_.epoch_seconds = seconds_before + seconds_since(begin);
    return finish_epoch();
  }

  // One update of the weights, from one batch or from several.
  Status step(const std::vector<std::uint32_t>& order) {
    const TrainSettings& train = program_.train;
    const std::int64_t batches = plan_.batches();
    const std::int64_t first = progress_.epoch_step * train.accumulate;
    const std::int64_t end = std::min(batches, first + train.accumulate);
    Executor::StepContext context;
    context.seed = static_cast<std::uint64_t>(train.seed);
    context.step = progress_.step + 1;
    context.learning_rate = learning_rate(progress_.step, total_steps_);
    for (std::int64_t b = first; b < end; ++b) context.samples += plan_.size(b);
    for (std::int64_t b = first; b < end; ++b) {
      auto batch = pipeline_->read(train_split_, order.data() + plan_.begin(b), plan_.size(b), true,
                                   progress_.epoch);
      if (!batch) return batch.error();
      if (b + 1 < batches && pipeline_->worth_reading_ahead(plan_.size(b + 1))) {
        pipeline_->read_ahead(train_split_, order.data() + plan_.begin(b + 1), plan_.size(b + 1),
                              true, progress_.epoch);
      }
      context.batch = (progress_.epoch - 1) * batches + b + 1;
      context.update = b + 1 == end;
      const Status done = executor_->train_step(*batch, context, progress_.figures);
      if (!done) return done;
    }
    ++progress_.step;
    ++progress_.epoch_step;
    ++steps_here_;
    return {};
  }

  bool save_is_due() {
    const TrainSettings& train = program_.train;
    if (options_.save && options_.save->exchange(false)) return asked_ = true;
    return (train.checkpoint_steps && progress_.step % *train.checkpoint_steps == 0) ||
           (train.checkpoint_minutes && seconds_since(saved_at_) >= 60 * *train.checkpoint_minutes);
  }

  // Of the step after `step`, in a run of `total` steps.
  double learning_rate(std::int64_t step, std::int64_t total) const {
    const TrainSettings& train = program_.train;
    const OptionValue* option = train.optimizer->call().option("lr");
    const double base = option ? std::get<double>(option->data) : 0;
    if (!train.schedule) return base;
    return base * train.schedule->functions<strata_schedule>().factor(train.schedule->raw(), step,
                                                                      total, epoch_steps_);
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

  Status finish_epoch() {
    EpochReport report;
    report.epoch = progress_.epoch;
    report.step = progress_.step;
    report.learning_rate = learning_rate(progress_.step - 1, total_steps_);
    report.seconds = progress_.epoch_seconds;
    report.samples_per_second =
        static_cast<double>(progress_.figures.samples) / std::max(progress_.epoch_seconds, 1e-9);
    auto named = name_figures(program_, progress_.figures, "train.");
    if (!named) return named.error();
    report.figures = std::move(*named);
    if (val_split_ >= 0) {
      auto val = validate();
      if (!val) return val.error();
      report.figures.insert(report.figures.end(), val->begin(), val->end());
    }
    monitor_->note(report, progress_);
    progress_.last = report;
    // A run may end within an epoch; one that is given more steps later goes on in it.
    if (progress_.epoch_step == epoch_steps_) {
      ++progress_.epoch;
      progress_.epoch_step = 0;
      progress_.epoch_seconds = 0;
      progress_.figures = executor_->make_figures();
    }
    saver_->note(log_->epoch(report));
    for (Observer* observer : options_.observers) {
      const Status seen = observer->on_epoch(report);
      if (!seen) return seen;
    }
    if (options_.save && options_.save->exchange(false)) asked_ = true;
    save(report.best);
    return {};
  }

  // Figures of the validation split, with the averaged weights where there are any.
  Result<NamedFigures> validate() {
    executor_->swap_averages();
    auto figures = evaluate_split(*executor_, *pipeline_, val_split_, eval_batch_,
                                  [&](std::int64_t done, std::int64_t of) {
                                    for (Observer* observer : options_.observers)
                                      observer->on_validation(done, of);
                                  });
    executor_->swap_averages();
    if (!figures) return figures.error();
    return name_figures(program_, *figures, "val.");
  }

  void save(bool best) {
    progress_.total_seconds = seconds_before_ + seconds_since(begin_);
    const bool saved = saver_->save(progress_, best);
    saved_at_ = Clock::now();
    if (asked_ && saved) note(fmt::format("saved after step {}", progress_.step));
    asked_ = false;
  }

  void warn(const std::string& message) {
    for (Observer* observer : options_.observers) observer->on_warning(message);
  }
  void note(const std::string& message) {
    for (Observer* observer : options_.observers) observer->on_note(message);
  }

  const Program& program_;
  const TrainOptions& options_;
  ThreadPool pool_;
  std::unique_ptr<InputPipeline> pipeline_;
  std::unique_ptr<Executor> executor_;
  std::optional<Monitor> monitor_;
  BatchPlan plan_;
  int train_split_ = -1, val_split_ = -1;
  std::int64_t epoch_steps_ = 0, total_steps_ = 0, eval_batch_ = 0;
  std::string init_file_, expected_start_;
  DataIdentity data_;
  bool fuse_ = true;
  std::string resumed_from_;  // a checkpoint
  std::string run_folder_;    // of the run that goes on
  RunFacts facts_;
  std::optional<RunFolder> folder_;
  std::optional<MetricsLog> log_;
  std::optional<Saver> saver_;
  Progress progress_;
  Clock::time_point begin_, saved_at_;
  double seconds_before_ = 0;
  std::int64_t steps_here_ = 0;  // done by this call
  bool interrupted_ = false;
  bool asked_ = false;  // the next checkpoint was asked for
};

}  // namespace

Result<TrainOutcome> train(const Program& program, const TrainOptions& options) {
  return Run(program, options).go();
}

}  // namespace strata
