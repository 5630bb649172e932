// How to write a layer: one file, one class, one registration at its end.
//
//   class ReLU final : public Layer {
//    public:
//     struct Options {};
//     static void describe(Schema<Options>& schema) { schema.doc("max(x, 0)").example("ReLU"); }
//     explicit ReLU(const Options&) {}
//     Plan infer(const Shape& input) const { return Plan().output(input)…; }        // shapes and
//     buffers template <class T> void forward(const ForwardPass<T>& pass) const; template <class T>
//     void backward(const BackwardPass<T>& pass) const;
//   };
//   const LayerRegistration<ReLU> kRegistration{"ReLU"};
//
// A layer is immutable: the host owns weights, state, saved activations and scratch and hands them
// in, so a layer runs in f32 and f64, concurrently, and needs no code to be saved. Gradients of
// parameters are added to what is there, or, with hands_gradients(), handed over piece by piece
// while they are in cache; those of inputs are added to, unless the plan says overwrites().
// Layers with several inputs take `Plan infer(const std::vector<Input>& inputs) const`. Depends on
// the standard library alone.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "framework/plugin/pass.h"
#include "framework/plugin/registration.h"

namespace strata {

// Shapes out and buffers wanted. Buffer numbers follow the order of the calls.
class Plan {
 public:
  Plan& output(Shape shape) { return outputs_.push_back(std::move(shape)), *this; }
  // A learned parameter, saved under `name`. fan_in and fan_out are the initializers' units per
  // weight.
  Plan& parameter(std::string name, Shape shape, const InitializerRef& init, std::int64_t fan_in,
                  std::int64_t fan_out, bool decay) {
    parameters_.push_back({std::move(name), std::move(shape), init, fan_in, fan_out, decay});
    return *this;
  }
  // Saved but not learned: running statistics.
  Plan& state(std::string name, Shape shape, double initial) {
    return states_.push_back({std::move(name), std::move(shape), initial}), *this;
  }
  // Elements that forward writes and backward reads: per_sample · batch + fixed.
  Plan& saved(std::int64_t per_sample, std::int64_t fixed = 0) {
    return saved_.push_back({per_sample, fixed}), *this;
  }
  // Elements for one call's own use.
  Plan& scratch(std::int64_t per_sample, std::int64_t fixed = 0) {
    return scratch_.push_back({per_sample, fixed}), *this;
  }
  // Fusions: elements that prepare writes for forward in inference.
  Plan& prepared(std::int64_t elements) { return prepared_.push_back(elements), *this; }
  Plan& needs_input() { return flags_ |= STRATA_NEEDS_INPUT, *this; }    // backward reads inputs
  Plan& needs_output() { return flags_ |= STRATA_NEEDS_OUTPUT, *this; }  // backward reads outputs
  Plan& in_place() { return flags_ |= STRATA_IN_PLACE, *this; }
  Plan& overwrites() { return flags_ |= STRATA_OVERWRITES, *this; }
  Plan& view() { return flags_ |= STRATA_VIEW, *this; }
  // Backward hands gradients to pass.gradient(…) instead of adding to d_parameter(…).
  Plan& hands_gradients() { return flags_ |= STRATA_HANDS_GRADIENTS, *this; }
  Plan& batch_statistics() { return flags_ |= STRATA_BATCH_STATISTICS, *this; }
  Plan& flops(double per_sample) { return flops_ = per_sample, *this; }
  Plan& trait(std::string name) { return traits_.push_back(std::move(name)), *this; }

  void write(strata_plan* plan) const {
    for (const Shape& shape : outputs_) {
      const strata_shape raw = plugin_internal::from_shape(shape);
      plan->add_output(plan->host, &raw);
    }
    for (const Parameter& p : parameters_) {
      const strata_shape raw = plugin_internal::from_shape(p.shape);
      plan->add_parameter(plan->host, p.name.c_str(), &raw, p.init.value, p.fan_in, p.fan_out,
                          p.decay ? STRATA_DECAY : 0);
    }
    for (const State& s : states_) {
      const strata_shape raw = plugin_internal::from_shape(s.shape);
      plan->add_state(plan->host, s.name.c_str(), &raw, s.initial);
    }
    for (const auto& [per_sample, fixed] : saved_) plan->add_saved(plan->host, per_sample, fixed);
    for (const auto& [per_sample, fixed] : scratch_)
      plan->add_scratch(plan->host, per_sample, fixed);
    for (const std::int64_t elements : prepared_) plan->add_prepared(plan->host, elements);
    plan->set_flags(plan->host, flags_);
    plan->set_flops(plan->host, flops_);
    for (const std::string& trait : traits_) plan->add_trait(plan->host, trait.c_str());
  }

 private:
  struct Parameter {
    std::string name;
    Shape shape;
    InitializerRef init;
    std::int64_t fan_in, fan_out;
    bool decay;
  };
  struct State {
    std::string name;
    Shape shape;
    double initial;
  };
  std::vector<Shape> outputs_;
  std::vector<Parameter> parameters_;
  std::vector<State> states_;
  std::vector<std::pair<std::int64_t, std::int64_t>> saved_, scratch_;
  std::vector<std::int64_t> prepared_;
  std::uint32_t flags_ = 0;
  double flops_ = 0;
  std::vector<std::string> traits_;
};

template <class T>
class LayerPass : public Services {
 public:
  explicit LayerPass(const strata_layer_pass* raw)
      : Services(raw->services, raw->host), raw_(raw) {}
  std::int64_t batch() const { return raw_->batch; }
  bool training() const { return raw_->training != 0; }
  int input_count() const { return static_cast<int>(raw_->input_count); }
  Shape input_shape(int i = 0) const {
    return plugin_internal::to_shape(raw_->input_shapes[i]);
  }  // per sample
  Shape output_shape(int i = 0) const { return plugin_internal::to_shape(raw_->output_shapes[i]); }
  std::int64_t input_size(int i = 0) const {
    return batch() * input_shape(i).elements();
  }  // of the whole batch
  std::int64_t output_size(int i = 0) const { return batch() * output_shape(i).elements(); }
  const T* input(int i = 0) const { return static_cast<const T*>(raw_->inputs[i]); }
  const T* parameter(int i) const { return static_cast<const T*>(raw_->parameters[i]); }
  T* scratch(int i = 0) const { return static_cast<T*>(raw_->scratch[i]); }
  const std::uint64_t* key() const {
    return raw_->key;
  }  // of this layer's random stream in this step

 protected:
  const strata_layer_pass* raw_;
};

template <class T>
class ForwardPass : public LayerPass<T> {
 public:
  using LayerPass<T>::LayerPass;
  T* output(int i = 0) const { return static_cast<T*>(this->raw_->outputs[i]); }
  T* state(int i) const { return static_cast<T*>(this->raw_->state[i]); }
  T* saved(int i = 0) const { return static_cast<T*>(this->raw_->saved[i]); }
  // Fusions: whether prepare has run, and what it wrote.
  bool is_prepared() const { return this->raw_->prepared != nullptr; }
  T* prepared(int i) const { return static_cast<T*>(this->raw_->prepared[i]); }
};

template <class T>
class BackwardPass : public LayerPass<T> {
 public:
  using LayerPass<T>::LayerPass;
  const T* output(int i = 0) const { return static_cast<const T*>(this->raw_->outputs[i]); }
  const T* state(int i) const { return static_cast<const T*>(this->raw_->state[i]); }
  const T* saved(int i = 0) const { return static_cast<const T*>(this->raw_->saved[i]); }
  const T* d_output(int i = 0) const { return static_cast<const T*>(this->raw_->d_outputs[i]); }
  // Null where no gradient is wanted.
  T* d_input(int i = 0) const { return static_cast<T*>(this->raw_->d_inputs[i]); }
  // Whether d_input(i) is to be added to (always, unless the plan says overwrites()).
  bool accumulate(int i = 0) const { return this->raw_->accumulate_inputs[i] != 0; }
  T* d_parameter(int i) const { return static_cast<T*>(this->raw_->d_parameters[i]); }
  // With hands_gradients(): the gradient of elements [begin, begin + count) of parameter i, each
  // element once. They may be updated at once, so whatever reads them must have run; `values` may
  // be changed.
  void gradient(int i, std::int64_t begin, std::int64_t count, T* values) const {
    this->raw_->gradient(this->raw_->host, i, begin, count, values);
  }
};

class Layer {};

namespace [[gnu::visibility("hidden")]] plugin_internal {

template <class L>
int layer_infer(const void* instance, const strata_input* inputs, std::int64_t count,
                strata_plan* plan, strata_error* error) {
  return guarded(error, [&] {
    const L& layer = *static_cast<const L*>(instance);
    const std::vector<Input> all = to_inputs(inputs, count);
    if constexpr (requires { layer.infer(all); }) {
      layer.infer(all).write(plan);
    } else {
      layer.infer(all.at(0).shape).write(plan);
    }
  });
}
template <class L>
int layer_forward(const void* instance, const strata_layer_pass* pass, strata_error* error) {
  return guarded(error, [&] {
    const L& layer = *static_cast<const L*>(instance);
    if (pass->dtype == STRATA_F32) {
      layer.forward(ForwardPass<float>(pass));
    } else {
      layer.forward(ForwardPass<double>(pass));
    }
  });
}
template <class L>
int layer_backward(const void* instance, const strata_layer_pass* pass, strata_error* error) {
  return guarded(error, [&] {
    const L& layer = *static_cast<const L*>(instance);
    if (pass->dtype == STRATA_F32) {
      layer.backward(BackwardPass<float>(pass));
    } else {
      layer.backward(BackwardPass<double>(pass));
    }
  });
}

template <class L>
inline constexpr strata_layer kLayerFunctions{sizeof(strata_layer), &layer_infer<L>,
                                              &layer_forward<L>, &layer_backward<L>};

}  // namespace gnu::visibility("hidden")]]plugin_internal

template <class L>
using LayerRegistration =
    plugin_internal::Registered<L, STRATA_LAYER, plugin_internal::kLayerFunctions<L>>;

}  // namespace strata
