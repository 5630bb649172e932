// Constant: every value starts at the same number.
#include "framework/plugin/initializer.h"

namespace strata::plugins {
namespace {

class ConstantInitializer final : public Initializer {
 public:
  struct Options {
    double value = 0;
  };

  static void describe(Schema<Options>& schema) {
    schema.doc("Every value is `value`.").example("Constant(0.1)");
    schema.option("value", &Options::value).required().doc("the number");
  }

  explicit ConstantInitializer(const Options& options) : options_(options) {}

  void fill(const InitializerPass& pass) const { pass.constant(options_.value); }

 private:
  const Options options_;
};

const InitializerRegistration<ConstantInitializer> kRegistration{"Constant"};

}  // namespace
}  // namespace strata::plugins
