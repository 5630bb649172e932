// How long the runs of a study would take.
#pragma once

#include <vector>

#include "framework/app/study_runner.h"

namespace strata::app {

// Seconds of each planned run, trained to its end, from a short probe of each combination, or of
// some where there are many; negative for those that do not run.
std::vector<double> estimate_runs(const StudyCall& call, const AskedStudy& asked);

// What share of all epochs of all runs successive halving trains; 1 without it.
double halving_share(const AskedStudy& asked, std::int64_t epochs);

}  // namespace strata::app
