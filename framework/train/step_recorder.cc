// Losses sample by sample, checksums, and the probe of layers.
#include "framework/train/step_recorder.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace strata {

std::uint32_t state_crc32(const std::vector<NamedTensor>& tensors) {
  uLong crc = crc32_z(0, nullptr, 0);
  for (const NamedTensor& tensor : tensors)
    if (tensor.role == TensorRole::kParameter || tensor.role == TensorRole::kState)
      crc = crc32_z(crc, static_cast<const Bytef*>(tensor.data),
                    static_cast<std::size_t>(tensor.bytes()));
  return static_cast<std::uint32_t>(crc);
}

Result<std::unique_ptr<StepRecorder>> StepRecorder::create(const Program& program,
                                                           std::int64_t capacity) {
  const TrainSettings& train = program.train;
  std::unique_ptr<StepRecorder> recorder;
  if (!train.log_steps && !train.statistics) return recorder;
  recorder.reset(new StepRecorder());
  recorder->log_steps_ = train.log_steps.value_or(0);
  recorder->statistics_ = train.statistics.value_or(0);
  if (train.statistics) {
    auto probe = LayerProbe::create(program, capacity);
    if (!probe) return probe.error();
    recorder->probe_ = std::move(*probe);
  }
  return recorder;
}

void StepRecorder::before(Executor& executor, const BatchView& batch,
                          const Executor::StepContext& context, bool first_of_step) {
  if (!first_of_step) return;
  samples_ = 0, loss_sum_ = 0, measured_ = false;
  // The first step, too: it shows what the initializers made.
  if (probe_ && (context.step == 1 || context.step % statistics_ == 0))
    measured_ = probe_->measure(executor.tensors(), batch, context);
  timed_ = is_timed(context.step);
  if (!timed_) return;
  if (!collector_) collector_ = std::make_unique<SpanCollector>();
  executor.watch(collector_.get());
}

void StepRecorder::after(Executor& executor, const BatchView& batch) {
  if (timed_) {
    executor.watch(nullptr);
    note_times(executor);
    timed_ = false;  // of several batches of a step the first one counts
  }
  if (log_steps_ == 0) return;
  const double* losses = executor.sample_losses();
  for (std::int64_t i = 0; i < batch.size; ++i) loss_sum_ += losses[i];
  samples_ += batch.size;
}

void StepRecorder::note_times(const Executor& executor) {
  std::vector<TimedSpan> spans = collector_->take();
  const std::vector<Executor::Unit>& units = executor.units();
  std::int64_t begin = std::numeric_limits<std::int64_t>::max(), end = 0;
  for (const TimedSpan& span : spans)
    begin = std::min(begin, span.begin), end = std::max(end, span.end);
  TimeShares shares(static_cast<int>(units.size()));
  shares.add(std::move(spans), begin, end);
  times_.clear();
  using Work = StepWatcher::Work;
  for (int unit = 0; unit < static_cast<int>(units.size()); ++unit) {
    const auto of = [&](Work work) { return shares.of(static_cast<int>(work), unit); };
    times_.push_back({units[static_cast<std::size_t>(unit)].path, of(Work::kForward),
                      of(Work::kBackward), of(Work::kUpdate)});
  }
}

std::optional<StepRecord> StepRecorder::finish(const Executor& executor,
                                               const Executor::StepContext& context) {
  const bool loss = notes_loss(context.step);
  if (!loss && !measured_) return {};
  StepRecord record;
  record.step = context.step;
  record.learning_rate = context.learning_rate;
  record.has_loss = loss;
  if (loss) {
    record.loss = loss_sum_ / static_cast<double>(samples_);
    record.weights_crc32 = state_crc32(executor.tensors());
  }
  if (measured_) {
    record.layers = probe_->layers();
    record.times = std::move(times_);
    times_.clear();
  }
  return record;
}

}  // namespace strata
