// LayerNorm: each sample's features get mean 0 and variance 1 (Ba, Kiros and Hinton, 2016,
// arXiv:1607.06450), over the last axes as torch.nn.LayerNorm.
#include "framework/plugin/exchange.h"
#include "plugins/support/row_norm.h"

namespace strata::plugins {
namespace {

class LayerNorm final : public RowNormLayer<LayerNorm> {
 public:
  struct Options : RowNormOptions {
    std::int64_t axes = 1;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Gives the values of the last axis mean 0 and variance 1, then a learned scale and "
            "shift per value.\n"
            "(x - mean) / √(variance + eps) * scale + shift, in training and in inference alike. "
            "LayerNorm(axes = 3) normalizes whole images, PyTorch's LayerNorm([c, h, w]). Keras' "
            "eps is 1e-3.")
        .example("LayerNorm(eps = 1e-6)");
    schema.option("axes", &Options::axes)
        .min(1)
        .max(8)
        .doc("how many of the last axes are normalized together");
    describe_row_norm(schema);
    schema.hint_for("normalized_shape", "shapes are known: `axes` says how many of the last axes")
        .hint_for("axis", "it normalizes the last axis, or the last `axes`");
  }

  explicit LayerNorm(const Options& options) : RowNormLayer(options), options_(options) {}

  Plan infer(const Shape& input) const {
    if (input.rank() < options_.axes) {
      throw PluginError(text("LayerNorm is to normalize ", options_.axes, " axes, and ",
                             input.text(), " has ", input.rank()));
    }
    const RowNorm::Layout layout = layout_of(input);
    if (layout.length == 1) {
      throw PluginError(text("LayerNorm needs two values at least to normalize, and ", input.text(),
                             " has one: it would always give 0"));
    }
    return plan(input, Shape(input.end() - options_.axes, input.end()));
  }

  RowNorm::Layout layout_of(const Shape& input) const {
    const int first = input.rank() - static_cast<int>(options_.axes);
    return {input.elements(0, first), input.elements(first, input.rank()), 1, 1};
  }

  void to_onnx(OnnxLayer& onnx) const {
    const Shape input = onnx.input_shape();
    const Shape normalized(input.end() - options_.axes, input.end());
    onnx.node(
        "LayerNormalization",
        {onnx.input(), onnx.learned("weight", normalized, 1), onnx.learned("bias", normalized, 0)},
        {onnx.output()}, {{"axis", -options_.axes}, {"epsilon", options_.eps}});
  }
  void to_others(LayerTensors& tensors) const {
    const bool images = options_.axes == 3 && tensors.input().rank() == 3;
    describe_scale_and_shift_elsewhere(tensors, "LayerNormalization", "LayerNorm", options_.eps,
                                       images ? std::vector<int>{1, 2, 0} : std::vector<int>{});
  }

 private:
  const Options options_;
};

const LayerRegistration<LayerNorm> kRegistration{"LayerNorm"};
const ExchangeRegistration<LayerNorm> kExchange;

}  // namespace
}  // namespace strata::plugins
