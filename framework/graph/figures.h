// The names of the figures that a run reports: losses and metrics, of every split that it measures.
#pragma once

#include <string>
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

}  // namespace strata
