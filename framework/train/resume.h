// Going on with a run: the checkpoint to go on from, and whether it can go on the same way.
#pragma once

#include <optional>

#include "framework/train/run_state.h"

namespace strata {

// The checkpoint to go on from, or none where the run ended before its first one and begins again.
// Refuses what would not give the bits of a run without an interruption.
Status find_resumed(RunState& run, std::optional<Checkpoint>& checkpoint);
// Tensors and progress from a checkpoint.
Status restore(RunState& run, Checkpoint& checkpoint);

}  // namespace strata
