// GroupNorm: groups of channels get mean 0 and variance 1 in each sample (Wu and He, 2018,
// arXiv:1803.08494), as torch.nn.GroupNorm.
#include "framework/plugin/exchange.h"
#include "plugins/support/row_norm.h"

namespace strata::plugins {
namespace {

class GroupNorm final : public RowNormLayer<GroupNorm> {
 public:
  struct Options : RowNormOptions {
    std::int64_t groups = 1;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Gives each group of channels mean 0 and variance 1 in each sample, then a learned "
            "scale and shift per channel.\n"
            "Channels are the first axis. (x - mean) / √(variance + eps) * scale + shift, in "
            "training and in inference alike, so batches may be of any size. Papers use 32 groups; "
            "Keras' eps is 1e-3.")
        .example("GroupNorm(groups = 1)");
    schema.option("groups", &Options::groups)
        .min(1)
        .doc("how many groups the channels are divided into");
    describe_row_norm(schema);
    schema.hint_for("num_groups", "it is called `groups` here")
        .hint_for("num_channels", "the number of channels is known from the layer before");
  }

  explicit GroupNorm(const Options& options) : RowNormLayer(options), options_(options) {}

  Plan infer(const Shape& input) const {
    if (input.rank() == 0)
      throw PluginError("GroupNorm takes channels, and the input is a single number ([])");
    if (input[0] % options_.groups != 0) {
      throw PluginError(text("the ", input[0], " channels of ", input.text(),
                             " cannot be divided into ", options_.groups, " groups"));
    }
    const RowNorm::Layout layout = layout_of(input);
    if (layout.length == 1) {
      throw PluginError(text("a group of ", input.text(), " in ", options_.groups,
                             " groups is one value, and normalized it would always be 0"));
    }
    return plan(input, {input[0]});
  }

  RowNorm::Layout layout_of(const Shape& input) const {
    const std::int64_t groups = options_.groups;
    return {groups, input.elements() / groups, input.elements() / input[0], groups};
  }

  // Opset 17 has no GroupNormalization: groups are channels of InstanceNormalization.
  void to_onnx(OnnxLayer& onnx) const {
    const Shape input = onnx.input_shape(), groups{options_.groups};
    std::vector<std::int64_t> shape = extents_of(input);
    shape.insert(shape.begin(), 0);  // the batch stays
    const std::string grouped =
        onnx.step("Reshape", {onnx.input(), onnx.integers("groups", {0, options_.groups, -1})});
    const std::string normalized =
        onnx.step("InstanceNormalization",
                  {grouped, onnx.learned("", groups, 1), onnx.learned("", groups, 0)},
                  {{"epsilon", options_.eps}});
    write_scale_and_shift(onnx, onnx.step("Reshape", {normalized, onnx.integers("shape", shape)}),
                          channel_shape(input));
  }
  void to_others(LayerTensors& tensors) const {
    describe_scale_and_shift_elsewhere(tensors, "GroupNormalization", "GroupNorm", options_.eps);
    if (options_.groups > 1 && tensors.input().rank() == 1) tensors.moves_axes();
  }

 private:
  const Options options_;
};

const LayerRegistration<GroupNorm> kRegistration{"GroupNorm"};
const ExchangeRegistration<GroupNorm> kExchange;

}  // namespace
}  // namespace strata::plugins
