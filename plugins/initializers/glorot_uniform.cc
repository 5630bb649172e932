// GlorotUniform: keeps the variance of values and of gradients about level (Glorot and Bengio,
// AISTATS 2010).
#include <cmath>

#include "framework/plugin/initializer.h"

namespace strata::plugins {
namespace {

class GlorotUniform final : public Initializer {
 public:
  struct Options {
    double scale = 1;
  };

  static void describe(Schema<Options>& schema) {
    schema.doc("Uniform on ±scale * sqrt(6 / (fan_in + fan_out)). Keras' default for Dense.")
        .example("GlorotUniform");
    schema.option("scale", &Options::scale).above(0).doc("multiplies the values");
  }

  explicit GlorotUniform(const Options& options) : options_(options) {}

  void fill(const InitializerPass& pass) const {
    const double bound = options_.scale * std::sqrt(6.0 / (pass.fan_in() + pass.fan_out()));
    pass.uniform(-bound, bound);
  }

 private:
  const Options options_;
};

const InitializerRegistration<GlorotUniform> kRegistration{"GlorotUniform"};

}  // namespace
}  // namespace strata::plugins
