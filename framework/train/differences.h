// What a changed file or overrides mean for a run that goes on.
#pragma once

#include <string>
#include <vector>

#include "framework/graph/program.h"

namespace strata {

struct Difference {
  std::string text;      // "train.batch_size: 64 -> 128"; lines of other sections with - and +
  std::string setting;   // "epochs", where it is one of the train section
  bool allowed = false;  // a run can go on with it: same bits so far, other length or habits of
                         // saving
};

// Between the resolved text that a run was trained with and the program that it is to go on with.
// How long a run trains, when it stops early and when it saves may change, and so may the paths of
// data. A train setting that the old text does not know had its default.
std::vector<Difference> differences(const std::string& before, const Program& now);

}  // namespace strata
