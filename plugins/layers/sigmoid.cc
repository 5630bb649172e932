// Sigmoid: the logistic function, 1 / (1 + exp(-x)), as torch.nn.Sigmoid and Keras' sigmoid.
#include <cmath>

#include "framework/plugin/elementwise.h"
#include "framework/plugin/exchange.h"

namespace strata::plugins {
namespace {

class Sigmoid final : public ElementwiseOfOutput<Sigmoid> {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Brings values to between 0 and 1: 1 / (1 + exp(-x)).\n"
            "A loss that takes logits applies it itself: end the model without it for "
            "BinaryCrossEntropy.")
        .example("Sigmoid");
  }

  explicit Sigmoid(const Options&) {}

  template <class T>
  auto value() const {
    return [](T x) { return T(1) / (T(1) + std::exp(-x)); };
  }

  template <class T>
  auto slope() const {
    return [](T y) { return y * (T(1) - y); };
  }

  void to_onnx(OnnxLayer& onnx) const { onnx.node("Sigmoid"); }
};

const LayerRegistration<Sigmoid> kRegistration{"Sigmoid"};
const ExchangeRegistration<Sigmoid> kExchange;

}  // namespace
}  // namespace strata::plugins
