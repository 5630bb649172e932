// `take(…)` and `split(…)` in a data section: which samples its splits have.
#pragma once

#include <optional>
#include <string_view>

#include "framework/graph/session.h"
#include "framework/graph/split_rule.h"
#include "framework/graph/value.h"

namespace strata::graph {

bool is_split_stage(std::string_view name);

// What such a stage with these arguments says; nullopt after an error.
std::optional<SplitRule> read_split_stage(const CallValue& call, Session& session);

}  // namespace strata::graph
