// What a run leaves behind besides its checkpoints: its folder, its log, its facts and its end.
#pragma once

#include "framework/train/run_state.h"

namespace strata {

// Makes the run's folder, or opens that of the run that goes on, and begins its log.
Status open_outputs(RunState& run);
// A finished run is resumed: what there is to say, and nothing is written, unless a kill came
// between its last checkpoint and the last line of its log.
Result<TrainOutcome> already_done(RunState& run);
// Into the run's logs: what was noted of a step, and a finished epoch.
void note_record(RunState& run, const StepRecord& record);
void note_epoch(RunState& run, const EpochReport& report);
// predictions.json of the best epoch; where an earlier process of the run saw that one, what it
// wrote stays.
void write_validation(RunState& run);
void describe_end(const RunState& run, EndReport& end);

}  // namespace strata
