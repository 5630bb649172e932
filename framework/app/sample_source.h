// What `predict` is given: a file of samples, a picture, or a folder of pictures.
#pragma once

#include <string>
#include <vector>

#include "framework/graph/program.h"
#include "framework/train/prediction.h"

namespace strata::app {

struct SampleSource {
  std::int64_t count = 0;
  ReadSamples read;
  std::vector<std::string> files;  // of each sample, where they are pictures
};

// `input` as the command line names it; "-" is standard input. Files of samples are read at once;
// pictures when their batch comes, so that a folder may hold any number of them. They become
// images of the model's size and channels as ImageFolder makes them: cropped where the data set's
// option `fit` says so, else stretched. Tables are read as table_samples.h says. `program` must
// outlive the source.
Result<SampleSource> open_samples(const std::string& input, const Program& program);

}  // namespace strata::app
