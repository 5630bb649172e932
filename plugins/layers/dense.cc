// Dense: a fully connected layer, y = x · Wᵀ + b. Weights are stored [out, in], as in PyTorch; more
// than one axis is treated as in Keras: the last one is transformed, the others are rows.
#include <algorithm>

#include "framework/plugin/exchange.h"
#include "framework/plugin/linear.h"

namespace strata::plugins {
namespace {

class Dense final : public Layer {
 public:
  struct Options {
    std::int64_t units = 0;
    bool bias = true;
    InitializerRef weight_init{"GlorotUniform"};
    InitializerRef bias_init{"Zeros"};
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Multiplies by a learned matrix and adds a learned bias: every output unit sees every "
            "input.\n"
            "Applies to the last axis: [12, 64] becomes [12, units]. Put Flatten before it to "
            "connect all axes.")
        .example("Dense(256, weight_init = HeNormal)");
    schema.option("units", &Options::units).required().min(1).doc("how many outputs");
    schema.option("bias", &Options::bias).doc("learn a bias per unit");
    schema.option("weight_init", &Options::weight_init).doc("starting values of the weights");
    schema.option("bias_init", &Options::bias_init)
        .doc("starting values of the bias; its fan_in is that of the weights");
    schema.hint_for("use_bias", "it is called `bias` here")
        .hint_for("kernel_initializer", "it is called `weight_init` here")
        .hint_for("bias_initializer", "it is called `bias_init` here")
        .hint_for("activation", "an activation is a layer of its own: Dense(…) -> ReLU")
        .hint_for("out_features", "it is called `units` here")
        .hint_for("in_features", "the number of inputs is known from the layer before");
  }

  explicit Dense(const Options& options) : options_(options) {}

  Plan infer(const Shape& input) const {
    if (input.rank() == 0)
      throw PluginError("Dense needs at least one axis, and the input is a single number ([])");
    const std::int64_t inputs = input[-1], units = options_.units;
    std::vector<std::int64_t> dims(input.begin(), input.end());
    dims.back() = units;
    const auto rows = static_cast<double>(input.elements() / inputs);
    Plan plan;
    plan.output(Shape(dims.begin(), dims.end()))
        .parameter("weight", {units, inputs}, options_.weight_init, inputs, units, /*decay=*/true);
    if (options_.bias) {
      plan.parameter("bias", {units}, options_.bias_init, inputs, units, /*decay=*/false)
          .trait("bias");
    }
    return plan.scratch(0, Linear::space(inputs, units))
        .needs_input()
        .overwrites()
        .hands_gradients()
        .flops(rows * static_cast<double>(units) *
               (2.0 * static_cast<double>(inputs) + (options_.bias ? 1.0 : 0.0)));
  }

  // x: [rows, inputs], weight: [units, inputs], bias: [units], y: [rows, units]
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const Linear linear = linear_of(pass);
    const std::int64_t units = linear.units;
    T* y = pass.output();
    linear.blocks(pass, [&](std::int64_t panel, std::int64_t begin, const Linear& part) {
      T* columns = y + begin * units + linear.first(panel);
      if (options_.bias) {
        // The product is added to the bias, which saves a pass over y.
        const T* bias = pass.parameter(1) + linear.first(panel);
        for (std::int64_t row = 0; row < part.rows; ++row)
          std::copy(bias, bias + linear.width(panel), columns + row * units);
      }
      part.product(pass, panel, pass.input() + begin * linear.inputs, pass.parameter(0),
                   options_.bias, columns, units);
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const Linear linear = linear_of(pass);
    const T* dy = pass.d_output();
    if (T* dx = pass.d_input())
      linear.input_gradient(pass, dy, pass.parameter(0), pass.accumulate(), dx);
    pass.parallel(linear.panels(), linear.gradient_operations(), [&](std::int64_t panel) {
      linear.weight_gradient(pass, 0, panel, dy, pass.input(), pass.scratch());
      if (options_.bias) linear.bias_gradient(pass, 1, panel, dy);
    });
  }

  void to_onnx(OnnxLayer& onnx) const {
    if (onnx.input_shape().rank() == 1) {
      OnnxNames inputs = {onnx.input(), onnx.tensor("weight")};
      if (options_.bias) inputs.push_back(onnx.tensor("bias"));
      return onnx.node("Gemm", inputs, {onnx.output()}, {{"transB", 1}});
    }
    // Gemm takes matrices alone, and MatMul transposes nothing.
    const Shape shape = onnx.shape_of("weight");
    const std::vector<double> weight = onnx.values_of("weight");
    std::vector<double> turned;
    for (std::int64_t input = 0; input < shape[1]; ++input) {
      for (std::int64_t unit = 0; unit < shape[0]; ++unit)
        turned.push_back(weight[static_cast<std::size_t>(unit * shape[1] + input)]);
    }
    const OnnxNames inputs = {onnx.input(), onnx.numbers("weight", {shape[1], shape[0]}, turned)};
    if (!options_.bias) return onnx.node("MatMul", inputs, {onnx.output()});
    onnx.node("Add", {onnx.step("MatMul", inputs), onnx.tensor("bias")}, {onnx.output()});
  }
  void to_others(LayerTensors& tensors) const {
    tensors.keras("weight", "kernel", {1, 0}).over_features(1);
    tensors.keras("bias", "bias");
    tensors.new_features();
  }

 private:
  template <class T>
  Linear linear_of(const LayerPass<T>& pass) const {
    const std::int64_t inputs = pass.input_shape()[-1];
    return {pass.input_size() / inputs, inputs, options_.units};
  }

  const Options options_;
};

const LayerRegistration<Dense> kRegistration{"Dense"};
const ExchangeRegistration<Dense> kExchange;

}  // namespace
}  // namespace strata::plugins
