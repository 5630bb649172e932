// Which layers run as one: chains that a fusion plugin has a pattern for.
#pragma once

#include <memory>
#include <vector>

#include "framework/graph/graph.h"
#include "framework/plugin/instance.h"

namespace strata {

// Nodes of a graph that run together: one layer, or a chain with the fusion that does its work.
struct Unit {
  std::vector<int> nodes;
  std::vector<ValueId> inputs;  // of the first node, then what branches bring to the others
  std::shared_ptr<FusedInstance> fusion;  // null: one layer

  int first() const { return nodes.front(); }
  int last() const { return nodes.back(); }
};

// Every node in exactly one unit, units in an order in which each comes after those it reads. Of
// several patterns that fit, the longest counts, then the first by name. A value that two layers
// read, or that is an output of the model, is never inside a unit. A chain enters each of its
// layers as that one's first input.
std::vector<Unit> plan_units(const Graph& graph, const std::vector<const Entry*>& fusions);

}  // namespace strata
