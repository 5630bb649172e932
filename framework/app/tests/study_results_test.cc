// The table of a study's results.
#include "framework/app/study_results.h"

#include <gtest/gtest.h>

namespace strata::app {
namespace {

RunRecord run_with(const char* value, std::int64_t seed, double loss, double accuracy) {
  RunRecord run;
  run.values = {value};
  run.seed = seed;
  run.status = kDone;
  run.last = {{"val.loss", loss}, {"val.accuracy", accuracy}};
  return run;
}

TEST(StudyResults, DeviationsHaveThePlacesOfTheirMeans) {
  StudyRecord study;
  study.paths = {"train.batch_size"};
  study.reports = {"val.loss", "val.accuracy"};
  const std::vector<RunRecord> runs = {
      run_with("8", 1, 0.0250, 0.98), run_with("8", 2, 0.0256, 0.98), run_with("64", 1, 12.25, 0.5),
      run_with("64", 2, 12.75, 0.6)};
  EXPECT_EQ(results_table(study, runs, false),
            "  batch_size  n          val loss    val accuracy\n"
            "  8           2   0.0253 ± 0.0004  98.00 ± 0.00 %\n"
            "  64          2  12.5000 ± 0.3536  55.00 ± 7.07 %\n");
}

}  // namespace
}  // namespace strata::app
