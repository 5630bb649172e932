// Laying out a graph's memory, and deciding which gradients flow where.
#include "framework/runtime/graph_buffers.h"

#include <algorithm>

#include "framework/plugin/services.h"

namespace strata {
namespace {

std::vector<strata_shape> raw_shapes(const Graph& graph, const std::vector<ValueId>& values) {
  std::vector<strata_shape> shapes;
  for (const ValueId v : values) {
    shapes.push_back(plugin_internal::from_shape(graph.values[static_cast<std::size_t>(v)].shape));
  }
  return shapes;
}

}  // namespace

void GraphBuffers::find_roots(const Graph& graph) {
  roots_.resize(graph.values.size());
  for (std::size_t v = 0; v < roots_.size(); ++v) roots_[v] = static_cast<ValueId>(v);
  for (const GraphNode& node : graph.nodes) {
    if (node.plan.has(STRATA_VIEW))
      roots_[static_cast<std::size_t>(node.outputs[0])] = root(node.inputs[0]);
  }
}

// Follows backward order once: who writes a gradient first, who adds, and who has nothing to do.
void GraphBuffers::plan_backward(const Graph& graph) {
  std::vector<std::uint8_t> written(graph.values.size(), 0);
  for (const ValueId output : graph.outputs) {
    if (wants_gradient_[static_cast<std::size_t>(root(output))])
      written[static_cast<std::size_t>(root(output))] = 1;
  }
  for (std::size_t n = nodes.size(); n-- > 0;) {
    NodeRun& run = nodes[n];
    if (run.view) continue;
    const GraphNode& node = *run.node;
    const auto arrives = [&](ValueId v) { return written[static_cast<std::size_t>(root(v))] != 0; };
    const auto wanted = [&](ValueId v) {
      return wants_gradient_[static_cast<std::size_t>(root(v))] != 0;
    };
    run.backward = std::any_of(node.outputs.begin(), node.outputs.end(), arrives) &&
                   (!node.plan.parameters.empty() ||
                    std::any_of(node.inputs.begin(), node.inputs.end(), wanted));
    if (!run.backward) continue;
    for (const ValueId output : node.outputs) {
      if (!arrives(output)) run.zero_outputs.push_back(output);
    }
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId input = root(node.inputs[i]);
      if (!wanted(input)) continue;
      std::uint8_t& has = written[static_cast<std::size_t>(input)];
      run.accumulate[i] = 1;
      if (!has && node.plan.has(STRATA_OVERWRITES)) {
        run.accumulate[i] = 0;
      } else if (!has) {
        run.zero_inputs.push_back(input);
      }
      has = 1;
    }
  }
}

GraphBuffers::GraphBuffers(const Graph& graph, std::int64_t capacity, std::int64_t element,
                           bool training, const std::vector<std::string>& slot_names) {
  find_roots(graph);
  wants_gradient_.assign(graph.values.size(), 0);
  for (const GraphNode& node : graph.nodes) {
    bool wants = !node.plan.parameters.empty();
    for (const ValueId input : node.inputs)
      wants |= wants_gradient_[static_cast<std::size_t>(root(input))] != 0;
    for (const ValueId output : node.outputs)
      wants_gradient_[static_cast<std::size_t>(root(output))] |= wants;
  }

  constexpr Arena::Handle kNone = ~Arena::Handle{0};
  const auto reserve = [&](std::int64_t elements, std::int64_t& use) {
    use += elements * element;
    return arena_.reserve(elements * element);
  };
  std::vector<Arena::Handle> value_at(graph.values.size(), kNone),
      gradient_at(graph.values.size(), kNone);
  for (std::size_t v = 0; v < graph.values.size(); ++v) {
    if (roots_[v] != static_cast<ValueId>(v)) continue;
    const std::int64_t elements = capacity * graph.values[v].shape.elements();
    value_at[v] = reserve(elements, memory_.activations);
    if (training && wants_gradient_[v]) gradient_at[v] = reserve(elements, memory_.activations);
  }
  struct NodeHandles {
    std::vector<Arena::Handle> parameters, gradients, slots, states, saved, scratch;
  };
  std::vector<NodeHandles> handles(graph.nodes.size());
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const InferredPlan& plan = graph.nodes[n].plan;
    for (const auto& parameter : plan.parameters) {
      const std::int64_t elements = parameter.shape.elements();
      handles[n].parameters.push_back(reserve(elements, memory_.weights));
      if (!training) continue;
      handles[n].gradients.push_back(reserve(elements, memory_.gradients));
      for (std::size_t s = 0; s < slot_names.size(); ++s) {
        handles[n].slots.push_back(reserve(elements, memory_.slots));
      }
    }
    for (const auto& state : plan.states)
      handles[n].states.push_back(reserve(state.shape.elements(), memory_.weights));
    for (const auto& b : plan.saved)
      handles[n].saved.push_back(reserve(b.elements(capacity), memory_.activations));
    for (const auto& b : plan.scratch)
      handles[n].scratch.push_back(reserve(b.elements(capacity), memory_.scratch));
  }

  arena_.allocate();
  const auto address = [&](Arena::Handle handle) -> void* {
    return handle == kNone ? nullptr : arena_.at(handle);
  };
  values_.resize(graph.values.size());
  gradients_.resize(graph.values.size());
  for (std::size_t v = 0; v < graph.values.size(); ++v) {
    values_[v] = address(value_at[v]);
    gradients_[v] = address(gradient_at[v]);
  }

  const Precision precision = element == 4 ? Precision::kF32 : Precision::kF64;
  nodes.resize(graph.nodes.size());
  readers_.resize(graph.values.size());
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const GraphNode& node = graph.nodes[n];
    NodeRun& run = nodes[n];
    run.node = &node;
    run.view = node.plan.has(STRATA_VIEW);
    run.input_shapes = raw_shapes(graph, node.inputs);
    run.output_shapes = raw_shapes(graph, node.outputs);
    for (const ValueId v : node.inputs) {
      run.inputs.push_back(value(v));
      run.d_inputs.push_back(gradient(v));
    }
    for (const ValueId v : node.outputs) {
      run.outputs.push_back(value(v));
      run.d_outputs.push_back(gradient(v));
    }
    run.accumulate.assign(node.inputs.size(), 1);
    std::size_t slot_at = 0;
    for (std::size_t p = 0; p < node.plan.parameters.size(); ++p) {
      const auto& plan = node.plan.parameters[p];
      ParameterRun parameter;
      parameter.plan = &plan;
      parameter.decay = plan.decay;
      parameter.tensor = {node.path + "." + plan.name, plan.shape, precision,
                          TensorRole::kParameter, arena_.at(handles[n].parameters[p])};
      run.parameters.push_back(parameter.tensor.data);
      tensors.push_back(parameter.tensor);
      if (training) {
        parameter.gradient = arena_.at(handles[n].gradients[p]);
        for (const std::string& slot : slot_names) {
          parameter.slots.push_back(arena_.at(handles[n].slots[slot_at++]));
          tensors.push_back({parameter.tensor.name + "/" + slot, plan.shape, precision,
                             TensorRole::kSlot, parameter.slots.back()});
        }
      }
      run.d_parameters.push_back(parameter.gradient);
      parameters.push_back(std::move(parameter));
    }
    for (std::size_t s = 0; s < node.plan.states.size(); ++s) {
      const auto& plan = node.plan.states[s];
      states.push_back({node.path + "." + plan.name, plan.shape, precision, TensorRole::kState,
                        arena_.at(handles[n].states[s])});
      initial_states.push_back(plan.initial);
      tensors.push_back(states.back());
      run.state.push_back(states.back().data);
    }
    for (const Arena::Handle handle : handles[n].saved) run.saved.push_back(arena_.at(handle));
    for (const Arena::Handle handle : handles[n].scratch) run.scratch.push_back(arena_.at(handle));
  }
  for (NodeRun& run : nodes) {
    for (std::size_t i = 0; i < run.inputs.size(); ++i) {
      readers_[static_cast<std::size_t>(root(run.node->inputs[i]))].push_back(&run.inputs[i]);
    }
    run.pass = {sizeof(strata_layer_pass),
                precision == Precision::kF32 ? STRATA_F32 : STRATA_F64,
                0,
                0,
                run.input_shapes.data(),
                run.output_shapes.data(),
                run.inputs.data(),
                run.outputs.data(),
                run.parameters.data(),
                run.state.data(),
                run.saved.data(),
                run.scratch.data(),
                run.d_outputs.data(),
                run.d_inputs.data(),
                run.accumulate.data(),
                run.d_parameters.data(),
                {0, 0},
                &host_services(),
                nullptr,
                static_cast<std::int64_t>(run.inputs.size())};
  }
  if (training) plan_backward(graph);
}

void GraphBuffers::bind_input(ValueId input, const void* data) {
  const auto at = static_cast<std::size_t>(root(input));
  values_[at] =
      const_cast<void*>(data);  // an output may be a view of an input; nobody writes to either
  for (const void** reader : readers_[at]) *reader = data;
}

}  // namespace strata
