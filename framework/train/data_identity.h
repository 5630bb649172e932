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
  std::int64_t checked = 0;  // of them, spread over the split; all where that takes little time
  std::uint32_t crc = 0;     // over all fields of these, as the data set gives them
};
using DataIdentity = std::vector<SplitIdentity>;

// Of the splits that training uses. Reads for some tenths of a second at most, on the pool of the
// caller.
Result<DataIdentity> identify_data(const Program& program, const InputPipeline& data);
// How the data differ from those, a line each: "train_samples: 60000 -> 50000".
Result<std::vector<std::string>> data_differences(const DataIdentity& before,
                                                  const Program& program,
                                                  const InputPipeline& data);

}  // namespace strata
