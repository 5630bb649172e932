// Counts from shapes and from what layers say of themselves.
#include "framework/train/unit_cost.h"

#include <algorithm>
#include <set>

namespace strata {
namespace {

double element_bytes(const Program& program) {
  return program.train.precision == Precision::kF64 ? 8 : 4;
}

// Elements of values that the unit takes from outside, and of those that others take from it.
struct Boundary {
  double inputs = 0, outputs = 0;
};

Boundary boundary_of(const Graph& graph, const Executor::Unit& unit) {
  const std::set<int> inside(unit.nodes.begin(), unit.nodes.end());
  std::set<ValueId> inputs, made;
  for (const int n : unit.nodes) {
    const GraphNode& node = graph.nodes[static_cast<std::size_t>(n)];
    for (const ValueId v : node.inputs) {
      if (!inside.count(graph.values[static_cast<std::size_t>(v)].producer)) inputs.insert(v);
    }
    made.insert(node.outputs.begin(), node.outputs.end());
  }
  std::set<ValueId> outputs;
  for (const ValueId v : graph.outputs) {
    if (made.count(v)) outputs.insert(v);
  }
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    if (inside.count(static_cast<int>(n))) continue;
    for (const ValueId v : graph.nodes[n].inputs) {
      if (made.count(v)) outputs.insert(v);
    }
  }
  const auto elements = [&](const std::set<ValueId>& values) {
    double sum = 0;
    for (const ValueId v : values)
      sum += static_cast<double>(graph.values[static_cast<std::size_t>(v)].shape.elements());
    return sum;
  };
  return {elements(inputs), elements(outputs)};
}

// Bytes of what the optimizer keeps for a parameter, moving averages included.
double kept_bytes(const Executor& executor, const std::string& parameter) {
  double bytes = 0;
  for (const NamedTensor& tensor : executor.tensors()) {
    if (tensor.role != TensorRole::kSlot && tensor.role != TensorRole::kAverage) continue;
    if (tensor.name.rfind(parameter + "/", 0) == 0) bytes += static_cast<double>(tensor.bytes());
  }
  return bytes;
}

}  // namespace

UnitCost cost_of(const Program& program, const Executor& executor, const Executor::Unit& unit,
                 std::int64_t batch) {
  const Graph& graph = program.graph;
  const double size = element_bytes(program), samples = static_cast<double>(batch);
  UnitCost cost;
  double weights = 0, kept = 0, learned_flops = 0;
  bool views = true;
  for (const int n : unit.nodes) {
    const GraphNode& node = graph.nodes[static_cast<std::size_t>(n)];
    views = views && node.plan.has(STRATA_VIEW);
    cost.forward.flops += node.plan.flops * samples;
    if (!node.plan.parameters.empty()) learned_flops += node.plan.flops * samples;
    for (const auto& parameter : node.plan.parameters) {
      weights += static_cast<double>(parameter.shape.elements());
      kept += kept_bytes(executor, node.path + "." + parameter.name);
    }
  }
  if (views) return cost;  // another name for the same memory
  const Boundary boundary = boundary_of(graph, unit);
  const double inputs = boundary.inputs * samples, outputs = boundary.outputs * samples;
  cost.forward.bytes = (inputs + outputs + weights) * size;
  if (unit.backward) {
    // The gradient of the input costs what forward costs, and so does that of the weights.
    cost.backward.flops = (unit.input_gradient ? cost.forward.flops : 0) + learned_flops;
    cost.backward.bytes =
        (inputs + outputs + weights + (unit.input_gradient ? inputs + weights : 0)) * size;
  }
  cost.update.bytes = 3 * weights * size + 2 * kept;  // weights and slots are read and written
  return cost;
}

WorkCost loss_cost(const Program& program, std::int64_t batch) {
  std::set<int> outputs;
  for (const Term& loss : program.train.losses) {
    for (const TermInput& input : loss.inputs) {
      if (!input.is_field) outputs.insert(input.index);
    }
  }
  WorkCost cost;
  for (const int output : outputs) {
    const ValueId value = program.graph.outputs[static_cast<std::size_t>(output)];
    const Shape& shape = program.graph.values[static_cast<std::size_t>(value)].shape;
    cost.bytes += 2 * static_cast<double>(shape.elements() * batch) * element_bytes(program);
  }
  return cost;
}

}  // namespace strata
