// The typed, shaped, immutable graph of a model: what elaboration makes of a tree, and what the
// runtime plans from.
//
// Blocks and loops are unrolled; every node is one plugin instance with a stable, readable path.
// Nodes are in an order in which each comes after the nodes it reads. Shapes are per sample.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/source.h"
#include "framework/plugin/instance.h"

namespace strata {

using ValueId = std::int32_t;

struct GraphValue {
  std::string name;  // readable: the input's name, a node's path, or what `as` or `=` called it
  Shape shape;
  int producer = -1;  // node; -1: an input of the model
  int output = 0;     // which of the producer's outputs
};

struct GraphNode {
  std::string path;  // "stage1.block0.main.conv1"; parameters are called path + "." + name
  InstancePtr layer;
  InferredPlan plan;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  Span span;  // where the layer was written
};

struct Graph {
  std::string name;  // of the model
  std::vector<GraphValue> values;
  std::vector<GraphNode> nodes;
  std::vector<ValueId> inputs;  // named as in the model's header
  std::vector<std::string> input_names;
  std::vector<ValueId> outputs;
  std::vector<std::string> output_names;

  ValueId find_output(std::string_view name) const;  // -1 where there is none
  std::int64_t parameter_count() const;              // learned elements
};

}  // namespace strata
