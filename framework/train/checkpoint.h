// Checkpoints of a run: everything it needs to go on with the same bits, in one safetensors file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/runtime/executor.h"
#include "framework/train/training.h"

namespace strata {

// What is not in tensors.
struct Progress {
  std::int64_t step = 0;        // finished
  std::int64_t epoch = 1;       // the one under way, from 1
  std::int64_t epoch_step = 0;  // finished in it
  Figures figures;              // of the epoch under way
  double epoch_seconds = 0;     // of the epoch under way so far
  double total_seconds = 0;
  std::optional<EpochReport> best, last;
  std::int64_t seed = 0;
};

// Writes `folder`/step-NNNNNNNN.safetensors and keeps the last two, and the best epoch's.
Status write_checkpoint(const std::string& folder, const Progress& progress,
                        const std::vector<NamedTensor>& tensors, const std::string& model_text,
                        bool best);

struct Checkpoint {
  Progress progress;
  std::string model_text;  // the resolved model it was trained from
};
// Reads a checkpoint into `tensors`.
Result<Checkpoint> read_checkpoint(const std::string& path,
                                   const std::vector<NamedTensor>& tensors);

// The file that `weights` means: a file itself, or the newest sound checkpoint of a run folder.
// What is wrong with newer ones is added to `damaged`, a sentence each.
Result<std::string> find_checkpoint(const std::string& weights,
                                    std::vector<std::string>* damaged = nullptr);
// The model text in a checkpoint, or beside it in its run folder; empty where there is none (a bare
// weights file).
Result<std::string> model_of(const std::string& weights);

}  // namespace strata
