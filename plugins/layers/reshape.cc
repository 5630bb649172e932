// Reshape: the values of a sample under another shape, in row-major order, as torch.nn.Unflatten
// and Keras' Reshape.
#include "framework/plugin/exchange.h"
#include "plugins/support/view.h"

namespace strata::plugins {
namespace {

class Reshape final : public ViewLayer {
 public:
  struct Options {
    std::vector<std::int64_t> shape = {-1};
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Gives the values of a sample another shape, in row-major order.\n"
            "One axis may be -1: it becomes what is left. The batch axis is not counted.")
        .example("Reshape([1, -1])");
    schema.option("shape", &Options::shape).min(-1).doc("the new shape of a sample");
    schema.hint_for("target_shape", "it is called `shape` here");
  }

  explicit Reshape(const Options& options) : shape_(options.shape) {
    std::int64_t open = 0;
    for (const std::int64_t extent : shape_) {
      open += extent == -1;
      if (extent == 0) throw PluginError("an axis of `shape` cannot have the extent 0");
    }
    if (open > 1) throw PluginError("only one axis of `shape` can be -1");
  }

  Plan infer(const Shape& input) const {
    std::vector<std::int64_t> extents = shape_;
    std::int64_t known = 1;
    for (const std::int64_t extent : extents) {
      if (extent > 0 && __builtin_mul_overflow(known, extent, &known)) known = 0;
    }
    bool fits = known > 0 && input.elements() % known == 0;
    bool open = false;
    for (std::int64_t& extent : extents) {
      if (extent != -1) continue;
      open = true;
      if (fits) extent = input.elements() / known;
    }
    fits = fits && (open || known == input.elements());
    if (!fits) {
      std::string wanted;
      for (const std::int64_t extent : shape_)
        wanted += (wanted.empty() ? "" : ", ") + std::to_string(extent);
      throw PluginError(text("the ", input.elements(), " values of ", input.text(),
                             " do not fit into the shape [", wanted, "]"));
    }
    return view_of(Shape(extents.begin(), extents.end()));
  }

  void to_onnx(OnnxLayer& onnx) const {
    std::vector<std::int64_t> shape = extents_of(onnx.output_shape());
    shape.insert(shape.begin(), 0);  // the batch stays
    onnx.node("Reshape", {onnx.input(), onnx.integers("shape", shape)}, {onnx.output()});
  }

 private:
  const std::vector<std::int64_t> shape_;
};

const LayerRegistration<Reshape> kRegistration{"Reshape"};
const ExchangeRegistration<Reshape> kExchange;

}  // namespace
}  // namespace strata::plugins
