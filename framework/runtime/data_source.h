// An opened data set behind the file's `take` and `split`: samples by split and number.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/graph/program.h"

namespace strata {

// Where data sets without a path are looked up: $STRATA_DATA, the user's cache folder, Debian's
// places.
std::vector<std::string> data_folders();

// Of one sample of a field, in a run of this precision.
std::int64_t bytes_of(const DataDescription::FieldInfo& field, Precision precision);

class DataSource {
 public:
  DataSource(const DataPipeline& data, Precision precision) : data_(data), precision_(precision) {}

  // Opens and checks the data.
  Status open();
  // With their true sizes, once it is open.
  const std::vector<DataDescription::Split>& splits() const { return splits_; }

  // Copies samples of a split into buffers, one per field of the data set, [count, elements] each.
  // From many threads.
  Status read(int split, const std::int64_t* samples, std::int64_t count,
              void* const* fields) const;

 private:
  // The class number of each sample of a split of the data set's own: reads all of them.
  Result<std::vector<std::int32_t>> read_classes(int source, std::int64_t samples,
                                                 const std::string& field) const;
  Status read_source(std::int64_t source, const std::int64_t* samples, std::int64_t count,
                     void* const* fields) const;

  const DataPipeline& data_;
  Precision precision_;
  std::vector<DataDescription::Split> splits_;
  std::vector<SplitView> views_;     // of each split; empty where nothing was taken or split
  std::vector<std::int64_t> bytes_;  // of each field
};

}  // namespace strata
