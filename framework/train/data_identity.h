// By what a run knows the data it began with: how many samples, and a checksum over them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/graph/program.h"
#include "framework/runtime/input_pipeline.h"

namespace strata {

struct SplitIdentity {
  std::string name;  // "train", "val"
  std::int64_t samples = 0;
  std::int64_t checked = 0;  // of them, spread over the split: checked_samples()
  std::uint32_t crc = 0;     // over all fields of these, as the data set gives them
};
using DataIdentity = std::vector<SplitIdentity>;

// How many samples of a split, each of so many bytes, stand for it: all where they are 200 MB or
// less, never fewer than 64.
std::int64_t checked_samples(std::int64_t samples, std::int64_t bytes_of_sample);

// Of the splits that training uses, read on the pool of the caller.
Result<DataIdentity> identify_data(const Program& program, const InputPipeline& data);
// How the data differ from those, a line each: "train_samples: 60000 -> 50000".
Result<std::vector<std::string>> data_differences(const DataIdentity& before,
                                                  const Program& program,
                                                  const InputPipeline& data);

}  // namespace strata
