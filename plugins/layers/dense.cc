// Dense: a fully connected layer, y = x · Wᵀ + b. Weights are stored [out, in], as in PyTorch; more
// than one axis is treated as in Keras: the last one is transformed, the others are rows.
#include <algorithm>

#include "framework/plugin/layer.h"
#include "framework/plugin/reduce.h"

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
    return plan.needs_input().overwrites().flops(
        rows * static_cast<double>(units) *
        (2.0 * static_cast<double>(inputs) + (options_.bias ? 1.0 : 0.0)));
  }

  // x: [rows, inputs], weight: [units, inputs], bias: [units], y: [rows, units]
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const std::int64_t units = options_.units, inputs = pass.input_shape()[-1],
                       rows = pass.input_size() / inputs;
    T* y = pass.output();
    if (options_.bias) {
      // The product is added to the bias, which saves a pass over y.
      const T* bias = pass.parameter(1);
      pass.tiles(rows, std::max<std::int64_t>(1, kElementwiseTile / units),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t row = begin; row < end; ++row)
                     std::copy(bias, bias + units, y + row * units);
                 });
    }
    pass.matmul(Transpose::kNo, Transpose::kYes, rows, units, inputs, pass.input(), inputs,
                pass.parameter(0), inputs,
                /*accumulate=*/options_.bias, y, units);
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const std::int64_t units = options_.units, inputs = pass.input_shape()[-1],
                       rows = pass.input_size() / inputs;
    const T* dy = pass.d_output();
    // d_weight[units, inputs] += dyᵀ · x
    pass.matmul(Transpose::kYes, Transpose::kNo, units, inputs, rows, dy, units, pass.input(),
                inputs,
                /*accumulate=*/true, pass.d_parameter(0), inputs);
    if (options_.bias) add_bias_gradient(pass, rows, dy, pass.d_parameter(1));
    if (T* dx = pass.d_input()) {
      // dx[rows, inputs] = dy · weight
      pass.matmul(Transpose::kNo, Transpose::kNo, rows, inputs, units, dy, units, pass.parameter(0),
                  inputs, pass.accumulate(), dx, inputs);
    }
  }

 private:
  template <class T>
  void add_bias_gradient(const BackwardPass<T>& pass, std::int64_t rows, const T* dy,
                         T* d_bias) const {
    const std::int64_t units = options_.units;
    const std::int64_t panels = (units + kPanel - 1) / kPanel;
    const std::int64_t panels_per_task = 1 + kElementwiseTile / (kPanel * rows);
    pass.tiles(panels, panels_per_task, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t first = begin * kPanel; first < std::min(units, end * kPanel);
           first += kPanel) {
        const int width = static_cast<int>(std::min<std::int64_t>(kPanel, units - first));
        const T* columns = dy + first;
        double sums[kPanel] = {};
        add_column_sums<T>(
            rows, width, [=](std::int64_t row, int j) { return columns[row * units + j]; }, sums);
        for (int j = 0; j < width; ++j) d_bias[first + j] += static_cast<T>(sums[j]);
      }
    });
  }

  const Options options_;
};

const LayerRegistration<Dense> kRegistration{"Dense"};

}  // namespace
}  // namespace strata::plugins
