// The training loop. All that decides the next bits is in the executor's tensors and in Progress:
// the order of samples, dropout and augmentation are functions of (seed, epoch, batch), so going on
// from a checkpoint needs no replay. Runs stop, save and resume between steps, never between the
// batches of one step, so that gradients that wait for an update are no part of the state.
#include "framework/train/training.h"

#include <algorithm>

#include "framework/train/run_outputs.h"
#include "framework/train/run_setup.h"
#include "framework/train/run_state.h"
#include "framework/train/safetensors.h"
#include "framework/train/session.h"

namespace strata {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kReportEvery = 0.1;  // seconds

class Run {
 public:
  Run(const Program& program, const TrainOptions& options) : run_(program, options) {}

  Result<TrainOutcome> go() {
    Status ready = set_up(run_);
    if (ready && stopped()) ready = stopped_early();
    if (!ready) return ready.error();
    TrainOutcome outcome;
    if (nothing_left()) return already_done(run_);
    ready = open_outputs(run_);
    if (!ready) return ready.error();
    run_.begin = saved_at_ = Clock::now();
    run_.seconds_before = run_.progress.total_seconds;
    if (!run_.facts.changes.empty()) save(false);  // what is asked for now must survive a kill
    EndReport& end = outcome.end;
    run_.pool.run([&] { end = loop(); });
    if (end.status != "diverged") {
      run_.progress.total_seconds = run_.seconds_before + seconds_since(run_.begin);
      outcome.unsaved = run_.saver->finish(run_.progress);
    }
    describe_end(run_, end);
    if (outcome.unsaved) {
      end.status = "failed";
      end.code = outcome.unsaved->code;
      end.message = outcome.unsaved->message;
      end.hint = outcome.unsaved->hint;
    }
    outcome.folder = run_.folder->path();
    outcome.facts = run_.facts;
    outcome.checkpoint = run_.saver->newest().empty() ? run_.resumed_from : run_.saver->newest();
    outcome.weights_hash = hash_tensors(run_.executor->tensors());
    if (!outcome.unsaved) write_validation(run_);
    run_.saver->note(run_.log->end(end, outcome.weights_hash));
    for (Observer* observer : run_.options.observers) observer->on_end(end);
    return outcome;
  }

 private:
  bool stopped() const {
    return (run_.options.stop && run_.options.stop->load(std::memory_order_relaxed)) ||
           (run_.options.stop_after > 0 && run_.steps_here >= run_.options.stop_after);
  }

  static Status stopped_early() {
    return make_error(ExitCode::kInterrupted,
                      "interrupted before the first step; nothing was written");
  }

  bool nothing_left() const {
    return !run_.resumed_from.empty() && (run_.progress.step >= run_.total_steps ||
                                          !run_.monitor->why_enough(run_.progress).empty());
  }

  EndReport loop() {
    EndReport end;
    end.status = "done";
    while (run_.progress.step < run_.total_steps &&
           run_.monitor->why_enough(run_.progress).empty()) {
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
    const auto order = run_.pipeline->training_order(run_.train_split, run_.progress.epoch,
                                                     run_.program.train.shuffle);
    const Clock::time_point begin = Clock::now();
    const double seconds_before = run_.progress.epoch_seconds;
    const std::int64_t samples_before = run_.progress.figures.samples;
    Clock::time_point reported = begin;
    while (run_.progress.epoch_step < run_.epoch_steps && run_.progress.step < run_.total_steps) {
      if (stopped()) {
        run_.progress.epoch_seconds = seconds_before + seconds_since(begin);
        interrupted_ = true;
        return {};
      }
      const Status done = step(order);
      if (!done) return done;
      if (recorded_) note_step(seconds_before + seconds_since(begin));
      for (Observer* observer : run_.options.observers) observer->on_update(run_.progress.step);
      if (run_.progress.epoch_step < run_.epoch_steps && run_.progress.step < run_.total_steps &&
          save_is_due()) {
        run_.progress.epoch_seconds = seconds_before + seconds_since(begin);
        save(false);
      }
      if (seconds_since(reported) >= kReportEvery) {
        reported = Clock::now();
        report_step(static_cast<double>(run_.progress.figures.samples - samples_before) /
                    seconds_since(begin));
      }
    }
    run_.progress.epoch_seconds = seconds_before + seconds_since(begin);
    return finish_epoch();
  }

  // One update of the weights, from one batch or from several.
  Status step(const std::vector<std::uint32_t>& order) {
    const TrainSettings& train = run_.program.train;
    const std::int64_t batches = run_.plan.batches();
    const std::int64_t first = run_.progress.epoch_step * train.accumulate;
    const std::int64_t end = std::min(batches, first + train.accumulate);
    Executor::StepContext context;
    context.seed = static_cast<std::uint64_t>(train.seed);
    context.step = run_.progress.step + 1;
    context.learning_rate =
        run_.learning_rate->at(run_.progress.step, run_.total_steps, run_.progress.schedule_state);
    for (std::int64_t b = first; b < end; ++b) context.samples += run_.plan.size(b);
    for (std::int64_t b = first; b < end; ++b) {
      auto batch = run_.pipeline->read(run_.train_split, order.data() + run_.plan.begin(b),
                                       run_.plan.size(b), true, run_.progress.epoch);
      if (!batch) return batch.error();
      if (b + 1 < batches && run_.pipeline->worth_reading_ahead(run_.plan.size(b + 1))) {
        run_.pipeline->read_ahead(run_.train_split, order.data() + run_.plan.begin(b + 1),
                                  run_.plan.size(b + 1), true, run_.progress.epoch);
      }
      context.batch = (run_.progress.epoch - 1) * batches + b + 1;
      context.update = b + 1 == end;
      if (run_.recorder) run_.recorder->before(*run_.executor, *batch, context, b == first);
      const Status done = run_.executor->train_step(*batch, context, run_.progress.figures);
      if (!done) return done;
      if (run_.recorder) run_.recorder->after(*run_.executor, *batch);
    }
    if (run_.recorder) recorded_ = run_.recorder->finish(*run_.executor, context);
    ++run_.progress.step;
    ++run_.progress.epoch_step;
    ++run_.steps_here;
    return {};
  }

  void note_step(double seconds) {
    recorded_->epoch = run_.progress.epoch;
    recorded_->seconds = seconds;
    note_record(run_, *recorded_);
    recorded_.reset();
  }

  bool save_is_due() {
    const TrainSettings& train = run_.program.train;
    if (run_.options.save && run_.options.save->exchange(false)) return asked_ = true;
    return (train.checkpoint_steps && run_.progress.step % *train.checkpoint_steps == 0) ||
           (train.checkpoint_minutes && seconds_since(saved_at_) >= 60 * *train.checkpoint_minutes);
  }

  void report_step(double rate) {
    if (run_.options.observers.empty()) return;
    StepReport report;
    report.step = run_.progress.step;
    report.epoch = run_.progress.epoch;
    report.epoch_step = run_.progress.epoch_step;
    if (auto named = name_figures(run_.program, run_.progress.figures, ""); named)
      report.figures = std::move(*named);
    report.samples_per_second = rate;
    for (Observer* observer : run_.options.observers) observer->on_step(report);
  }

  Status finish_epoch() {
    EpochReport report;
    report.epoch = run_.progress.epoch;
    report.step = run_.progress.step;
    report.learning_rate = run_.learning_rate->at(run_.progress.step - 1, run_.total_steps,
                                                  run_.progress.schedule_state);
    report.seconds = run_.progress.epoch_seconds;
    report.samples_per_second = static_cast<double>(run_.progress.figures.samples) /
                                std::max(run_.progress.epoch_seconds, 1e-9);
    auto named = name_figures(run_.program, run_.progress.figures, "train.");
    if (!named) return named.error();
    report.figures = std::move(*named);
    if (run_.val_split >= 0) {
      auto val = validate();
      if (!val) return val.error();
      report.figures.insert(report.figures.end(), val->begin(), val->end());
    }
    report.weights_crc32 = state_crc32(run_.executor->tensors());
    run_.monitor->note(report, run_.progress);
    if (run_.validation) run_.validation->keep(report.epoch, report.best);
    run_.progress.last = report;
    // A run may end within an epoch; one that is given more steps later goes on in it.
    if (run_.progress.epoch_step == run_.epoch_steps) {
      Status observed = run_.learning_rate->observe(report, run_.progress.schedule_state);
      if (!observed) return observed;
      ++run_.progress.epoch;
      run_.progress.epoch_step = 0;
      run_.progress.epoch_seconds = 0;
      run_.progress.figures = run_.executor->make_figures();
    }
    note_epoch(run_, report);
    for (Observer* observer : run_.options.observers) {
      const Status seen = observer->on_epoch(report);
      if (!seen) return seen;
    }
    if (run_.options.save && run_.options.save->exchange(false)) asked_ = true;
    save(report.best);
    return {};
  }

  // Figures of the validation split, with the averaged weights where there are any.
  Result<NamedFigures> validate() {
    run_.executor->swap_averages();
    auto figures = evaluate_split(
        *run_.executor, *run_.pipeline, run_.val_split, run_.eval_batch,
        [&](std::int64_t done, std::int64_t of) {
          for (Observer* observer : run_.options.observers) observer->on_validation(done, of);
        },
        [&](const BatchView& batch, std::int64_t begin) {
          if (run_.validation) run_.validation->add(*run_.executor, batch, begin);
        });
    run_.executor->swap_averages();
    if (!figures) return figures.error();
    return name_figures(run_.program, *figures, "val.");
  }

  void save(bool best) {
    run_.progress.total_seconds = run_.seconds_before + seconds_since(run_.begin);
    const bool saved = run_.saver->save(run_.progress, best);
    saved_at_ = Clock::now();
    if (asked_ && saved) run_.note(fmt::format("saved after step {}", run_.progress.step));
    asked_ = false;
  }

  RunState run_;
  std::optional<StepRecord> recorded_;  // what is to be noted of the step just done
  Clock::time_point saved_at_;
  bool interrupted_ = false;
  bool asked_ = false;  // the next checkpoint was asked for
};

}  // namespace

Result<TrainOutcome> train(const Program& program, const TrainOptions& options) {
  return Run(program, options).go();
}

}  // namespace strata
