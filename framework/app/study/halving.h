// Successive halving: which combinations train on (Jamieson and Talwalkar, 2016, arXiv:1502.07943;
// rungs as in ASHA, Li et al., 2020, arXiv:1810.05934). Rungs are synchronous: a combination is
// promoted when all that compete with it have reached the rung, so what is promoted depends on the
// runs' figures alone, not on how many run at once or on when they ended, and a killed study
// decides again as it did before.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "framework/app/study/database.h"
#include "framework/graph/study.h"

namespace strata::app {

// The epochs at which combinations are compared, and the whole run's: 1, 3, 9, 10.
std::vector<std::int64_t> rungs(const StudySettings::Halving& halving, std::int64_t epochs);

// How many combinations of `competing` go on: 1/factor of them, one at least.
std::size_t promoted(const StudySettings::Halving& halving, std::size_t competing);

// The figure of a run after so many epochs; NaN where it has none, as after it diverged.
using FigureAt = std::function<double(const RunRecord& run, std::int64_t epochs)>;

// For each run the epochs that it may train up to, as far as is decided. Combinations are compared
// by the mean over their seeds; one whose mean is not finite comes last, and of equals the one that
// comes first goes on.
std::vector<std::int64_t> halving_goals(const StudySettings::Halving& halving, std::int64_t epochs,
                                        const std::vector<RunRecord>& runs, const FigureAt& at);

}  // namespace strata::app
