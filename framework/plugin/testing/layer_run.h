// A layer's buffers for one batch, in f32 or f64, and its calls.
#pragma once

#include <array>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "framework/plugin/testing/checker.h"

namespace strata::conformance {

// A layer on inputs of some shapes, with values for everything that it reads.
struct LayerCase {
  const Instance& instance;
  const InferredPlan& plan;
  std::vector<Shape> inputs;  // per sample
  std::int64_t batch = 0;
  // All exact in f32.
  std::vector<std::vector<double>> input_values, parameter_values, state_values, d_output_values;

  // States have their initial values.
  LayerCase(const Instance& layer, const InferredPlan& inferred, std::vector<Shape> input_shapes,
            std::int64_t batch_size);
};

template <class T>
class LayerRun {
 public:
  LayerRun(const LayerCase& layer_case, bool is_training,
           const strata_services& use = serial_services());

  // Poisons what the host may hand in with anything in it, and calls. In backward that goes for
  // inputs and outputs that the plan does not ask for.
  Status forward();
  Status backward();
  // Off for timing: buffers keep what is in them.
  bool poisons = true;
  // Counts what the calls allocate, where the program counts at all.
  std::int64_t (*allocations)() = nullptr;
  std::int64_t allocated = 0;
  // Inputs, parameters and d_outputs back to the case's values; gradients to `gradient`.
  void reset_gradients(double gradient);
  // Output 0 over input 0, and d_input 0 over d_output 0.
  void share_storage() { in_place_ = true; }

  // sum(d_output · output)
  double objective() const;
  bool guards_intact() const;
  // What the layer may only read has the case's values still.
  bool constants_intact() const;

  using Buffers = std::deque<Buffer<T>>;
  Buffers inputs, outputs, parameters, states, saved, scratch, d_outputs, d_inputs, d_parameters;
  std::vector<bool> wanted;              // d_inputs that are not null
  std::vector<std::uint8_t> accumulate;  // of d_inputs
  std::array<std::uint64_t, 2> key{11, 13};

  const Buffer<T>& output(std::size_t i) const {
    return in_place_ && i == 0 ? inputs[0] : outputs[i];
  }
  const Buffer<T>& d_input(std::size_t i) const {
    return in_place_ && i == 0 ? d_outputs[0] : d_inputs[i];
  }

 private:
  strata_layer_pass pass();
  void receive(std::size_t parameter, std::int64_t begin, std::int64_t count, T* values);
  template <class Function>
  Status call(Function function, const strata_layer_pass& raw);
  static std::vector<void*> pointers(Buffers& buffers);

  const LayerCase& case_;
  const bool training_;
  const strata_services& services_;
  bool in_place_ = false;
  std::mutex receiving_;
  // What pass() points to.
  std::vector<strata_shape> input_shapes_, output_shapes_;
  std::vector<void*> input_pointers_, output_pointers_, parameter_pointers_, state_pointers_,
      saved_pointers_, scratch_pointers_, d_output_pointers_, d_input_pointers_,
      d_parameter_pointers_;
};

extern template class LayerRun<float>;
extern template class LayerRun<double>;

// Puts a NaN in place of each 97th value of inputs (but not of indices) and d_outputs.
void spoil(LayerCase& layer_case);
// What becomes of a single NaN in each thing that a layer reads.
void check_layer_nan(Checker& checker, const LayerCase& layer_case);

}  // namespace strata::conformance
