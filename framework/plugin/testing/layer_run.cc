// Filling the C pass of a layer, with poison where the contract allows it.
#include "framework/plugin/testing/layer_run.h"

#include <algorithm>
#include <limits>

#include "framework/plugin/pass.h"

namespace strata::conformance {

LayerCase::LayerCase(const Instance& layer, const InferredPlan& inferred,
                     std::vector<Shape> input_shapes, std::int64_t batch_size)
    : instance(layer), plan(inferred), inputs(std::move(input_shapes)), batch(batch_size) {
  std::uint64_t seed = 1;
  for (const Shape& shape : inputs)
    input_values.push_back(sample_values(batch * shape.elements(), seed++));
  if (plan.has_trait("takes-indices")) {
    for (double& x : input_values.front()) x = x < 0 ? 0 : 1;
  }
  for (const auto& parameter : plan.parameters) {
    parameter_values.push_back(sample_values(parameter.shape.elements(), seed++));
  }
  for (const auto& state : plan.states) {
    state_values.emplace_back(static_cast<std::size_t>(state.shape.elements()),
                              static_cast<float>(state.initial));
  }
  for (const Shape& shape : plan.outputs)
    d_output_values.push_back(sample_values(batch * shape.elements(), seed++));
}

template <class T>
LayerRun<T>::LayerRun(const LayerCase& layer_case, bool is_training, const strata_services& use)
    : case_(layer_case), training_(is_training), services_(use) {
  for (const auto& values : case_.input_values)
    inputs.emplace_back(static_cast<std::int64_t>(values.size()));
  for (const auto& values : case_.input_values)
    d_inputs.emplace_back(static_cast<std::int64_t>(values.size()));
  for (const auto& values : case_.parameter_values)
    parameters.emplace_back(static_cast<std::int64_t>(values.size()));
  for (const auto& values : case_.parameter_values)
    d_parameters.emplace_back(static_cast<std::int64_t>(values.size()));
  for (const auto& values : case_.state_values)
    states.emplace_back(static_cast<std::int64_t>(values.size()));
  for (const auto& values : case_.d_output_values)
    outputs.emplace_back(static_cast<std::int64_t>(values.size()));
  for (const auto& values : case_.d_output_values)
    d_outputs.emplace_back(static_cast<std::int64_t>(values.size()));
  for (const auto& buffer : case_.plan.saved) saved.emplace_back(buffer.elements(case_.batch));
  for (const auto& buffer : case_.plan.scratch) scratch.emplace_back(buffer.elements(case_.batch));
  for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i].set(case_.input_values[i]);
  for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i].set(case_.parameter_values[i]);
  for (std::size_t i = 0; i < states.size(); ++i) states[i].set(case_.state_values[i]);
  wanted.assign(inputs.size(), true);
  accumulate.assign(inputs.size(), 1);
  reset_gradients(0);
}

template <class T>
void LayerRun<T>::reset_gradients(double gradient) {
  for (std::size_t i = 0; i < d_outputs.size(); ++i) d_outputs[i].set(case_.d_output_values[i]);
  for (Buffer<T>& buffer : d_parameters) buffer.fill(static_cast<T>(gradient));
  for (Buffer<T>& buffer : d_inputs) buffer.fill(static_cast<T>(gradient));
}

template <class T>
std::vector<void*> LayerRun<T>::pointers(Buffers& buffers) {
  std::vector<void*> out;
  for (Buffer<T>& buffer : buffers) out.push_back(buffer.data());
  return out;
}

template <class T>
strata_layer_pass LayerRun<T>::pass() {
  input_shapes_.clear();
  output_shapes_.clear();
  for (const Shape& shape : case_.inputs)
    input_shapes_.push_back(plugin_internal::from_shape(shape));
  for (const Shape& shape : case_.plan.outputs)
    output_shapes_.push_back(plugin_internal::from_shape(shape));
  input_pointers_ = pointers(inputs);
  output_pointers_ = pointers(outputs);
  parameter_pointers_ = pointers(parameters);
  state_pointers_ = pointers(states);
  saved_pointers_ = pointers(saved);
  scratch_pointers_ = pointers(scratch);
  d_output_pointers_ = pointers(d_outputs);
  d_input_pointers_ = pointers(d_inputs);
  d_parameter_pointers_ = pointers(d_parameters);
  if (in_place_) {
    output_pointers_[0] = input_pointers_[0];
    d_input_pointers_[0] = d_output_pointers_[0];
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i]) d_input_pointers_[i] = nullptr;
  }
  strata_layer_pass raw{};
  raw.struct_size = sizeof raw;
  raw.dtype = dtype_of<T>();
  raw.training = training_;
  raw.batch = case_.batch;
  raw.input_shapes = input_shapes_.data();
  raw.output_shapes = output_shapes_.data();
  raw.inputs = input_pointers_.data();
  raw.outputs = output_pointers_.data();
  raw.parameters = parameter_pointers_.data();
  raw.state = state_pointers_.data();
  raw.saved = saved_pointers_.data();
  raw.scratch = scratch_pointers_.data();
  raw.d_outputs = d_output_pointers_.data();
  raw.d_inputs = d_input_pointers_.data();
  raw.accumulate_inputs = accumulate.data();
  raw.d_parameters = d_parameter_pointers_.data();
  raw.key[0] = key[0];
  raw.key[1] = key[1];
  raw.services = &services_;
  raw.input_count = static_cast<std::int64_t>(inputs.size());
  raw.host = this;
  raw.gradient = [](void* host, std::int64_t parameter, std::int64_t begin, std::int64_t count,
                    void* values) {
    static_cast<LayerRun*>(host)->receive(static_cast<std::size_t>(parameter), begin, count,
                                          static_cast<T*>(values));
  };
  if (case_.plan.has(STRATA_HANDS_GRADIENTS)) {
    std::fill(d_parameter_pointers_.begin(), d_parameter_pointers_.end(), nullptr);
  }
  return raw;
}

// As the most eager host would take it: the weights that it is for are gone from then on.
template <class T>
void LayerRun<T>::receive(std::size_t parameter, std::int64_t begin, std::int64_t count,
                          T* values) {
  const std::lock_guard lock(receiving_);
  for (std::int64_t i = 0; i < count; ++i) {
    d_parameters[parameter].data()[begin + i] += values[i];
    values[i] = std::numeric_limits<T>::quiet_NaN();
    parameters[parameter].data()[begin + i] = std::numeric_limits<T>::quiet_NaN();
  }
}

template <class T>
template <class Function>
Status LayerRun<T>::call(Function function, const strata_layer_pass& raw) {
  const std::int64_t before = allocations ? allocations() : 0;
  Status done = call_plugin(function, case_.instance.raw(), &raw);
  if (allocations && done.ok()) allocated += allocations() - before;
  return done;
}

template <class T>
Status LayerRun<T>::forward() {
  for (Buffers* buffers : {&outputs, &saved, &scratch}) {
    for (Buffer<T>& buffer : *buffers) {
      if (poisons) buffer.fill_poison();
    }
  }
  return call(case_.instance.functions<strata_layer>().forward, pass());
}

template <class T>
Status LayerRun<T>::backward() {
  if (!poisons) return call(case_.instance.functions<strata_layer>().backward, pass());
  for (Buffer<T>& buffer : scratch) buffer.fill_poison();
  // In place, input and output are one; then it holds the output.
  if (!case_.plan.has(STRATA_NEEDS_INPUT)) {
    for (std::size_t i = in_place_ ? 1 : 0; i < inputs.size(); ++i) inputs[i].fill_poison();
  }
  if (!case_.plan.has(STRATA_NEEDS_OUTPUT)) {
    for (Buffer<T>& buffer : outputs) buffer.fill_poison();
    if (in_place_) inputs[0].fill_poison();
  }
  Status done = call(case_.instance.functions<strata_layer>().backward, pass());
  if (case_.plan.has(STRATA_HANDS_GRADIENTS)) {
    for (std::size_t i = 0; i < parameters.size(); ++i)
      parameters[i].set(case_.parameter_values[i]);
  }
  return done;
}

template <class T>
double LayerRun<T>::objective() const {
  double sum = 0;
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    for (std::int64_t i = 0; i < outputs[o].size(); ++i) {
      sum += static_cast<double>(outputs[o].data()[i]) *
             case_.d_output_values[o][static_cast<std::size_t>(i)];
    }
  }
  return sum;
}

template <class T>
bool LayerRun<T>::guards_intact() const {
  for (const Buffers* buffers : {&inputs, &outputs, &parameters, &states, &saved, &scratch,
                                 &d_outputs, &d_inputs, &d_parameters}) {
    if (!std::all_of(buffers->begin(), buffers->end(),
                     [](const Buffer<T>& b) { return b.intact(); }))
      return false;
  }
  return true;
}

template <class T>
bool LayerRun<T>::constants_intact() const {
  const auto equal = [](const Buffers& buffers, const std::vector<std::vector<double>>& values) {
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      // Poisoned ones (all NaN) were not to be read at all.
      if (buffers[i].size() > 0 && buffers[i].data()[0] != buffers[i].data()[0]) continue;
      if (buffers[i].values() != values[i]) return false;
    }
    return true;
  };
  return equal(inputs, case_.input_values) && equal(parameters, case_.parameter_values) &&
         equal(d_outputs, case_.d_output_values);
}

template class LayerRun<float>;
template class LayerRun<double>;

}  // namespace strata::conformance
