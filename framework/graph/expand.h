// A model section to its graph: blocks instantiated, loops unrolled, branches taken, shapes
// inferred on the way.
//
// Paths of instances. Every block instance has a scope of its own; within it
//   * `as name` names the layer, block or loop before it, and `name = Layer(…)` or `name = x ->
//   Layer(…)` its one call;
//   * `name = flow` with several stages opens a scope `name`, and so does `as name` behind an if,
//   for or repeat;
//   * an assignment to an output of the block or model names nothing: what it makes belongs to the
//   scope around it;
//   * all else is called by its kind in snake case and a counter per kind in its scope: dense1,
//   batch_norm1, dense2,
//     residual1. Rounds of a loop count on, and what is named inside a loop is counted too: stem1,
//     stem2.
// So residual1.main.conv_bn1.conv2d1 is stable while layers come and go in other scopes, and a name
// keeps it stable while they come and go in its own. Parameters are called path + "." + name:
// dense1.weight.
#pragma once

#include "framework/graph/declarations.h"
#include "framework/graph/graph.h"
#include "framework/graph/session.h"

namespace strata::graph {

// False where an error was reported; the graph then holds what could be made.
bool expand_model(const dsl::ModelSection& model, Declarations& declarations, GlobalNames& globals,
                  Session& session, Graph& graph);

}  // namespace strata::graph
