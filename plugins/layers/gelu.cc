// GELU: x times the probability that a standard normal number is below x (Hendrycks and Gimpel,
// 2016, arXiv:1606.08415), exact or with the paper's hyperbolic tangent.
#include <cmath>

#include "framework/plugin/elementwise.h"
#include "framework/plugin/exchange.h"

namespace strata::plugins {
namespace {

class GELU final : public ElementwiseOfInput<GELU> {
 public:
  struct Options {
    std::string approximate = "none";
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Weighs each value by how likely a normal number is below it: x * Φ(x).\n"
            "With `approximate = \"tanh\"`: x / 2 * (1 + tanh(√(2 / π) * (x + 0.044715 * x³))), as "
            "GPT-2 "
            "has it.")
        .example("GELU(\"tanh\")");
    schema.option("approximate", &Options::approximate)
        .choices({"none", "tanh"})
        .doc("\"none\": exact, by the error function; \"tanh\": by the hyperbolic tangent");
  }

  explicit GELU(const Options& options) : by_tanh_(options.approximate == "tanh") {}

  template <class T>
  auto value() const {
    return [by_tanh = by_tanh_](T x) {
      const T twice = by_tanh ? T(1) + std::tanh(bent(x)) : std::erfc(-x * T(kInverseRootTwo));
      return T(0.5) * x * twice;
    };
  }

  template <class T>
  auto slope() const {
    return [by_tanh = by_tanh_](T x) {
      if (by_tanh) {
        const T t = std::tanh(bent(x)), bend = T(kRoot) * (T(1) + T(3 * kCubic) * x * x);
        return T(0.5) * (T(1) + t) + T(0.5) * x * (T(1) - t * t) * bend;
      }
      const T below = T(0.5) * std::erfc(-x * T(kInverseRootTwo));
      return below + x * T(kInverseRootTwoPi) * std::exp(T(-0.5) * x * x);
    };
  }

  void to_onnx(OnnxLayer& onnx) const {
    const std::string x = onnx.input();
    std::string bend;
    if (by_tanh_) {
      const std::string square = onnx.step("Mul", {x, x});
      const std::string cubic =
          onnx.step("Mul", {onnx.step("Mul", {square, x}), onnx.number("cubic", kCubic)});
      const std::string sum = onnx.step("Add", {x, cubic});
      bend = onnx.step("Tanh", {onnx.step("Mul", {sum, onnx.number("root", kRoot)})});
    } else {
      bend = onnx.step("Erf", {onnx.step("Mul", {x, onnx.number("root", kInverseRootTwo)})});
    }
    const std::string twice = onnx.step("Add", {bend, onnx.number("one", 1)});
    onnx.node("Mul", {onnx.step("Mul", {x, onnx.number("half", 0.5)}), twice}, {onnx.output()});
  }

 private:
  static constexpr double kRoot = 0.79788456080286535588;            // √(2 / π)
  static constexpr double kInverseRootTwo = 0.70710678118654752440;  // 1 / √2
  static constexpr double kInverseRootTwoPi = 0.39894228040143267794;
  static constexpr double kCubic = 0.044715;

  template <class T>
  static T bent(T x) {
    return T(kRoot) * (x + T(kCubic) * x * x * x);
  }

  const bool by_tanh_;
};

const LayerRegistration<GELU> kRegistration{"GELU"};
const ExchangeRegistration<GELU> kExchange;

}  // namespace
}  // namespace strata::plugins
