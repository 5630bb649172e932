// How a layer is written in other programs' formats: its work as operators of ONNX, and its tensors
// as Keras and PyTorch keep them. Both are optional methods of a layer's class:
//
//   void to_onnx(OnnxLayer& onnx) const { onnx.node("LeakyRelu", {{"alpha", negative_slope_}}); }
//   void to_others(LayerTensors& tensors) const { tensors.keras("weight", "kernel", {1, 0}); }
//
//   const LayerRegistration<LeakyReLU> kRegistration{"LeakyReLU"};
//   const ExchangeRegistration<LeakyReLU> kExchange;
//
// A layer without to_onnx cannot be exported, and the user is told which one it is. A layer without
// to_others keeps its names and layouts, which are PyTorch's; if it has tensors, it cannot be
// written for Keras. What a method throws (PluginError) is shown to the user. Only layers that are
// linked into the program are asked: these methods are not part of the C boundary. Depends on the
// standard library alone.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "framework/plugin/layer.h"

namespace strata {

using OnnxAttribute =
    std::pair<std::string,
              std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>>>;
using OnnxAttributes = std::vector<OnnxAttribute>;
using OnnxNames = std::vector<std::string>;

// One layer while it is written as operators of ONNX' opset 17. Values are float tensors whose
// first axis is the batch; shapes here are per sample, so axes of operators count from 1.
class OnnxLayer {
 public:
  virtual ~OnnxLayer() = default;
  virtual int input_count() const = 0;
  virtual int output_count() const = 0;
  virtual Shape input_shape(int i = 0) const = 0;
  virtual Shape output_shape(int i = 0) const = 0;
  // OnnxNames of values, as operators take and give them.
  virtual std::string input(int i = 0) const = 0;
  virtual std::string output(int i = 0) const = 0;

  // A parameter or state as a constant of the network, as it is or under another shape of as many
  // elements.
  virtual bool has(std::string_view parameter) const = 0;
  virtual Shape shape_of(std::string_view parameter) const = 0;
  virtual std::vector<double> values_of(std::string_view parameter) const = 0;
  virtual std::string tensor(std::string_view parameter, const Shape& shape) = 0;
  std::string tensor(std::string_view parameter) { return tensor(parameter, shape_of(parameter)); }
  // The same for what a layer may do without: then all of it is `value`.
  std::string learned(std::string_view parameter, const Shape& shape, double value) {
    if (has(parameter)) return tensor(parameter, shape);
    const std::vector<double> values(static_cast<std::size_t>(shape.elements()), value);
    return numbers(value == 0 ? "zeros" : value == 1 ? "ones" : "values", shape, values);
  }
  // Other constants; `what` tells what one is: "dense1/<what>".
  virtual std::string numbers(std::string_view what, const Shape& shape,
                              const std::vector<double>& values) = 0;
  virtual std::string integers(std::string_view what, const std::vector<std::int64_t>& values) = 0;
  std::string number(std::string_view what, double value) { return numbers(what, {}, {value}); }

  // An operator.
  virtual void node(const std::string& operation, const OnnxNames& inputs, const OnnxNames& outputs,
                    const OnnxAttributes& attributes = {}) = 0;
  // From the layer's input to its output.
  void node(const std::string& operation, const OnnxAttributes& attributes = {}) {
    node(operation, {input()}, {output()}, attributes);
  }
  // To a value between the layer's operators; returns its name.
  virtual std::string step(const std::string& operation, const OnnxNames& inputs,
                           const OnnxAttributes& attributes = {}) = 0;
  // The output is the input, under the same shape: dropout in inference.
  virtual void pass_on() = 0;
};

// The extents of a shape as the value of an attribute.
inline std::vector<std::int64_t> extents_of(const Shape& shape) {
  return {shape.begin(), shape.end()};
}

// [channels] as it has to be for operators that stretch it over a sample: [channels, 1, 1].
inline Shape channel_shape(const Shape& sample) {
  std::vector<std::int64_t> extents(static_cast<std::size_t>(sample.rank()), 1);
  extents[0] = sample[0];
  return Shape(extents.begin(), extents.end());
}

// How one tensor is kept elsewhere.
struct TensorForm {
  std::string ours;                // "weight"
  std::string theirs;              // "kernel"
  std::vector<int> axes;           // their axis i is axis axes[i] of `view`; empty: the same order
  std::vector<std::int64_t> view;  // what ours is reshaped to before; empty: as it is
  int features = -1;  // the axis of ours, not reshaped, that goes over the features of a flat input

  TensorForm& viewed(const Shape& shape) { return view = extents_of(shape), *this; }
  TensorForm& over_features(int axis) { return features = axis, *this; }
};

// What a layer says of its tensors. PyTorch's names and layouts are those that the layer has.
class LayerTensors {
 public:
  LayerTensors(Shape input, Shape output) : input_(std::move(input)), output_(std::move(output)) {}
  const Shape& input() const { return input_; }  // per sample
  const Shape& output() const { return output_; }

  TensorForm& keras(std::string ours, std::string theirs, std::vector<int> axes = {}) {
    return keras_.emplace_back(
        TensorForm{std::move(ours), std::move(theirs), std::move(axes), {}, -1});
  }
  // A whole number that PyTorch keeps beside the tensors and that is of no use here.
  void pytorch_counter(std::string name) { counters_.push_back(std::move(name)); }
  // The options of Keras' layer that decide what the weights give: "epsilon = 1e-05".
  void keras_option(std::string text) { keras_options_.push_back(std::move(text)); }
  void pytorch_option(std::string text) { pytorch_options_.push_back(std::move(text)); }

  // Keras has channels last. The layer works on images or sequences of channels, [channels, …],
  // whatever shape comes in.
  void channels_first() { channels_first_ = true; }
  // Features of its output have an order of their own (Dense), whatever the input's is.
  void new_features() { new_features_ = true; }
  // Axes change places, so that Keras would have to be told otherwise.
  void moves_axes() { moves_axes_ = true; }

  const std::vector<TensorForm>& keras_forms() const { return keras_; }
  const std::vector<std::string>& counters() const { return counters_; }
  const std::vector<std::string>& keras_options() const { return keras_options_; }
  const std::vector<std::string>& pytorch_options() const { return pytorch_options_; }
  bool has_channels_first() const { return channels_first_; }
  bool has_new_features() const { return new_features_; }
  bool has_moved_axes() const { return moves_axes_; }

 private:
  Shape input_, output_;
  std::vector<TensorForm> keras_;
  std::vector<std::string> counters_, keras_options_, pytorch_options_;
  bool channels_first_ = false, new_features_ = false, moves_axes_ = false;
};

namespace [[gnu::visibility("hidden")]] plugin_internal {

// What one layer class can say; a list of them per module.
struct ExchangeMethods {
  const void* functions;  // strata_entry::functions of the layer
  void (*to_onnx)(const void* instance, OnnxLayer& onnx);
  void (*to_others)(const void* instance, LayerTensors& tensors);
  const ExchangeMethods* next;
};

inline const ExchangeMethods*& exchange_methods() {
  static const ExchangeMethods* head = nullptr;
  return head;
}

}  // namespace gnu::visibility("hidden")]]plugin_internal

template <class L>
class ExchangeRegistration {
 public:
  ExchangeRegistration() {
    methods_.functions = &plugin_internal::kLayerFunctions<L>;
    if constexpr (requires(const L& layer, OnnxLayer& onnx) { layer.to_onnx(onnx); }) {
      methods_.to_onnx = [](const void* instance, OnnxLayer& onnx) {
        static_cast<const L*>(instance)->to_onnx(onnx);
      };
    }
    if constexpr (requires(const L& layer, LayerTensors& tensors) { layer.to_others(tensors); }) {
      methods_.to_others = [](const void* instance, LayerTensors& tensors) {
        static_cast<const L*>(instance)->to_others(tensors);
      };
    }
    methods_.next = plugin_internal::exchange_methods();
    plugin_internal::exchange_methods() = &methods_;
  }

 private:
  plugin_internal::ExchangeMethods methods_{};
};

}  // namespace strata
