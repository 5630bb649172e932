// Additions to a graph while a model is expanded.
#pragma once

#include <string>
#include <vector>

#include "framework/dsl/syntax.h"
#include "framework/graph/evaluate.h"
#include "framework/graph/graph.h"
#include "framework/graph/session.h"

namespace strata::graph {

// What a flow carries: one value, or a layer's several outputs; -1: unknown.
using Ids = std::vector<ValueId>;

// An input of the model; -1 where its shape is none (reported).
ValueId add_input(Graph& graph, const dsl::ModelInput& input, Names& names, Session& session);

// A layer behind its inputs, which are known; {-1} where it cannot work on their shapes (reported).
Ids add_node(Graph& graph, const std::string& path, const InstancePtr& instance, Ids input_ids,
             Span span, Session& session);

// Calls a value as `as` or `=` does. Inputs keep their names.
void name_value(Graph& graph, ValueId id, std::string name);

// Drops the nodes from which no output is reached.
void prune(Graph& graph);

}  // namespace strata::graph
