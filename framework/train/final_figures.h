// Figures of the weights that a run ended with which its epochs do not have. While a network trains
// its training figures are those of weights that still moved, with dropout and batch statistics;
// here both splits are seen the same way, by the same weights.
#pragma once

#include <string>
#include <vector>

#include "framework/train/training.h"

namespace strata {

// Those of `wanted` that begin with "inference.", "training." or "gap." (framework/graph/figures.h
// says what they are), in the order of the figures of a split; others are left out. `folder` is the
// run's. Reads the training samples once for the first and the last kind, those of validation for
// the other.
Result<NamedFigures> final_figures(const Program& program, const std::string& folder,
                                   const std::vector<std::string>& wanted, int threads);

}  // namespace strata
