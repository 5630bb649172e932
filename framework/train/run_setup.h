// Everything before the first step: data, executor, starting weights, and what can be checked of
// them.
#pragma once

#include "framework/train/run_state.h"

namespace strata {

// Opens the data, lays out the executor, loads starting weights: nothing is written yet.
Status set_up(RunState& run);

}  // namespace strata
