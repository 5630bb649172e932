// Where the values of a graph, their gradients and each layer's buffers live, in which waves the
// units run, and the passes that point to it all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/graph/fuse.h"
#include "framework/graph/graph.h"
#include "framework/plugin/services.h"
#include "framework/runtime/executor.h"
#include "framework/runtime/layout.h"

namespace strata {

struct ParameterRun {
  NamedTensor tensor;
  const InferredPlan::Parameter* plan = nullptr;
  void* gradient = nullptr;  // null where it is used up piece by piece
  std::vector<void*> slots;
  void* average = nullptr;
  bool no_decay = false;   // the file says so
  bool frozen = false;     // never updated: no slots, no average
  double rate_factor = 1;  // of the learning rate
  int unit = 0;
};

// Everything one unit's forward and backward are handed, made once; only the batch, the mode, the
// random key and the addresses of the model's inputs change from step to step.
struct UnitRun {
  Unit unit;
  std::string path, kind;  // "dense1", "Dense"; "dense1 + batch_norm1", "DenseBatchNorm"
  std::uint64_t path_hash = 0;
  std::uint32_t flags = 0;
  decltype(strata_layer::forward) forward_call = nullptr, backward_call = nullptr;
  decltype(strata_fusion::prepare) prepare_call = nullptr;
  const void* instance = nullptr;
  const Entry* entry = nullptr;

  bool view = false;      // its output is its input's memory: nothing runs
  bool backward = false;  // a gradient arrives and someone wants one
  std::vector<ValueId> inputs, outputs;
  int first_parameter = 0, parameter_count = 0;  // into GraphBuffers::parameters

  std::vector<strata_shape> input_shapes, output_shapes;
  std::vector<const void*> input_data, d_outputs, parameter_data;
  std::vector<void*> output_data, state, saved, scratch, scratch_backward, prepared, d_inputs,
      d_parameters;
  std::vector<std::uint8_t> accumulate;
  std::vector<ValueId> zero_inputs;   // gradients to clear before backward: the layer only adds
  std::vector<ValueId> zero_outputs;  // outputs that nobody read: their gradient is zero
  strata_layer_pass pass{};

  Running::Call call(const char* function) const { return {entry, function, path.c_str()}; }
  bool hands_gradients() const { return (flags & STRATA_HANDS_GRADIENTS) != 0; }
};

struct BufferOptions {
  std::int64_t capacity = 0;
  std::int64_t element = 4;  // size of the precision's type
  bool training = false;
  bool reuse = true;            // memory of values that are no longer read
  bool keep_gradients = false;  // until the end of a step; otherwise each is used up in its unit
  bool averages = false;
  bool prepare = false;  // inference with weights that `prepare` of fusions wrote once
  std::vector<std::string> slot_names;
  std::vector<std::string>
      frozen;  // patterns of parameters that nothing is kept for but themselves
};

class GraphBuffers {
 public:
  GraphBuffers(const Graph& graph, std::vector<Unit> units, const BufferOptions& options);
  GraphBuffers(const GraphBuffers&) = delete;
  GraphBuffers& operator=(const GraphBuffers&) = delete;

  std::vector<UnitRun> units;
  // Units that may run at once, in order: each wave reads what those before it wrote.
  std::vector<std::vector<int>> forward_waves, backward_waves;
  std::vector<ParameterRun> parameters;
  // Parameters with their slots and averages, and states, in the order of the graph's nodes.
  std::vector<NamedTensor> tensors;
  std::vector<NamedTensor> states;
  std::vector<double> initial_states;  // of each state

  // Value v's memory and its gradient's; views share their root's. Null inside of a unit; gradients
  // are null where none is wanted.
  void* value(ValueId v) const { return values_[static_cast<std::size_t>(root(v))]; }
  void* gradient(ValueId v) const { return gradients_[static_cast<std::size_t>(root(v))]; }
  ValueId root(ValueId v) const { return roots_[static_cast<std::size_t>(v)]; }
  // Points every reader of a model input to the caller's memory for this step.
  void bind_input(ValueId input, const void* data);

  const Executor::Memory& memory() const { return memory_; }

 private:
  struct Handles;
  void make_units(std::vector<Unit> planned);
  bool is_frozen(const GraphNode& node, const InferredPlan::Parameter& parameter) const;
  bool learns(const GraphNode& node) const;
  void find_roots();
  void find_wanted();
  void plan_backward();
  void plan_waves();
  void find_storage();
  void reserve_values(Handles& handles);
  void reserve_units(Handles& handles);
  void point(const Handles& handles);
  void point_parameters(UnitRun& run, int index, const Handles& handles);
  void make_pass(UnitRun& run);

  const Graph& graph_;
  const BufferOptions options_;
  Arena arena_;
  Executor::Memory memory_;
  std::vector<ValueId> roots_;
  // Of roots: which one's memory a value, or its gradient, is kept in (in-place layers).
  std::vector<ValueId> value_storage_, gradient_storage_;
  std::vector<void*> values_, gradients_;
  std::vector<std::uint8_t> wants_gradient_, inside_;
  std::vector<int> producer_;                           // unit, -1: an input of the model
  std::vector<std::vector<int>> readers_;               // units, of each root
  std::vector<int> forward_wave_, backward_wave_;       // of each unit; -1: does not run
  std::vector<std::vector<NamedTensor>> node_tensors_;  // while pointing
  std::vector<std::vector<const void**>>
      reader_data_;  // of each root: addresses inside the units' passes
};

}  // namespace strata
