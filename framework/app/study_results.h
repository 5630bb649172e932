// What the runs of a study come to: a table by what varies, and all of it for programs.
#pragma once

#include <string>
#include <vector>

#include "framework/app/study/database.h"

namespace strata::app {

// Mean and sample standard deviation over the runs of one combination.
struct Spread {
  std::int64_t count = 0;
  double mean = 0, deviation = 0;  // deviation: 0 where there are fewer than two
  double low = 0, high = 0;
};

// The runs with equal values, in the order of their first.
struct Combination {
  std::vector<std::string> values;
  std::vector<const RunRecord*> runs;
  std::int64_t done = 0, failed = 0, to_do = 0;  // done: or stopped by halving; failed: or diverged
};
std::vector<Combination> combinations(const std::vector<RunRecord>& runs);

// Over runs that are done or stopped and have the figure, of the last epoch or of the best.
Spread spread(const Combination& combination, const std::string& name, bool best);

// The study's reports; where it names none, the figures of validation, else of training.
std::vector<std::string> reported_figures(const StudyRecord& study,
                                          const std::vector<RunRecord>& runs);

// "12 of 36 runs done, 1 diverged"; of a halving that has ended "36 runs: 1 done, 35 stopped early
// by the halving".
std::string state_text(const std::vector<RunRecord>& runs);

// For people: a line for each combination, "98.10 ± 0.12 %".
std::string results_table(const StudyRecord& study, const std::vector<RunRecord>& runs, bool best);
// A line for each run, as RFC 4180 has it; figures of the best epoch begin with "best.".
std::string results_csv(const StudyRecord& study, const std::vector<RunRecord>& runs);
std::string results_json(const StudyRecord& study, const std::vector<RunRecord>& runs);

// The last part of each path, where that says which: "batch_size" of "train.batch_size".
std::vector<std::string> short_paths(const std::vector<std::string>& paths);
// A value of the language as people read it: strings without quotes.
std::string unquoted(const std::string& value);

}  // namespace strata::app
