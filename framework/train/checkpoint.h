// Checkpoints of a run: everything it needs to go on with the same bits, in one safetensors file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/runtime/executor.h"
#include "framework/train/safetensors.h"
#include "framework/train/training.h"

namespace strata {

// What is not in tensors.
struct Progress {
  std::int64_t step = 0;        // finished: updates of the weights
  std::int64_t epoch = 1;       // the one under way, from 1
  std::int64_t epoch_step = 0;  // finished in it
  Figures figures;              // of the epoch under way
  double epoch_seconds = 0;     // of the epoch under way so far
  double total_seconds = 0;
  std::optional<EpochReport> best, last;
  std::optional<double> reference;     // the monitored figure that patience counts from
  std::int64_t waited = 0;             // epochs since then
  std::vector<double> schedule_state;  // of a schedule that follows a figure
  std::int64_t seed = 0;
  bool fuse = true;                     // whether layers were fused: other roundings
  std::vector<PluginLibrary> plugins;   // libraries that it takes something from
  DataIdentity data;                    // empty in checkpoints of before it was kept
  std::optional<DescribedData> source;  // likewise
};

// Writes one checkpoint.
Status write_checkpoint_file(const std::string& path, const Progress& progress,
                             const std::vector<NamedTensor>& tensors,
                             const std::string& model_text);
// Writes `folder`/step-NNNNNNNN.safetensors, with `best` also best.safetensors, and keeps the last
// two steps' files. The best comes first: whoever goes on from an older step, as a kill in between
// left it, makes it again.
Status write_checkpoint(const std::string& folder, const Progress& progress,
                        const std::vector<NamedTensor>& tensors, const std::string& model_text,
                        bool best);
std::string step_checkpoint(const std::string& folder, std::int64_t step);
std::string best_checkpoint(const std::string& folder);
// Removes what a killed process left half-written in a run's folder.
void remove_temporary_files(const std::string& run_folder);

struct Checkpoint {
  Progress progress;
  std::string model_text;  // the resolved model it was trained from
  SafetensorsFile file;
};
Result<Checkpoint> open_checkpoint(const std::string& path);
// The same, with its tensors read into `tensors`.
Result<Checkpoint> read_checkpoint(const std::string& path,
                                   const std::vector<NamedTensor>& tensors);

// The file that `weights` means: a file itself, or the newest sound checkpoint of a run folder,
// among them what Saver put elsewhere and the user brought back; without any of them the best
// epoch's. What is wrong with newer ones is added to `damaged`, a sentence each.
Result<std::string> find_checkpoint(const std::string& weights,
                                    std::vector<std::string>* damaged = nullptr);
// Whether a run folder belongs to a run that ended before its first checkpoint: it has none at all.
bool is_unstarted_run(const std::string& folder);
// The run folder that a checkpoint lies in; a usage error where it lies elsewhere.
Result<std::string> run_folder_of(const std::string& checkpoint);
// The model text in a checkpoint, or beside it in its run folder; empty where there is none (a bare
// weights file).
Result<std::string> model_of(const std::string& weights);

}  // namespace strata
