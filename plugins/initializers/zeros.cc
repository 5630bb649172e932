// Zeros: every value starts at 0.
#include "framework/plugin/initializer.h"

namespace strata::plugins {
namespace {

class Zeros final : public Initializer {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema.doc("Every value is 0.").example("Zeros");
  }

  explicit Zeros(const Options&) {}

  void fill(const InitializerPass& pass) const { pass.constant(0); }
};

const InitializerRegistration<Zeros> kRegistration{"Zeros"};

}  // namespace
}  // namespace strata::plugins
