// What a run of training is made of, while it is set up, trained and described. Only the files of
// the training loop share it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "framework/runtime/input_pipeline.h"
#include "framework/train/checkpoint.h"
#include "framework/train/learning_rate.h"
#include "framework/train/monitor.h"
#include "framework/train/run_folder.h"
#include "framework/train/saver.h"
#include "framework/train/step_recorder.h"
#include "framework/train/tensorboard.h"
#include "framework/train/training.h"
#include "framework/train/validation_record.h"

namespace strata {

inline double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

struct RunState {
  RunState(const Program& of, const TrainOptions& with)
      : program(of),
        options(with),
        pool(with.threads),
        init_file(with.init_file),
        fuse(with.fuse) {}

  const Program& program;
  const TrainOptions& options;
  ThreadPool pool;
  std::unique_ptr<InputPipeline> pipeline;
  std::unique_ptr<Executor> executor;
  std::vector<NamedTensor> tensors;  // of both: what a checkpoint holds
  std::optional<Monitor> monitor;
  std::optional<LearningRate> learning_rate;
  BatchPlan plan;
  int train_split = -1, val_split = -1;
  std::int64_t epoch_steps = 0, total_steps = 0, eval_batch = 0;
  std::string init_file, expected_start;
  DataIdentity data;
  bool fuse = true;
  std::string resumed_from;  // a checkpoint
  std::string run_folder;    // of the run that goes on
  RunFacts facts;
  std::optional<RunFolder> folder;
  std::optional<MetricsLog> log;
  std::optional<Saver> saver;
  std::unique_ptr<StepRecorder> recorder;        // null: no step is noted
  std::unique_ptr<ValidationRecord> validation;  // null: there is nothing to note
  std::optional<TensorBoardLog> board;
  Progress progress;
  std::chrono::steady_clock::time_point begin;
  double seconds_before = 0;
  std::int64_t steps_here = 0;  // done by this call

  // Steps of so many epochs; of more than can be counted, as many as there are numbers: such a run
  // trains until it is stopped.
  std::int64_t steps_of(std::int64_t epochs) const;

  void warn(const std::string& message) const {
    for (Observer* observer : options.observers) observer->on_warning(message);
  }
  void note(const std::string& message) const {
    for (Observer* observer : options.observers) observer->on_note(message);
  }
};

}  // namespace strata
