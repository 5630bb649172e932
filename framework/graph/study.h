// Studies: the runs that a `study` section asks for, checked before the first of them starts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/base/source.h"

namespace strata {

struct StudyAxis {
  std::vector<std::string> paths;  // one, or those of a zip that move together
  std::vector<std::vector<std::string>>
      values;               // for each point the values of the paths, as text of the language
  std::vector<Span> spans;  // of the points
  Span span;
};

struct Study {
  std::string name;
  std::vector<StudyAxis> axes;
  // Every combination that `where` keeps: for each axis the index of its point. The last axis
  // changes fastest.
  std::vector<std::vector<int>> runs;
  std::vector<std::int64_t> seeds;   // of every run; n seeds follow on the train section's
  std::vector<std::string> reports;  // "val.accuracy", "samples_per_second"
  Span span;

  // Overrides ("train.batch_size=16") of one run.
  std::vector<std::string> overrides(const std::vector<int>& run) const;
};

}  // namespace strata
