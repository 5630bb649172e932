// FanInUniform: how PyTorch starts the biases of Linear and convolutions (LeCun et al., "Efficient
// BackProp", 1998).
#include <cmath>

#include "framework/plugin/initializer.h"

namespace strata::plugins {
namespace {

class FanInUniform final : public Initializer {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema.doc("Uniform on ±1 / sqrt(fan_in); for a bias, fan_in is that of the layer's weights.")
        .example("FanInUniform");
  }

  explicit FanInUniform(const Options&) {}

  void fill(const InitializerPass& pass) const {
    const double bound = 1 / std::sqrt(pass.fan_in());
    pass.uniform(-bound, bound);
  }
};

const InitializerRegistration<FanInUniform> kRegistration{"FanInUniform"};

}  // namespace
}  // namespace strata::plugins
