// The transforms of a data section at work on a batch: which buffers hold its fields on the way,
// and the numbers that some transforms found in the training split.
//
// Most transforms take samples one by one, so they are run over tiles of a batch, in parallel. One
// that looks at a whole batch ends a section: the tiles of the next one wait for it.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/base/error.h"
#include "framework/graph/program.h"
#include "framework/runtime/executor.h"

namespace strata {

class TransformChain {
 public:
  // What random streams are keyed by. Samples are numbers within their split.
  struct Keys {
    bool training = false;  // augmentations act only then
    std::int64_t epoch = 0;
    const std::uint32_t* samples = nullptr;  // of the batch; null: streams of zeros
  };
  using Buffers = std::vector<std::vector<char>>;  // of a batch

  TransformChain(const DataPipeline& data, Precision precision, std::uint64_t seed);

  // Per sample, of each buffer that a batch needs.
  const std::vector<std::int64_t>& buffer_bytes() const { return buffer_bytes_; }
  std::size_t transforms() const { return data_.transforms.size(); }
  // The transform that ends the section that begins at `begin`: one that looks at whole batches, or
  // the end of the chain.
  std::size_t section_end(std::size_t begin) const;

  // Where the fields after `stage` transforms of sample `begin` are.
  void point(Buffers& buffers, std::size_t stage, std::int64_t begin, void** fields) const;
  std::size_t field_count(std::size_t stage) const { return stages_[stage].raw.size(); }
  const std::vector<std::int64_t>& bytes(std::size_t stage) const { return stages_[stage].bytes; }

  // Transforms [from, to) on samples [begin, begin + count), from any thread.
  Status run_tile(Buffers& buffers, std::size_t from, std::size_t to, std::int64_t begin,
                  std::int64_t count, const Keys& keys) const;
  // A transform that looks at a whole batch.
  Status run_batch(Buffers& buffers, std::size_t transform, std::int64_t count,
                   const Keys& keys) const;

  // What transforms with a fit found, one tensor each: "data/standardize.mean".
  const std::vector<NamedTensor>& fitted() const { return fitted_; }
  bool fits(std::size_t transform) const;
  void begin_fit(std::size_t transform);
  // The next `count` samples, in order; `buffers` hold what comes to the transform.
  Status fit(std::size_t transform, Buffers& buffers, std::int64_t count);
  Status end_fit(std::size_t transform);
  // Fails where a transform has not been fitted, or where what it found are no numbers.
  Status require_fitted() const;

 private:
  // Fields after i transforms, and which buffers hold them.
  struct Stage {
    std::vector<strata_field> raw;
    std::vector<std::int64_t> bytes;  // per sample
    std::vector<std::size_t> buffers;
  };
  Stage make_stage(std::size_t number);
  std::int32_t real_dtype() const {
    return precision_ == Precision::kF64 ? STRATA_F64 : STRATA_F32;
  }
  const strata_transform& functions(std::size_t transform) const;
  template <class Function, class... Args>
  Status call(const char* name, Function function, std::size_t transform, Args... args) const;

  const DataPipeline& data_;
  Precision precision_;
  std::uint64_t seed_;
  std::vector<Stage> stages_;
  std::vector<std::int64_t> buffer_bytes_;
  std::vector<std::vector<double>> fitted_values_;  // of each transform
  std::vector<NamedTensor> fitted_;
};

}  // namespace strata
