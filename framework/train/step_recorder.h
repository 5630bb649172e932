// What a run notes of single steps, where its `log_steps` and `statistics` ask for it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/graph/program.h"
#include "framework/runtime/executor.h"
#include "framework/train/layer_statistics.h"
#include "framework/train/step_timing.h"

namespace strata {

struct UnitTime {
  std::string unit;  // "dense1", or "dense1 + batch_norm1 + re_lu1" where they run as one
  double forward = 0, backward = 0, update = 0;  // seconds; an update within backward counts there
};

struct StepRecord {
  std::int64_t epoch = 1, step = 0;  // from 1
  double seconds = 0;                // of the epoch's training so far
  double learning_rate = 0;
  bool has_loss = false;
  double loss = 0;                      // mean over the step's samples, to the last bit
  std::uint32_t weights_crc32 = 0;      // of weights and states after the step; see state_crc32
  std::vector<LayerStatistics> layers;  // before the step; empty where none were asked for
  std::vector<UnitTime> times;          // of the step before, in which nothing else was done
};

// CRC-32 of all parameters and states, in the order of the graph: equal bits have equal ones.
std::uint32_t state_crc32(const std::vector<NamedTensor>& tensors);

class StepRecorder {
 public:
  // Null where the file asks for nothing. `capacity`: the largest batch.
  static Result<std::unique_ptr<StepRecorder>> create(const Program& program,
                                                      std::int64_t capacity);

  // Around each batch of a step; `step` counts from 1.
  void before(Executor& executor, const BatchView& batch, const Executor::StepContext& context,
              bool first_of_step);
  void after(Executor& executor, const BatchView& batch);
  // After the step: what is to be noted of it, if anything.
  std::optional<StepRecord> finish(const Executor& executor, const Executor::StepContext& context);

 private:
  StepRecorder() = default;
  // Statistics come with the times of the step before: a probe leaves nothing in the caches.
  bool is_timed(std::int64_t step) const {
    return probe_ && (statistics_ == 1 || (step + 1) % statistics_ == 0);
  }
  void note_times(const Executor& executor);
  bool notes_loss(std::int64_t step) const { return log_steps_ > 0 && step % log_steps_ == 0; }

  std::int64_t log_steps_ = 0, statistics_ = 0;
  std::unique_ptr<LayerProbe> probe_;
  bool measured_ = false, timed_ = false;
  std::unique_ptr<SpanCollector> collector_;
  std::vector<UnitTime> times_;
  std::int64_t samples_ = 0;
  double loss_sum_ = 0;
};

}  // namespace strata
