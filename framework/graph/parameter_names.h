// Parameters of a graph by name, and patterns that mean some of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/graph/program.h"
#include "framework/graph/session.h"
#include "framework/graph/value.h"

namespace strata::graph {

// "dense1.weight", in the order of the graph.
std::vector<std::string> parameter_names(const Graph& graph);

// Whether every pattern of the setting means at least one parameter; says so where one does not.
bool check_patterns(const std::vector<std::string>& patterns, const Graph& graph,
                    const std::string& setting, Span span, Session& session);

// The pairs of `lr_scale = [("conv*", 0.1), ("logits.*", 10)]`; nullopt where an error was
// reported.
std::optional<std::vector<RateScale>> read_rate_scales(const Value& value, Span span,
                                                       Session& session);

}  // namespace strata::graph
