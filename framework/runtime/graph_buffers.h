// Where the values of a graph, their gradients and each layer's buffers live, and the passes that
// point to them.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/graph/graph.h"
#include "framework/runtime/executor.h"
#include "framework/runtime/layout.h"

namespace strata {

// Everything one node's forward and backward are handed, made once; only the batch, the mode, the
// random key and the addresses of the model's inputs change from step to step.
struct NodeRun {
  const GraphNode* node = nullptr;
  bool view = false;      // its output is its input's memory: nothing runs
  bool backward = false;  // a gradient arrives and someone wants one
  std::vector<strata_shape> input_shapes, output_shapes;
  std::vector<const void*> inputs, d_outputs;
  std::vector<void*> outputs, state, saved, scratch, d_inputs, d_parameters;
  std::vector<const void*> parameters;
  std::vector<std::uint8_t> accumulate;
  std::vector<ValueId> zero_inputs;   // gradients to clear before backward: the layer only adds
  std::vector<ValueId> zero_outputs;  // outputs that nobody read: their gradient is zero
  strata_layer_pass pass{};
};

struct ParameterRun {
  NamedTensor tensor;
  const InferredPlan::Parameter* plan = nullptr;
  void* gradient = nullptr;
  std::vector<void*> slots;
  bool decay = false;
};

// Laid out for batches up to `capacity`; `element` is the size of the precision's type.
class GraphBuffers {
 public:
  GraphBuffers(const Graph& graph, std::int64_t capacity, std::int64_t element, bool training,
               const std::vector<std::string>& slot_names);
  GraphBuffers(const GraphBuffers&) = delete;
  GraphBuffers& operator=(const GraphBuffers&) = delete;

  std::vector<NodeRun> nodes;
  std::vector<ParameterRun> parameters;
  std::vector<NamedTensor> tensors;  // parameters, states, slots, in the order of the graph
  std::vector<NamedTensor> states;
  std::vector<double> initial_states;  // of each state

  // Value v's memory and its gradient's; views share their root's. Gradients are null where none is
  // wanted.
  void* value(ValueId v) const { return values_[static_cast<std::size_t>(root(v))]; }
  void* gradient(ValueId v) const { return gradients_[static_cast<std::size_t>(root(v))]; }
  ValueId root(ValueId v) const { return roots_[static_cast<std::size_t>(v)]; }
  // Points every reader of a model input to the caller's memory for this step.
  void bind_input(ValueId input, const void* data);

  const Executor::Memory& memory() const { return memory_; }

 private:
  void find_roots(const Graph& graph);
  void plan_backward(const Graph& graph);

  Arena arena_;
  Executor::Memory memory_;
  std::vector<ValueId> roots_;
  std::vector<void*> values_, gradients_;
  std::vector<std::uint8_t> wants_gradient_;
  std::vector<std::vector<const void**>>
      readers_;  // of each root: addresses inside the nodes' passes
};

}  // namespace strata
