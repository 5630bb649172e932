// Flatten: all axes of a sample become one.
#include "plugins/support/view.h"

namespace strata::plugins {
namespace {

class Flatten final : public ViewLayer {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema
        .doc("Makes one axis of all axes of a sample, in row-major order: [28, 28] becomes [784].")
        .example("Flatten");
  }

  explicit Flatten(const Options&) {}

  Plan infer(const Shape& input) const { return view_of({input.elements()}); }
};

const LayerRegistration<Flatten> kRegistration{"Flatten"};

}  // namespace
}  // namespace strata::plugins
