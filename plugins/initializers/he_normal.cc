// HeNormal: keeps the variance level through ReLUs (He et al., ICCV 2015, arXiv:1502.01852).
#include <cmath>

#include "framework/plugin/initializer.h"

namespace strata::plugins {
namespace {

class HeNormal final : public Initializer {
 public:
  struct Options {
    double scale = 1;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Normal with deviation scale * sqrt(2 / fan_in), for layers before a ReLU.\n"
            "As in PyTorch, nothing is cut off; Keras redraws values beyond two deviations.")
        .example("HeNormal(scale = 1.0)");
    schema.option("scale", &Options::scale).above(0).doc("multiplies the values");
  }

  explicit HeNormal(const Options& options) : options_(options) {}

  void fill(const InitializerPass& pass) const {
    pass.normal(options_.scale * std::sqrt(2.0 / pass.fan_in()));
  }

 private:
  const Options options_;
};

const InitializerRegistration<HeNormal> kRegistration{"HeNormal"};

}  // namespace
}  // namespace strata::plugins
