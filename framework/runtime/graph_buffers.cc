// Plans a graph: order, lifetimes, addresses.
#include "framework/runtime/graph_buffers.h"

#include <algorithm>
#include <limits>

#include "framework/base/pattern.h"
#include "framework/base/random.h"
#include "framework/plugin/services.h"

namespace strata {
namespace {

std::size_t at(ValueId v) { return static_cast<std::size_t>(v); }

std::vector<strata_shape> raw_shapes(const Graph& graph, const std::vector<ValueId>& values) {
  std::vector<strata_shape> shapes;
  for (const ValueId v : values)
    shapes.push_back(plugin_internal::from_shape(graph.values[at(v)].shape));
  return shapes;
}

const InferredPlan& plan_of(const UnitRun& run, const Graph& graph) {
  return run.unit.fusion ? run.unit.fusion->plan() : graph.nodes[at(run.unit.first())].plan;
}

constexpr Arena::Handle kNone = ~Arena::Handle{0};

}  // namespace

struct GraphBuffers::Handles {
  struct OfUnit {
    std::vector<Arena::Handle> parameters, gradients, slots, averages, states, saved, scratch,
        scratch_backward, prepared;
  };
  std::vector<Arena::Handle> values, gradients;
  std::vector<OfUnit> units;
};

GraphBuffers::GraphBuffers(const Graph& graph, std::vector<Unit> planned,
                           const BufferOptions& options)
    : graph_(graph), options_(options) {
  make_units(std::move(planned));
  find_roots();
  find_wanted();
  if (options.training) plan_backward();
  plan_waves();
  find_storage();
  Handles handles;
  reserve_values(handles);
  reserve_units(handles);
  arena_.allocate(options.reuse);
  memory_.activations = arena_.shared_bytes();
  point(handles);
}

void GraphBuffers::make_units(std::vector<Unit> planned) {
  producer_.assign(graph_.values.size(), -1);
  inside_.assign(graph_.values.size(), 0);
  units.resize(planned.size());
  for (std::size_t u = 0; u < planned.size(); ++u) {
    UnitRun& run = units[u];
    run.unit = std::move(planned[u]);
    const GraphNode& first = graph_.nodes[at(run.unit.first())];
    const GraphNode& last = graph_.nodes[at(run.unit.last())];
    for (const int n : run.unit.nodes) {
      const GraphNode& node = graph_.nodes[at(n)];
      run.path += (run.path.empty() ? "" : " + ") + node.path;
      for (const ValueId v : node.outputs) {
        producer_[at(v)] = static_cast<int>(u);
        inside_[at(v)] = n != run.unit.last();
      }
    }
    run.path_hash = name_hash(last.path.data(), last.path.size());
    run.inputs = run.unit.inputs;
    run.outputs = last.outputs;
    run.flags = plan_of(run, graph_).flags;
    if (run.unit.fusion) {
      const strata_fusion& table = run.unit.fusion->functions();
      run.entry = &run.unit.fusion->entry();
      run.forward_call = table.forward;
      run.backward_call = table.backward;
      run.prepare_call = table.prepare;
      run.instance = run.unit.fusion->raw();
    } else {
      const auto& table = first.layer->functions<strata_layer>();
      run.entry = &first.layer->entry();
      run.forward_call = table.forward;
      run.backward_call = table.backward;
      run.instance = first.layer->raw();
      run.view = first.plan.has(STRATA_VIEW);
    }
    run.kind = run.entry->name();
  }
}

bool GraphBuffers::is_frozen(const GraphNode& node,
                             const InferredPlan::Parameter& parameter) const {
  return !options_.frozen.empty() && fits_any(options_.frozen, node.path + "." + parameter.name);
}

// Whether it has a parameter that is updated.
bool GraphBuffers::learns(const GraphNode& node) const {
  return std::any_of(node.plan.parameters.begin(), node.plan.parameters.end(),
                     [&](const auto& parameter) { return !is_frozen(node, parameter); });
}

void GraphBuffers::find_roots() {
  roots_.resize(graph_.values.size());
  for (std::size_t v = 0; v < roots_.size(); ++v) roots_[v] = static_cast<ValueId>(v);
  for (const UnitRun& run : units) {
    if (run.view) roots_[at(run.outputs[0])] = root(run.inputs[0]);
  }
  readers_.resize(graph_.values.size());
  for (std::size_t u = 0; u < units.size(); ++u) {
    if (units[u].view) continue;
    for (const ValueId v : units[u].inputs) readers_[at(root(v))].push_back(static_cast<int>(u));
  }
}

void GraphBuffers::find_wanted() {
  wants_gradient_.assign(graph_.values.size(), 0);
  if (!options_.training) return;
  for (const GraphNode& node : graph_.nodes) {
    bool wants = learns(node);
    for (const ValueId input : node.inputs) wants |= wants_gradient_[at(root(input))] != 0;
    for (const ValueId output : node.outputs) wants_gradient_[at(root(output))] |= wants;
  }
}

// Follows backward order once: who writes a gradient first, who adds, and who has nothing to do.
void GraphBuffers::plan_backward() {
  std::vector<std::uint8_t> written(graph_.values.size(), 0);
  for (const ValueId output : graph_.outputs) {
    if (wants_gradient_[at(root(output))]) written[at(root(output))] = 1;
  }
  for (std::size_t u = units.size(); u-- > 0;) {
    UnitRun& run = units[u];
    run.accumulate.assign(run.inputs.size(), 1);
    if (run.view) continue;
    const auto arrives = [&](ValueId v) { return written[at(root(v))] != 0; };
    const auto wanted = [&](ValueId v) { return wants_gradient_[at(root(v))] != 0; };
    const bool learned = std::any_of(run.unit.nodes.begin(), run.unit.nodes.end(),
                                     [&](int n) { return learns(graph_.nodes[at(n)]); });
    run.backward = std::any_of(run.outputs.begin(), run.outputs.end(), arrives) &&
                   (learned || std::any_of(run.inputs.begin(), run.inputs.end(), wanted));
    if (!run.backward) continue;
    for (const ValueId output : run.outputs) {
      if (!arrives(output)) run.zero_outputs.push_back(output);
    }
    for (std::size_t i = 0; i < run.inputs.size(); ++i) {
      const ValueId input = root(run.inputs[i]);
      if (!wanted(input)) continue;
      std::uint8_t& has = written[at(input)];
      if (!has && (run.flags & STRATA_OVERWRITES)) {
        run.accumulate[i] = 0;
      } else if (!has) {
        run.zero_inputs.push_back(input);
      }
      has = 1;
    }
  }
}

// A unit runs one wave after the last one that it needs. Backward, those that add to one gradient
// also wait for each other, in their order, so that sums are the same whoever is done first.
void GraphBuffers::plan_waves() {
  const auto put = [](std::vector<std::vector<int>>& waves, int wave, int unit) {
    if (static_cast<int>(waves.size()) <= wave) waves.resize(static_cast<std::size_t>(wave) + 1);
    waves[static_cast<std::size_t>(wave)].push_back(unit);
  };
  forward_wave_.assign(units.size(), -1);
  backward_wave_.assign(units.size(), -1);
  for (std::size_t u = 0; u < units.size(); ++u) {
    if (units[u].view) continue;
    int wave = 0;
    for (const ValueId v : units[u].inputs) {
      const int from = producer_[at(root(v))];
      if (from >= 0) wave = std::max(wave, forward_wave_[static_cast<std::size_t>(from)] + 1);
    }
    forward_wave_[u] = wave;
    put(forward_waves, wave, static_cast<int>(u));
  }
  if (!options_.training) return;
  std::vector<int> written(graph_.values.size(), -1);  // the wave that last added to a gradient
  for (std::size_t u = units.size(); u-- > 0;) {
    UnitRun& run = units[u];
    if (!run.backward) continue;
    int wave = 0;
    for (const ValueId v : run.outputs) wave = std::max(wave, written[at(root(v))] + 1);
    for (const ValueId v : run.inputs) {
      if (wants_gradient_[at(root(v))]) wave = std::max(wave, written[at(root(v))] + 1);
    }
    for (const ValueId v : run.inputs) written[at(root(v))] = wave;
    backward_wave_[u] = wave;
    put(backward_waves, wave, static_cast<int>(u));
  }
}

// A layer that may work in place does so where nobody else reads what it overwrites.
void GraphBuffers::find_storage() {
  value_storage_ = gradient_storage_ = roots_;
  std::vector<std::uint8_t> outside(graph_.values.size(), 0);
  for (const ValueId v : graph_.inputs) outside[at(root(v))] = 1;
  for (const ValueId v : graph_.outputs) outside[at(root(v))] = 1;
  if (!options_.reuse) return;
  for (const UnitRun& run : units) {
    if (run.view || !(run.flags & STRATA_IN_PLACE) || run.inputs.empty()) continue;
    const ValueId in = root(run.inputs[0]), out = root(run.outputs[0]);
    if (outside[at(in)] || readers_[at(in)].size() != 1) continue;
    if (graph_.values[at(in)].shape.elements() != graph_.values[at(out)].shape.elements()) continue;
    const int from = producer_[at(in)];
    const UnitRun& maker = units[static_cast<std::size_t>(from)];
    const bool read_later =
        options_.training && (((maker.flags & STRATA_NEEDS_OUTPUT) && maker.backward) ||
                              ((run.flags & STRATA_NEEDS_INPUT) && run.backward));
    if (!read_later) value_storage_[at(out)] = value_storage_[at(in)];
    // Backward: d_input over d_output, which this unit is the last to read.
    if (run.backward && (run.flags & STRATA_OVERWRITES) && run.accumulate[0] == 0) {
      gradient_storage_[at(in)] = gradient_storage_[at(out)];
    }
  }
  // Outputs were visited after inputs, gradients run the other way: follow them to their end.
  for (std::size_t v = 0; v < roots_.size(); ++v) {
    ValueId end = gradient_storage_[v];
    while (gradient_storage_[at(end)] != end) end = gradient_storage_[at(end)];
    gradient_storage_[v] = end;
  }
}

void GraphBuffers::reserve_values(Handles& handles) {
  struct Time {
    std::int64_t begin = std::numeric_limits<std::int64_t>::max(), end = -1, elements = 0;
    bool forever = false;
    void use(std::int64_t when) {
      begin = std::min(begin, when);
      end = std::max(end, when);
    }
  };
  const auto loss = static_cast<std::int64_t>(forward_waves.size());
  const auto forward_time = [&](int u) {
    return std::int64_t{forward_wave_[static_cast<std::size_t>(u)]};
  };
  const auto backward_time = [&](int u) {
    return loss + 1 + backward_wave_[static_cast<std::size_t>(u)];
  };
  std::vector<Time> values(graph_.values.size()), gradients(graph_.values.size());
  for (std::size_t v = 0; v < graph_.values.size(); ++v) {
    if (roots_[v] != static_cast<ValueId>(v) || inside_[v]) continue;
    const std::int64_t elements = options_.capacity * graph_.values[v].shape.elements();
    Time& value = values[at(value_storage_[v])];
    value.elements = std::max(value.elements, elements);
    Time& gradient = gradients[at(gradient_storage_[v])];
    if (wants_gradient_[v]) gradient.elements = std::max(gradient.elements, elements);
    if (producer_[v] < 0) {
      value.forever = true;
    } else {
      const UnitRun& maker = units[static_cast<std::size_t>(producer_[v])];
      value.use(forward_time(producer_[v]));
      if (maker.backward) {
        if (maker.flags & STRATA_NEEDS_OUTPUT) value.use(backward_time(producer_[v]));
        gradient.use(backward_time(producer_[v]));
      }
    }
    for (const int reader : readers_[v]) {
      value.use(forward_time(reader));
      if (!units[static_cast<std::size_t>(reader)].backward) continue;
      if (units[static_cast<std::size_t>(reader)].flags & STRATA_NEEDS_INPUT)
        value.use(backward_time(reader));
      gradient.use(backward_time(reader));
    }
  }
  for (const ValueId v : graph_.outputs) {
    values[at(value_storage_[at(root(v))])].forever = true;  // read after the step
    gradients[at(gradient_storage_[at(root(v))])].use(loss);
  }
  const auto reserve = [&](const Time& time) {
    const std::int64_t bytes = time.elements * options_.element;
    if (time.elements == 0 || (!time.forever && time.end < 0)) return kNone;
    return time.forever ? arena_.reserve(bytes) : arena_.reserve(bytes, time.begin, time.end);
  };
  handles.values.assign(graph_.values.size(), kNone);
  handles.gradients.assign(graph_.values.size(), kNone);
  for (std::size_t v = 0; v < graph_.values.size(); ++v) {
    if (value_storage_[v] == static_cast<ValueId>(v)) handles.values[v] = reserve(values[v]);
    if (gradient_storage_[v] == static_cast<ValueId>(v))
      handles.gradients[v] = reserve(gradients[v]);
  }
}

void GraphBuffers::reserve_units(Handles& handles) {
  const auto forever = [&](std::int64_t elements, std::int64_t& use) {
    use += elements * options_.element;
    return arena_.reserve(elements * options_.element);
  };
  const auto loss = static_cast<std::int64_t>(forward_waves.size());
  handles.units.resize(units.size());
  for (std::size_t u = 0; u < units.size(); ++u) {
    const UnitRun& run = units[u];
    Handles::OfUnit& mine = handles.units[u];
    const std::int64_t forward = forward_wave_[u];
    const std::int64_t backward = run.backward ? loss + 1 + backward_wave_[u] : forward;
    for (const int n : run.unit.nodes) {
      const GraphNode& node = graph_.nodes[at(n)];
      const InferredPlan& plan = node.plan;
      for (const auto& parameter : plan.parameters) {
        const std::int64_t elements = parameter.shape.elements();
        mine.parameters.push_back(forever(elements, memory_.weights));
        if (!options_.training) continue;
        const bool frozen = is_frozen(node, parameter);
        if (options_.keep_gradients && !frozen) {
          mine.gradients.push_back(forever(elements, memory_.gradients));
        } else if (run.hands_gradients() || !run.backward) {
          mine.gradients.push_back(kNone);
        } else {
          mine.gradients.push_back(arena_.reserve(elements * options_.element, backward, backward));
        }
        if (frozen) {
          mine.averages.push_back(kNone);
          continue;
        }
        for (std::size_t s = 0; s < options_.slot_names.size(); ++s)
          mine.slots.push_back(forever(elements, memory_.slots));
        mine.averages.push_back(options_.averages ? forever(elements, memory_.slots) : kNone);
      }
      for (const auto& state : plan.states)
        mine.states.push_back(forever(state.shape.elements(), memory_.weights));
    }
    if (run.view) continue;
    const InferredPlan& plan = plan_of(run, graph_);
    for (const auto& b : plan.saved) {
      const std::int64_t bytes = b.elements(options_.capacity) * options_.element;
      mine.saved.push_back(arena_.reserve(bytes, forward, backward));
    }
    for (const std::int64_t elements : plan.prepared) {
      if (options_.prepare) mine.prepared.push_back(forever(elements, memory_.weights));
    }
    for (const auto& b : plan.scratch) {
      const std::int64_t bytes = b.elements(options_.capacity) * options_.element;
      mine.scratch.push_back(arena_.reserve(bytes, forward, forward));
      mine.scratch_backward.push_back(run.backward ? arena_.reserve(bytes, backward, backward)
                                                   : kNone);
    }
  }
}

void GraphBuffers::point(const Handles& handles) {
  const auto address = [&](Arena::Handle handle) -> void* {
    return handle == kNone ? nullptr : arena_.at(handle);
  };
  values_.resize(graph_.values.size());
  gradients_.resize(graph_.values.size());
  for (std::size_t v = 0; v < graph_.values.size(); ++v) {
    values_[v] = address(handles.values[at(value_storage_[v])]);
    gradients_[v] = address(handles.gradients[at(gradient_storage_[v])]);
  }
  reader_data_.resize(graph_.values.size());
  node_tensors_.resize(graph_.nodes.size());
  for (std::size_t u = 0; u < units.size(); ++u) {
    UnitRun& run = units[u];
    run.input_shapes = raw_shapes(graph_, run.inputs);
    run.output_shapes = raw_shapes(graph_, run.outputs);
    for (const ValueId v : run.inputs) {
      run.input_data.push_back(value(v));
      run.d_inputs.push_back(gradient(v));
    }
    for (const ValueId v : run.outputs) {
      run.output_data.push_back(value(v));
      run.d_outputs.push_back(gradient(v));
    }
    run.accumulate.resize(run.inputs.size(), 1);
    point_parameters(run, static_cast<int>(u), handles);
    for (const Arena::Handle handle : handles.units[u].saved)
      run.saved.push_back(arena_.at(handle));
    for (const Arena::Handle handle : handles.units[u].prepared)
      run.prepared.push_back(arena_.at(handle));
    for (const Arena::Handle handle : handles.units[u].scratch)
      run.scratch.push_back(arena_.at(handle));
    for (const Arena::Handle handle : handles.units[u].scratch_backward)
      run.scratch_backward.push_back(address(handle));
  }
  for (UnitRun& run : units) {
    for (std::size_t i = 0; i < run.inputs.size(); ++i)
      reader_data_[at(root(run.inputs[i]))].push_back(&run.input_data[i]);
    make_pass(run);
  }
  for (std::vector<NamedTensor>& named : node_tensors_)
    tensors.insert(tensors.end(), named.begin(), named.end());
  node_tensors_.clear();
}

void GraphBuffers::point_parameters(UnitRun& run, int index, const Handles& handles) {
  const Precision precision = options_.element == 4 ? Precision::kF32 : Precision::kF64;
  const Handles::OfUnit& mine = handles.units[static_cast<std::size_t>(index)];
  run.first_parameter = static_cast<int>(parameters.size());
  std::size_t p = 0, slot_at = 0, state_at = 0;
  for (const int n : run.unit.nodes) {
    const GraphNode& node = graph_.nodes[at(n)];
    for (const auto& plan : node.plan.parameters) {
      ParameterRun parameter;
      parameter.plan = &plan;
      parameter.unit = index;
      parameter.tensor = {node.path + "." + plan.name, plan.shape, precision,
                          TensorRole::kParameter, arena_.at(mine.parameters[p])};
      run.parameter_data.push_back(parameter.tensor.data);
      std::vector<NamedTensor>& named = node_tensors_[at(n)];
      named.push_back(parameter.tensor);
      if (options_.training) {
        if (mine.gradients[p] != kNone) parameter.gradient = arena_.at(mine.gradients[p]);
        parameter.frozen = is_frozen(node, plan);
        for (const std::string& slot : options_.slot_names) {
          if (parameter.frozen) break;
          parameter.slots.push_back(arena_.at(mine.slots[slot_at++]));
          named.push_back({parameter.tensor.name + "/" + slot, plan.shape, precision,
                           TensorRole::kSlot, parameter.slots.back()});
        }
        if (mine.averages[p] != kNone) {
          parameter.average = arena_.at(mine.averages[p]);
          named.push_back({parameter.tensor.name + "/ema", plan.shape, precision,
                           TensorRole::kAverage, parameter.average});
        }
      }
      run.d_parameters.push_back(run.hands_gradients() ? nullptr : parameter.gradient);
      parameters.push_back(std::move(parameter));
      ++p;
    }
    for (const auto& plan : node.plan.states) {
      states.push_back({node.path + "." + plan.name, plan.shape, precision, TensorRole::kState,
                        arena_.at(mine.states[state_at++])});
      initial_states.push_back(plan.initial);
      node_tensors_[at(n)].push_back(states.back());
      run.state.push_back(states.back().data);
    }
  }
  run.parameter_count = static_cast<int>(parameters.size()) - run.first_parameter;
}

void GraphBuffers::make_pass(UnitRun& run) {
  strata_layer_pass& pass = run.pass;
  pass = {};
  pass.struct_size = sizeof pass;
  pass.dtype = options_.element == 4 ? STRATA_F32 : STRATA_F64;
  pass.input_shapes = run.input_shapes.data();
  pass.output_shapes = run.output_shapes.data();
  pass.inputs = run.input_data.data();
  pass.outputs = run.output_data.data();
  pass.parameters = run.parameter_data.data();
  pass.state = run.state.data();
  pass.saved = run.saved.data();
  pass.scratch = run.scratch.data();
  pass.d_outputs = run.d_outputs.data();
  pass.d_inputs = run.d_inputs.data();
  pass.accumulate_inputs = run.accumulate.data();
  pass.d_parameters = run.d_parameters.data();
  pass.services = &host_services();
  pass.host = &run;
  pass.input_count = static_cast<std::int64_t>(run.input_data.size());
}

void GraphBuffers::bind_input(ValueId input, const void* data) {
  const std::size_t v = at(root(input));
  values_[v] =
      const_cast<void*>(data);  // an output may be a view of an input; nobody writes to either
  for (const void** reader : reader_data_[v]) *reader = data;
}

}  // namespace strata
