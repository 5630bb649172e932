// LeakyReLU: max(x, 0) + negative_slope · min(x, 0) (Maas, Hannun and Ng, ICML 2013).
#include "framework/plugin/elementwise.h"
#include "framework/plugin/exchange.h"

namespace strata::plugins {
namespace {

class LeakyReLU final : public ElementwiseOfOutput<LeakyReLU> {
 public:
  struct Options {
    double negative_slope = 0.01;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Passes positive values and multiplies negative ones by a small slope.\n"
            "The slope is PyTorch's 0.01 unless given; Keras' is 0.3.")
        .example("LeakyReLU(0.3)");
    schema.option("negative_slope", &Options::negative_slope)
        .min(0)
        .doc("what negative values are multiplied by");
    schema.hint_for("alpha", "it is called `negative_slope` here")
        .hint_for("inplace", "the layer works in place wherever that is possible");
  }

  explicit LeakyReLU(const Options& options) : negative_slope_(options.negative_slope) {}

  template <class T>
  auto value() const {
    const T a = static_cast<T>(negative_slope_);
    return [a](T x) { return x < T(0) ? a * x : x; };
  }

  template <class T>
  auto slope() const {
    const T a = static_cast<T>(negative_slope_);
    return [a](T y) { return y > T(0) ? T(1) : a; };
  }

  void to_onnx(OnnxLayer& onnx) const { onnx.node("LeakyRelu", {{"alpha", negative_slope_}}); }

 private:
  const double negative_slope_;
};

const LayerRegistration<LeakyReLU> kRegistration{"LeakyReLU"};
const ExchangeRegistration<LeakyReLU> kExchange;

}  // namespace
}  // namespace strata::plugins
