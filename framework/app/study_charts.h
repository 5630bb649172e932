// Pictures of a study: each figure that it reports against each of its settings that are numbers,
// a line for every combination of the others.
#pragma once

#include <string>
#include <vector>

#include "framework/app/study/database.h"
#include "framework/report/svg_files.h"

namespace strata::app {

// Means over seeds with bands from the lowest to the highest; combinations without a run that is
// done leave a gap. "gap-loss-against-batch_size.svg". None where no setting has three numbers.
std::vector<report::SvgFile> study_charts(const StudyRecord& study,
                                          const std::vector<RunRecord>& runs, bool best);

}  // namespace strata::app
