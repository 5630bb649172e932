// InstanceNorm: each channel of each sample gets mean 0 and variance 1 (Ulyanov, Vedaldi and
// Lempitsky, 2016, arXiv:1607.08022), as torch.nn.InstanceNorm2d.
#include "framework/plugin/exchange.h"
#include "plugins/support/row_norm.h"

namespace strata::plugins {
namespace {

class InstanceNorm final : public RowNormLayer<InstanceNorm> {
 public:
  struct Options : RowNormOptions {
    Options() { scale = shift = false; }
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Gives each channel of each sample mean 0 and variance 1 over its positions.\n"
            "(x - mean) / √(variance + eps), for [channels, height, width] and [channels, length], "
            "in training and in inference alike. Scale and shift are per channel, and as in "
            "PyTorch not learned unless asked for.")
        .example("InstanceNorm(scale = true, shift = true)");
    describe_row_norm(schema);
    schema.hint_for("num_features", "the number of channels is known from the layer before")
        .hint_for("track_running_stats", "it always uses each sample's own statistics");
  }

  explicit InstanceNorm(const Options& options) : RowNormLayer(options) {}

  Plan infer(const Shape& input) const {
    if (input.rank() < 2 || input.elements() == input[0]) {
      throw PluginError(
          text("InstanceNorm takes [channels, height, width] or [channels, length] "
               "with two positions at least, not ",
               input.text()));
    }
    return plan(input, {input[0]});
  }

  static RowNorm::Layout layout_of(const Shape& input) {
    const std::int64_t positions = input.elements() / input[0];
    return {input[0], positions, positions, input[0]};
  }

  void to_onnx(OnnxLayer& onnx) const {
    const Shape channels{onnx.input_shape()[0]};
    onnx.node(
        "InstanceNormalization",
        {onnx.input(), onnx.learned("weight", channels, 1), onnx.learned("bias", channels, 0)},
        {onnx.output()}, {{"epsilon", eps()}});
  }
  void to_others(LayerTensors& tensors) const {
    describe_scale_and_shift_elsewhere(tensors, "GroupNormalization(groups = -1)", "InstanceNorm",
                                       eps());
  }
};

const LayerRegistration<InstanceNorm> kRegistration{"InstanceNorm"};
const ExchangeRegistration<InstanceNorm> kExchange;

}  // namespace
}  // namespace strata::plugins
