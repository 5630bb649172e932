// Lines of metrics.jsonl, one event each, into a run's record.
#pragma once

#include <nlohmann/json.hpp>

#include "framework/report/run_record.h"

namespace strata::report {

// What is not known is left out; nothing that a line holds is an error.
void read_event(const nlohmann::ordered_json& event, RunRecord& run);
// After the last one.
void finish_events(RunRecord& run);

}  // namespace strata::report
