// ELU: x where it is positive, alpha · (exp(x) - 1) elsewhere (Clevert, Unterthiner and Hochreiter,
// 2016, arXiv:1511.07289).
#include <cmath>

#include "framework/plugin/elementwise.h"
#include "framework/plugin/exchange.h"

namespace strata::plugins {
namespace {

class ELU final : public ElementwiseOfOutput<ELU> {
 public:
  struct Options {
    double alpha = 1;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc("Passes positive values and bends negative ones towards -alpha: alpha * (exp(x) - 1).")
        .example("ELU(0.5)");
    schema.option("alpha", &Options::alpha)
        .min(0)
        .doc("minus the value that it tends to at the left");
  }

  explicit ELU(const Options& options) : alpha_(options.alpha) {}

  template <class T>
  auto value() const {
    const T a = static_cast<T>(alpha_);
    return [a](T x) { return x > T(0) ? x : a * std::expm1(x); };
  }

  template <class T>
  auto slope() const {
    const T a = static_cast<T>(alpha_);
    return [a](T y) { return y > T(0) ? T(1) : y + a; };
  }

  void to_onnx(OnnxLayer& onnx) const { onnx.node("Elu", {{"alpha", alpha_}}); }

 private:
  const double alpha_;
};

const LayerRegistration<ELU> kRegistration{"ELU"};
const ExchangeRegistration<ELU> kExchange;

}  // namespace
}  // namespace strata::plugins
