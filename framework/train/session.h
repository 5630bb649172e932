// A program made ready to run: threads, opened data, an executor. Shared by training, evaluation
// and prediction.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "framework/base/error.h"
#include "framework/graph/program.h"
#include "framework/runtime/executor.h"
#include "framework/runtime/input_pipeline.h"
#include "framework/train/training.h"

namespace strata {

// Names and values of figures: "<prefix>loss", each loss by name where there are several, then the
// metrics.
Result<NamedFigures> name_figures(const Program& program, const Figures& figures,
                                  const std::string& prefix);

// Runs all of a split in inference mode. `progress(done, batches)` may be empty, and so may
// `on_batch(batch, begin)`, which sees each batch while the executor holds what it made of it.
Result<Figures> evaluate_split(
    Executor& executor, InputPipeline& pipeline, int split, std::int64_t batch_size,
    const std::function<void(std::int64_t, std::int64_t)>& progress,
    const std::function<void(const BatchView&, std::int64_t)>& on_batch = {});

// Loads the weights that `weights` means (a run folder, a checkpoint, a weights file), and what the
// transforms of `pipeline` found in the training split where it is not null.
Status load_weights(const std::string& weights, Executor& executor, const InputPipeline* pipeline);
// All that a checkpoint holds: tensors of the executor and of the pipeline.
std::vector<NamedTensor> state_tensors(const Executor& executor, const InputPipeline& pipeline);

// How many samples an evaluation takes at once.
std::int64_t evaluation_batch(std::int64_t training_batch);

}  // namespace strata
