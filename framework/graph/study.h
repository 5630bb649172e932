// Studies: the runs that a `study` section asks for, checked before the first of them starts.
#pragma once

#include <cstdint>
#include <optional>
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

// What a study says besides its axes.
struct StudySettings {
  // What the figure that `monitor` names has to reach for "epochs_to_target".
  std::optional<double> target;
  // So many of the combinations, drawn without repetition by the train section's seed.
  std::optional<std::int64_t> random;
  // Successive halving: all combinations train for `epochs` epochs, the best 1/`factor` of them by
  // `figure` for `factor` times as many, and so on.
  struct Halving {
    std::string figure;
    bool higher_is_better = false;
    std::int64_t factor = 3, epochs = 1;
  };
  std::optional<Halving> halving;
};

struct Study {
  std::string name;
  StudySettings settings;
  std::vector<StudyAxis> axes;
  // Every combination that `where` keeps: for each axis the index of its point. The last axis
  // changes fastest. With `random`, those that were drawn, in the order of the draw: of a larger
  // `random` they are the first.
  std::vector<std::vector<int>> runs;
  std::vector<std::int64_t> seeds;   // of every run; n seeds follow on the train section's
  std::vector<std::string> reports;  // "val.accuracy", "samples_per_second"
  Span span;

  // Overrides ("train.batch_size=16") of one run.
  std::vector<std::string> overrides(const std::vector<int>& run) const;
};

}  // namespace strata
