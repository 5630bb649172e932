// Event files that TensorBoard reads: `log = "tensorboard"` in `train` writes them beside the run's
// own log, which stays the one that counts.
//
// The format is TensorFlow's: records of a length, its masked CRC-32C, an Event message of protocol
// buffers and its masked CRC-32C (tensorflow/core/lib/io/record_writer.h,
// tensorflow/core/util/event.proto). Each process of a run makes a file of its own; one that goes
// on begins it with a SessionLog, which tells TensorBoard to forget what a killed process wrote
// after the checkpoint.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/base/error.h"
#include "framework/train/training.h"

namespace strata {

class TensorBoardLog {
 public:
  // A new file in `folder`, which is made where it is missing. `next_step`: the first step that
  // this process does; above 1 it goes on with a run.
  static Result<TensorBoardLog> open(const std::string& folder, std::int64_t next_step);

  // "train.loss" is the tag train/loss, at the step with which the epoch ended.
  Status epoch(const EpochReport& report);
  // step/loss, and of each layer activation_deviation/dense1 and the like.
  Status step(const StepRecord& record);

  const std::string& path() const { return path_; }

 private:
  TensorBoardLog() = default;
  Status scalars(std::int64_t step, const std::vector<std::pair<std::string, double>>& values);
  Status append(const std::string& event);

  std::string path_;
  std::shared_ptr<void> file_;
  int descriptor_ = -1;
};

// As the record format has it: CRC-32C (Castagnoli), rotated by 15 bits, plus a constant.
std::uint32_t masked_crc32c(std::string_view bytes);

}  // namespace strata
