// RMSNorm: values divided by their root mean square (Zhang and Sennrich, 2019, arXiv:1910.07467).
#include "framework/plugin/exchange.h"
#include "plugins/support/row_norm.h"

namespace strata::plugins {
namespace {

class RMSNorm final : public Layer {
 public:
  struct Options {
    double eps = 1e-6;
    bool scale = true;
    InitializerRef scale_init{"Ones"};
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Divides the values of the last axis by their root mean square, then applies a learned "
            "scale per value.\n"
            "x / √(mean of x² + eps) * scale: LayerNorm without the mean and the shift, in "
            "training "
            "and in inference alike.")
        .example("RMSNorm(eps = 1e-5)");
    schema.option("eps", &Options::eps)
        .above(0)
        .doc("added to the mean square before the square root");
    schema.option("scale", &Options::scale).doc("learn a scale");
    schema.option("scale_init", &Options::scale_init).doc("starting values of the scale");
    schema.hint_for("epsilon", "it is called `eps` here")
        .hint_for("elementwise_affine", "it is called `scale` here")
        .hint_for("normalized_shape", "it normalizes the last axis");
  }

  explicit RMSNorm(const Options& options)
      : options_(options), norm_(options.eps, /*center=*/false, options.scale, /*shift=*/false) {}

  Plan infer(const Shape& input) const {
    if (input.rank() == 0)
      throw PluginError("RMSNorm needs at least one axis, and the input is a single number ([])");
    Plan plan;
    plan.output(input);
    if (options_.scale) {
      plan.parameter("weight", {input[-1]}, options_.scale_init, input[-1], input[-1],
                     /*decay=*/false);
    }
    norm_.add_to(plan, layout_of(input), input);
    return plan;
  }

  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    norm_.forward(pass, layout_of(pass.input_shape()));
  }
  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    norm_.backward(pass, layout_of(pass.input_shape()));
  }

  void to_onnx(OnnxLayer& onnx) const {
    const std::string x = onnx.input();
    const std::string mean = onnx.step("ReduceMean", {onnx.step("Mul", {x, x})},
                                       {{"axes", std::vector<std::int64_t>{-1}}, {"keepdims", 1}});
    const std::string root =
        onnx.step("Sqrt", {onnx.step("Add", {mean, onnx.number("eps", options_.eps)})});
    write_scale_and_shift(onnx, onnx.step("Div", {x, root}), {onnx.input_shape()[-1]});
  }
  void to_others(LayerTensors& tensors) const {
    tensors.keras("weight", "scale").over_features(0);
    tensors.keras_option(text("RMSNormalization(epsilon = ", options_.eps, ")"));
  }

 private:
  static RowNorm::Layout layout_of(const Shape& input) {
    return {input.elements() / input[-1], input[-1], 1, 1};
  }

  const Options options_;
  const RowNorm norm_;
};

const LayerRegistration<RMSNorm> kRegistration{"RMSNorm"};
const ExchangeRegistration<RMSNorm> kExchange;

}  // namespace
}  // namespace strata::plugins
