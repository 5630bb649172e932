// GlorotNormal: the normal form of GlorotUniform (Glorot and Bengio, AISTATS 2010).
#include <cmath>

#include "framework/plugin/initializer.h"

namespace strata::plugins {
namespace {

class GlorotNormal final : public Initializer {
 public:
  struct Options {
    double scale = 1;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Normal with deviation scale * sqrt(2 / (fan_in + fan_out)).\n"
            "As in PyTorch, nothing is cut off; Keras redraws values beyond two deviations.")
        .example("GlorotNormal(scale = 0.5)");
    schema.option("scale", &Options::scale).above(0).doc("multiplies the values");
  }

  explicit GlorotNormal(const Options& options) : options_(options) {}

  void fill(const InitializerPass& pass) const {
    pass.normal(options_.scale * std::sqrt(2.0 / (pass.fan_in() + pass.fan_out())));
  }

 private:
  const Options options_;
};

const InitializerRegistration<GlorotNormal> kRegistration{"GlorotNormal"};

}  // namespace
}  // namespace strata::plugins
