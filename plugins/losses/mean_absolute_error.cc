// MeanAbsoluteError: the absolute difference, averaged over a sample's elements; PyTorch's L1Loss
// and Keras' MeanAbsoluteError.
#include <cmath>
#include <utility>

#include "plugins/support/compare.h"

namespace strata::plugins {
namespace {

class MeanAbsoluteError final : public DifferenceLoss<MeanAbsoluteError> {
 public:
  static constexpr const char* kName = "MeanAbsoluteError";
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "The mean over a sample's elements of |prediction - target|.\n"
            "The target has the shape of the prediction; a class number is compared with a "
            "prediction of one value.")
        .example("MeanAbsoluteError(prediction, target)")
        .inputs({"prediction", "target"});
  }

  explicit MeanAbsoluteError(const Options&) {}

  // The slope at 0 is 0.
  template <class T>
  auto of_difference() const {
    return [](T d) { return std::pair(std::abs(d), static_cast<T>((d > T(0)) - (d < T(0)))); };
  }
};

const LossRegistration<MeanAbsoluteError> kRegistration{MeanAbsoluteError::kName};

}  // namespace
}  // namespace strata::plugins
