// HardSwish: x · min(max(x + 3, 0), 6) / 6 (Howard et al., MobileNetV3, 2019, arXiv:1905.02244).
#include <algorithm>

#include "framework/plugin/elementwise.h"
#include "framework/plugin/exchange.h"

namespace strata::plugins {
namespace {

class HardSwish final : public ElementwiseOfInput<HardSwish> {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema.doc("SiLU out of straight lines: 0 up to -3, x from 3 on, x * (x + 3) / 6 in between.")
        .example("HardSwish");
  }

  explicit HardSwish(const Options&) {}

  template <class T>
  auto value() const {
    return [](T x) {
      const T gate = x + T(3) < T(0) ? T(0) : std::min(x + T(3), T(6));
      return x * gate / T(6);
    };
  }

  template <class T>
  auto slope() const {
    return [](T x) {
      const T inside = (T(2) * x + T(3)) / T(6);
      return x < T(-3) ? T(0) : x > T(3) ? T(1) : inside;
    };
  }

  void to_onnx(OnnxLayer& onnx) const { onnx.node("HardSwish"); }
};

const LayerRegistration<HardSwish> kRegistration{"HardSwish"};
const ExchangeRegistration<HardSwish> kExchange;

}  // namespace
}  // namespace strata::plugins
