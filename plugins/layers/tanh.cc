// Tanh: the hyperbolic tangent (LeCun et al., Efficient BackProp, 1998).
#include <cmath>

#include "framework/plugin/elementwise.h"
#include "framework/plugin/exchange.h"

namespace strata::plugins {
namespace {

class Tanh final : public ElementwiseOfOutput<Tanh> {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema.doc("Brings values to between -1 and 1: the hyperbolic tangent.").example("Tanh");
  }

  explicit Tanh(const Options&) {}

  template <class T>
  auto value() const {
    return [](T x) { return std::tanh(x); };
  }

  template <class T>
  auto slope() const {
    return [](T y) { return T(1) - y * y; };
  }

  void to_onnx(OnnxLayer& onnx) const { onnx.node("Tanh"); }
};

const LayerRegistration<Tanh> kRegistration{"Tanh"};
const ExchangeRegistration<Tanh> kExchange;

}  // namespace
}  // namespace strata::plugins
