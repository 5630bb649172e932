// HeUniform: the uniform form of HeNormal (He et al., ICCV 2015, arXiv:1502.01852).
#include <cmath>

#include "framework/plugin/initializer.h"

namespace strata::plugins {
namespace {

class HeUniform final : public Initializer {
 public:
  struct Options {
    double scale = 1;
  };

  static void describe(Schema<Options>& schema) {
    schema.doc("Uniform on ±scale * sqrt(6 / fan_in), for layers before a ReLU.")
        .example("HeUniform");
    schema.option("scale", &Options::scale).above(0).doc("multiplies the values");
  }

  explicit HeUniform(const Options& options) : options_(options) {}

  void fill(const InitializerPass& pass) const {
    const double bound = options_.scale * std::sqrt(6.0 / pass.fan_in());
    pass.uniform(-bound, bound);
  }

 private:
  const Options options_;
};

const InitializerRegistration<HeUniform> kRegistration{"HeUniform"};

}  // namespace
}  // namespace strata::plugins
