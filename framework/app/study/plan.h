// From a study section to its runs, and which of them are still to do.
#pragma once

#include <string>
#include <vector>

#include "framework/app/study/database.h"
#include "framework/graph/program.h"

namespace strata::app {

// All runs of a study: every combination with the first seed, then with the second, …, so that a
// study that is stopped early has seen all combinations. Folders lie in `folder`, by number. Throws
// Failure where the command line's overrides and the study set the same path.
std::vector<RunRecord> plan_runs(const Study& study, const std::vector<std::string>& overrides,
                                 const std::string& folder);

std::vector<std::string> study_paths(const Study& study);

// The overrides that make a run of the file: the command line's, then the study's, then the seed.
std::vector<std::string> overrides_of(const StudyRecord& study, const RunRecord& run);

// "norm = "batch", train.batch_size = 32, seed 2"
std::string run_label(const StudyRecord& study, const RunRecord& run);

// The study in the database that goes on with this program: with the runs that the file has and the
// database has not, for values and seeds that were added. Throws Failure where anything else in the
// file has changed, naming it.
std::vector<RunRecord> runs_to_resume(StudyDatabase& database, const StudyRecord& known,
                                      const Program& program, std::vector<RunRecord> planned);

}  // namespace strata::app
