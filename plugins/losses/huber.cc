// Huber: squared for small differences, straight for large ones (Huber, Annals of Mathematical
// Statistics 35, 1964), with the scale of PyTorch's HuberLoss and Keras' Huber.
#include <cmath>
#include <utility>

#include "plugins/support/compare.h"

namespace strata::plugins {
namespace {

class Huber final : public DifferenceLoss<Huber> {
 public:
  static constexpr const char* kName = "Huber";
  struct Options {
    double delta = 1;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Squared error up to a difference of `delta`, and absolute error beyond, so that "
            "outliers pull less.\n"
            "With d = prediction - target: d² / 2 where |d| <= delta, else delta * (|d| - delta / "
            "2); the mean over a sample's elements. PyTorch's SmoothL1Loss is this divided by "
            "delta.")
        .example("Huber(prediction, target, delta = 0.5)")
        .inputs({"prediction", "target"});
    schema.option("delta", &Options::delta).above(0).doc("where the straight part begins");
    schema.hint_for("beta",
                    "it is called `delta` here; PyTorch's SmoothL1Loss is also divided by it");
  }

  explicit Huber(const Options& options) : delta_(options.delta) {}

  template <class T>
  auto of_difference() const {
    return [delta = static_cast<T>(delta_)](T d) {
      const T size = std::abs(d);
      if (size > delta) return std::pair(delta * (size - delta / T(2)), d > T(0) ? delta : -delta);
      return std::pair(d * d / T(2), d);
    };
  }

 private:
  const double delta_;
};

const LossRegistration<Huber> kRegistration{Huber::kName};

}  // namespace
}  // namespace strata::plugins
