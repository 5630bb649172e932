// Ones: every value starts at 1.
#include "framework/plugin/initializer.h"

namespace strata::plugins {
namespace {

class Ones final : public Initializer {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) { schema.doc("Every value is 1.").example("Ones"); }

  explicit Ones(const Options&) {}

  void fill(const InitializerPass& pass) const { pass.constant(1); }
};

const InitializerRegistration<Ones> kRegistration{"Ones"};

}  // namespace
}  // namespace strata::plugins
