// Softplus: log(1 + exp(beta · x)) / beta, a smooth max(x, 0) (Dugas et al., NIPS 2000).
#include <algorithm>
#include <cmath>

#include "framework/plugin/elementwise.h"
#include "framework/plugin/exchange.h"

namespace strata::plugins {
namespace {

class Softplus final : public ElementwiseOfInput<Softplus> {
 public:
  struct Options {
    double beta = 1;
  };

  static void describe(Schema<Options>& schema) {
    schema.doc("A smooth relative of ReLU that is always positive: log(1 + exp(beta * x)) / beta.")
        .example("Softplus(2)");
    schema.option("beta", &Options::beta).above(0).doc("how sharply it bends at zero");
    schema.hint_for("threshold", "none is needed: it is computed so that large values stay exact");
  }

  explicit Softplus(const Options& options) : beta_(options.beta) {}

  template <class T>
  auto value() const {
    const T beta = static_cast<T>(beta_), inverse = static_cast<T>(1 / beta_);
    return [beta, inverse](T x) {
      const T bent = std::log1p(std::exp(-std::abs(beta * x))) * inverse;
      return (x < T(0) ? T(0) : x) + bent;
    };
  }

  template <class T>
  auto slope() const {
    const T beta = static_cast<T>(beta_);
    return [beta](T x) { return T(1) / (T(1) + std::exp(-beta * x)); };
  }

  void to_onnx(OnnxLayer& onnx) const {
    if (beta_ == 1) return onnx.node("Softplus");
    const std::string beta = onnx.number("beta", beta_);
    const std::string bent = onnx.step("Softplus", {onnx.step("Mul", {onnx.input(), beta})});
    onnx.node("Div", {bent, beta}, {onnx.output()});
  }

 private:
  const double beta_;
};

const LayerRegistration<Softplus> kRegistration{"Softplus"};
const ExchangeRegistration<Softplus> kExchange;

}  // namespace
}  // namespace strata::plugins
