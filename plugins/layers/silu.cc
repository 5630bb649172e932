// SiLU: x · sigmoid(x) (Elfwing, Uchibe and Doya, 2018, arXiv:1702.03118); called swish by
// Ramachandran, Zoph and Le (2017, arXiv:1710.05941).
#include <cmath>

#include "framework/plugin/elementwise.h"
#include "framework/plugin/exchange.h"

namespace strata::plugins {
namespace {

class SiLU final : public ElementwiseOfInput<SiLU> {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema.doc("A smooth relative of ReLU, also called swish: x * sigmoid(x).").example("SiLU");
  }

  explicit SiLU(const Options&) {}

  template <class T>
  auto value() const {
    return [](T x) { return x / (T(1) + std::exp(-x)); };
  }

  template <class T>
  auto slope() const {
    return [](T x) {
      const T s = T(1) / (T(1) + std::exp(-x));
      return s * (T(1) + x * (T(1) - s));
    };
  }

  void to_onnx(OnnxLayer& onnx) const {
    onnx.node("Mul", {onnx.input(), onnx.step("Sigmoid", {onnx.input()})}, {onnx.output()});
  }
};

const LayerRegistration<SiLU> kRegistration{"SiLU"};
const ExchangeRegistration<SiLU> kExchange;

}  // namespace
}  // namespace strata::plugins
