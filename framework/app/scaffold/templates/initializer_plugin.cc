// MyPlugin: uniform, narrower for more inputs. An initializer to begin from.
#include <cmath>

#include "framework/plugin/initializer.h"

namespace {

using namespace strata;

class MyPlugin final : public Initializer {
 public:
  struct Options {
    double scale = 1;
  };

  static void describe(Schema<Options>& schema) {
    schema.doc("Uniform between -scale / sqrt(fan_in) and scale / sqrt(fan_in).")
        .example("MyPlugin(0.5)");
    schema.option("scale", &Options::scale).above(0).doc("multiplies the values");
  }

  explicit MyPlugin(const Options& options) : scale_(options.scale) {}

  void fill(const InitializerPass& pass) const {
    const double bound = scale_ / std::sqrt(pass.fan_in());
    pass.uniform(-bound, bound);
  }

 private:
  const double scale_;
};

const InitializerRegistration<MyPlugin> kRegistration{"MyPlugin"};

}  // namespace

STRATA_PLUGIN("my_plugin", "1.0");
