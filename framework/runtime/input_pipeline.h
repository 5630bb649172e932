// From a data set to batches: which samples come when, and their way through the transforms.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/graph/program.h"
#include "framework/runtime/executor.h"

namespace strata {

// How an epoch of `samples` is cut into batches.
struct BatchPlan {
  std::int64_t samples = 0;
  std::int64_t batch_size = 0;
  LastBatch last = LastBatch::kKeep;

  std::int64_t batches() const;  // 0 where "drop" leaves none
  std::int64_t begin(std::int64_t batch) const;
  std::int64_t size(std::int64_t batch) const;
  std::int64_t largest() const;
};

// An opened data set behind its transforms; reads batches into its own buffers.
class InputPipeline {
 public:
  // The transforms alone: nothing is opened, only transform() works.
  static Result<std::unique_ptr<InputPipeline>> unopened(const DataPipeline& data,
                                                         Precision precision);
  // Opens and checks the data.
  static Result<std::unique_ptr<InputPipeline>> open(const DataPipeline& data, Precision precision,
                                                     std::uint64_t seed);
  virtual ~InputPipeline() = default;

  // Fields after the transforms, and splits with their true sizes.
  virtual const DataDescription& description() const = 0;
  // Numbers that transforms found in the training split ("data/standardize.mean"), owned by the
  // pipeline. They have to be there before a batch is read: by fit(), or read from a checkpoint.
  virtual const std::vector<NamedTensor>& fitted() const = 0;
  // Finds them, reading the split once for each transform that needs it, augmentations off.
  virtual Status fit(int split) = 0;
  // Samples as the data set has them: one buffer per field of it, [count, elements] each. From many
  // threads.
  virtual Status read_raw(int split, const std::int64_t* samples, std::int64_t count,
                          void* const* fields) const = 0;
  // The order of samples in an epoch (from 1) of training: a function of (seed, epoch) alone.
  virtual std::vector<std::uint32_t> training_order(int split, std::int64_t epoch,
                                                    bool shuffle) const = 0;

  // Reads samples `indices` of a split through the transforms; `training` switches augmentations
  // on, keyed by (seed, epoch, sample). The view is valid until the next call. Nothing is allocated
  // once the largest batch was seen.
  virtual Result<BatchView> read(int split, const std::uint32_t* indices, std::int64_t count,
                                 bool training, std::int64_t epoch) = 0;
  // Says which batch the next read() will ask for, so that the pool reads it while the caller works
  // on the one that it has, whose view stays valid. Only a hint: another read() is as good, an
  // error comes with the read() of its batch, and a batch too small to gain by it is read when it
  // is asked for. `indices` are copied.
  virtual void read_ahead(int split, const std::uint32_t* indices, std::int64_t count,
                          bool training, std::int64_t epoch) = 0;
  // Whether that pays for batches of `count`: where the reads so far took long (a tenth of a
  // millisecond) though a batch is cut in too few parts to keep all threads busy. What is read
  // fast, or by all threads at once, is read in less time when it is asked for: the parts of a step
  // are large, and a thread that comes to them late makes the others wait. Time decides when a
  // batch is read, never what it holds.
  virtual bool worth_reading_ahead(std::int64_t count) const = 0;
  // The same for samples that the caller has: one buffer per field of the data set, [count,
  // elements] each.
  virtual Result<BatchView> transform(const void* const* raw_fields, std::int64_t count) = 0;
};

}  // namespace strata
