// The names of the figures that a run reports: losses and metrics, of every split that it measures.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/graph/program.h"

namespace strata {

struct FigureName {
  std::string name;
  bool higher_is_better = false;
  int loss = -1;    // which loss it is; -1: the weighted sum, or a metric
  int metric = -1;  // which metric it is a result of
  int result = -1;  // which of that metric's results
};

// Of one split, without its name: "loss", each loss by its name where there are several, then the
// metrics' results. No two are equal: of two metrics of one kind, the second one's are called by
// the term's own name.
std::vector<FigureName> figure_names(const std::vector<Term>& losses,
                                     const std::vector<Term>& metrics);

// Of a run: "train.loss", "val.accuracy". Without a split "val" there are those of "train" alone.
std::vector<FigureName> run_figures(const std::vector<Term>& losses,
                                    const std::vector<Term>& metrics, const DataPipeline& data);

// What a study can report of its runs: the figures above, and
//   "seconds", "samples_per_second", "peak_memory"   of the run
//   "epochs_to_target", "seconds_to_target"          until the monitored figure reaches `target`
//   "inference.train.accuracy"  training samples, seen as inference sees them, by the last weights
//   "training.val.accuracy"     validation samples, seen as training sees them: dropout, batch
//                               statistics of batches of `batch_size`
//   "gap.accuracy"              how much worse validation is than "inference.train.accuracy"
std::vector<std::string> study_figures(const std::vector<Term>& losses,
                                       const std::vector<Term>& metrics, const DataPipeline& data);
inline constexpr const char *kInferenceFigure = "inference.", *kTrainingFigure = "training.",
                            *kGapFigure = "gap.";
inline constexpr const char *kPeakMemory = "peak_memory", *kEpochsToTarget = "epochs_to_target",
                            *kSecondsToTarget = "seconds_to_target";
bool needs_target(std::string_view figure);

}  // namespace strata
