// The training loop, and who watches it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/base/error.h"
#include "framework/graph/program.h"
#include "framework/runtime/executor.h"
#include "framework/runtime/input_pipeline.h"
#include "framework/tensor/parallel.h"
#include "framework/train/data_identity.h"
#include "framework/train/step_recorder.h"

namespace strata {

using NamedFigures =
    std::vector<std::pair<std::string, double>>;  // "train.loss", "val.accuracy", in order

struct RunFacts {
  std::string model;
  std::int64_t parameters = 0;
  std::int64_t train_samples = 0, val_samples = 0;  // val 0: there is no such split
  std::int64_t batch_size = 0;  // of one batch; `accumulate` of them make up a step
  std::int64_t accumulate = 1, steps_per_epoch = 0, total_steps = 0;
  std::int64_t epochs = 0;  // counting a last incomplete one
  std::int64_t seed = 0;
  int threads = 0;
  Precision precision = Precision::kF32;
  bool fuse = true;                    // whether layers may be fused
  std::vector<PluginLibrary> plugins;  // libraries that it takes something from
  std::string folder;
  std::string resumed_from;  // a checkpoint; empty for a fresh start
  std::vector<std::string>
      changes;  // what a resumed run does otherwise than before: "train.epochs: 10 -> 20"
  std::string
      init_file;  // starting weights that were given; empty where the initializers made them
  std::string start_hash;  // SHA-256 of the state that this process began with
  DataIdentity data;
};

struct StepReport {
  std::int64_t step = 0;        // over the run, from 1
  std::int64_t epoch = 1;       // from 1
  std::int64_t epoch_step = 0;  // from 1
  NamedFigures figures;         // of the epoch so far: loss, accuracy, …
  double samples_per_second = 0;
};

struct EpochReport {
  std::int64_t epoch = 0, step = 0;
  NamedFigures figures;  // train.loss, train.accuracy, val.loss, val.accuracy, …
  double learning_rate = 0;
  double seconds = 0;  // of training, without validation
  double samples_per_second = 0;
  bool best = false;  // best so far by `monitor`, else the first validation metric, else val.loss
  // Of weights and states at its end (state_crc32); none where a checkpoint does not have it.
  std::optional<std::uint32_t> weights_crc32 = {};
};

struct EndReport {
  std::string status;               // "done", "interrupted", "diverged", "failed"
  std::string reason;               // why a run is done before its last epoch
  ExitCode code = ExitCode::kDone;  // what `trainer` ends with
  std::optional<EpochReport> best, last;
  double seconds = 0;
  std::string message, hint;  // what stopped it, where it is not done
};

// Watches a run; called on the training thread, between steps.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_start(const RunFacts&) {}
  virtual void on_step(const StepReport&) {}        // at most ten times a second
  virtual void on_update(std::int64_t /*step*/) {}  // after every step
  virtual void on_warning(const std::string& /*message*/) {
  }  // a checkpoint that could not be written, …
  virtual void on_note(const std::string& /*message*/) {}  // a checkpoint that was asked for, …
  virtual void on_record(const StepRecord&) {}  // of the steps that the file asks to note
  virtual void on_validation(std::int64_t /*done*/, std::int64_t /*batches*/) {}
  virtual Status on_epoch(const EpochReport&) { return {}; }
  virtual void on_end(const EndReport&) {}
};

struct TrainOptions {
  int threads = 0;  // 0: all
  std::string runs_folder = "runs";
  std::string run_folder;  // exactly this folder instead of a new number
  std::string init_file;   // starting weights (safetensors)
  std::string resume;      // a run folder or checkpoint to go on from
  bool fuse = true;        // a resumed run goes on as it began
  std::vector<Observer*> observers;
  std::int64_t stop_after = 0;  // as if interrupted after this many steps of this call; 0: never
  const std::atomic<bool>* stop =
      nullptr;  // set by a signal handler: finish the step, save, return kInterrupted
  std::atomic<bool>* save = nullptr;  // set likewise: save after this step and go on
};

struct TrainOutcome {
  EndReport end;
  std::string folder;
  std::string weights_hash;
  RunFacts facts;
  std::string checkpoint;        // the newest one on disk; empty where there is none
  bool already_done = false;     // a resumed run had nothing left to do
  std::optional<Error> unsaved;  // the result is not on disk, or not where it belongs
};

// Trains a program and writes its run folder (model.model, metrics.jsonl, checkpoints/). Everything
// that can be checked is checked before the folder is made. Interrupted and diverged runs are
// outcomes with their status, not errors.
Result<TrainOutcome> train(const Program& program, const TrainOptions& options);

// Figures of one split, with weights from a run folder, a checkpoint or a weights file.
struct EvalOutcome {
  std::int64_t samples = 0;
  NamedFigures figures;
  double seconds = 0;
};
Result<EvalOutcome> evaluate(const Program& program, const std::string& weights,
                             const std::string& split, int threads,
                             const ExecutorOptions& options = {});

// Writes starting weights of a seed.
Status write_initial_weights(const Program& program, std::uint64_t seed, const std::string& path);

}  // namespace strata
