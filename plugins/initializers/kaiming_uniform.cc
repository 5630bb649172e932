// KaimingUniform: PyTorch's kaiming_uniform_ for leaky ReLUs (He et al., ICCV 2015,
// arXiv:1502.01852).
#include <cmath>

#include "framework/plugin/initializer.h"

namespace strata::plugins {
namespace {

class KaimingUniform final : public Initializer {
 public:
  struct Options {
    double a = 0;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Uniform on ±sqrt(6 / ((1 + a²) * fan_in)): HeUniform for a leaky ReLU of slope a.\n"
            "PyTorch's Linear starts with a = sqrt(5), which is ±1 / sqrt(fan_in).")
        .example("KaimingUniform(a = 5 ** 0.5)");
    schema.option("a", &Options::a)
        .doc("slope of the leaky ReLU for negative values; 0 for a plain one");
  }

  explicit KaimingUniform(const Options& options) : options_(options) {}

  void fill(const InitializerPass& pass) const {
    const double bound = std::sqrt(6.0 / ((1 + options_.a * options_.a) * pass.fan_in()));
    pass.uniform(-bound, bound);
  }

 private:
  const Options options_;
};

const InitializerRegistration<KaimingUniform> kRegistration{"KaimingUniform"};

}  // namespace
}  // namespace strata::plugins
