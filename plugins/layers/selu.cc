// SELU: a scaled ELU that keeps zero mean and unit variance through deep networks (Klambauer et
// al., 2017, arXiv:1706.02515).
#include <cmath>

#include "framework/plugin/elementwise.h"
#include "framework/plugin/exchange.h"

namespace strata::plugins {
namespace {

class SELU final : public ElementwiseOfOutput<SELU> {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "A scaled ELU that keeps mean 0 and variance 1: scale * x, or scale * alpha * (exp(x) "
            "- 1).\n"
            "scale = 1.0507…, alpha = 1.6733…. It wants weights whose variance is 1 / fan_in.")
        .example("SELU");
  }

  explicit SELU(const Options&) {}

  template <class T>
  auto value() const {
    constexpr T kScale = T(1.0507009873554804934), kBelow = kScale * T(1.6732632423543772848);
    return [](T x) { return x > T(0) ? kScale * x : kBelow * std::expm1(x); };
  }

  template <class T>
  auto slope() const {
    constexpr T kScale = T(1.0507009873554804934), kBelow = kScale * T(1.6732632423543772848);
    return [](T y) { return y > T(0) ? kScale : y + kBelow; };
  }

  void to_onnx(OnnxLayer& onnx) const { onnx.node("Selu"); }
};

const LayerRegistration<SELU> kRegistration{"SELU"};
const ExchangeRegistration<SELU> kExchange;

}  // namespace
}  // namespace strata::plugins
