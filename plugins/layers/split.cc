// Split: a value cut into parts along an axis, as torch.split and tf.split.
#include <optional>
#include <vector>

#include "framework/plugin/exchange.h"
#include "plugins/support/axis.h"

namespace strata::plugins {
namespace {

class Split final : public Layer {
 public:
  struct Options {
    std::int64_t parts = 2;
    std::int64_t axis = 0;
    std::optional<std::vector<std::int64_t>> sizes;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Cuts a value into parts along an axis, and gives one output for each.\n"
            "a, b = Split(x, parts = 2) cuts channels of images in halves. Axis 0 is the first one "
            "of a sample: the batch axis is not counted.")
        .example("Split(parts = 1)");
    schema.option("parts", &Options::parts).min(1).max(64).doc("into how many equal parts");
    describe_axis(schema);
    schema.option("sizes", &Options::sizes)
        .min(1)
        .doc("the parts' extents along the axis instead, where they are not equal");
    schema.hint_for("num_or_size_splits", "write `parts` for a number, `sizes` for a list")
        .hint_for("split_size", "write `parts` for a number of parts, `sizes` for their extents");
  }

  explicit Split(const Options& options) : options_(options) {}

  Plan infer(const Shape& input) const {
    const int axis = checked_axis(options_.axis, input, "Split");
    std::vector<std::int64_t> sizes;
    if (options_.sizes) {
      sizes = *options_.sizes;
      std::int64_t sum = 0;
      for (const std::int64_t size : sizes) sum += size;
      if (sum != input[axis]) {
        throw PluginError(text("the `sizes` add up to ", sum, ", and axis ", axis, " of ",
                               input.text(), " has ", input[axis]));
      }
    } else if (input[axis] % options_.parts != 0) {
      throw PluginError(text("axis ", axis, " of ", input.text(), " cannot be cut into ",
                             options_.parts, " equal parts"),
                        "`sizes` lists parts of other extents");
    } else {
      sizes.assign(static_cast<std::size_t>(options_.parts), input[axis] / options_.parts);
    }
    Plan plan;
    std::vector<std::int64_t> extents(input.begin(), input.end());
    for (const std::int64_t size : sizes) {
      extents[static_cast<std::size_t>(axis)] = size;
      plan.output(Shape(extents.begin(), extents.end()));
    }
    return plan.overwrites();
  }

  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    each_part(pass, [&](int k, std::int64_t offset, const AxisCut& whole, std::int64_t length) {
      copy_rows(pass, whole.rows, pass.input() + offset, whole.length, pass.output(k), length,
                length, /*accumulate=*/false);
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    if (!pass.d_input()) return;
    each_part(pass, [&](int k, std::int64_t offset, const AxisCut& whole, std::int64_t length) {
      copy_rows(pass, whole.rows, pass.d_output(k), length, pass.d_input() + offset, whole.length,
                length, pass.accumulate());
    });
  }

  void to_onnx(OnnxLayer& onnx) const {
    const int axis = checked_axis(options_.axis, onnx.input_shape(), "Split");
    OnnxNames outputs;
    std::vector<std::int64_t> sizes;
    for (int i = 0; i < onnx.output_count(); ++i) {
      outputs.push_back(onnx.output(i));
      sizes.push_back(onnx.output_shape(i)[axis]);
    }
    onnx.node("Split", {onnx.input(), onnx.integers("sizes", sizes)}, outputs,
              {{"axis", 1 + axis}});
  }

 private:
  // body(part, its offset in a row of the whole, the whole's rows, its length in a row)
  template <class Pass, class Body>
  void each_part(const Pass& pass, const Body& body) const {
    const AxisCut whole = cut(pass.input_shape(), options_.axis);
    std::int64_t offset = 0;
    for (int k = 0; offset < whole.length; ++k) {
      const std::int64_t length = cut(pass.output_shape(k), options_.axis).length;
      body(k, offset, whole, length);
      offset += length;
    }
  }

  const Options options_;
};

const LayerRegistration<Split> kRegistration{"Split"};
const ExchangeRegistration<Split> kExchange;

}  // namespace
}  // namespace strata::plugins
