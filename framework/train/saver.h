// Keeps a run's state on disk: checkpoints, and the folder around them. What cannot be written is
// said once, tried again each time, and does not stop training: the weights are safe in memory.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "framework/train/checkpoint.h"
#include "framework/train/run_folder.h"

namespace strata {

class Saver {
 public:
  // `tell(warning, message)` reaches the user.
  using Tell = std::function<void(bool warning, const std::string& message)>;
  Saver(RunFolder& folder, MetricsLog& log, const std::vector<NamedTensor>& tensors,
        const std::string& model_text, Tell tell)
      : folder_(folder), log_(log), tensors_(tensors), model_text_(model_text), tell_(tell) {}

  // Writes a checkpoint, and the best epoch's with `best`. False where it is not on disk.
  bool save(const Progress& progress, bool best);
  bool saved(const Progress& progress) const { return saved_step_ == progress.step; }
  // The newest checkpoint that was written here; empty where there is none.
  const std::string& newest() const { return newest_; }
  // What the log could not take.
  void note(const Status& logged);

  // The last attempt, where the newest state is not on disk: an error that says where it is now.
  std::optional<Error> finish(const Progress& progress);

 private:
  Status write(const Progress& progress, bool best);
  Status ensure_folder();
  void trouble(const Error& error);
  void relief();

  // A best epoch whose weights the disk did not take: they are gone from the executor after the
  // next step.
  struct Kept {
    Progress progress;
    std::vector<std::vector<char>> data;
    std::vector<NamedTensor> tensors;
  };
  void keep(const Progress& progress);

  RunFolder& folder_;
  MetricsLog& log_;
  const std::vector<NamedTensor>& tensors_;
  const std::string& model_text_;
  Tell tell_;
  std::int64_t saved_step_ = -1;
  std::string newest_;
  std::optional<Kept> best_;
  std::optional<Error> trouble_;  // said, and not over
};

}  // namespace strata
