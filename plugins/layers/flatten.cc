// Flatten: all axes of a sample become one.
#include "framework/plugin/exchange.h"
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

  void to_onnx(OnnxLayer& onnx) const { onnx.node("Flatten", {{"axis", 1}}); }
};

const LayerRegistration<Flatten> kRegistration{"Flatten"};
const ExchangeRegistration<Flatten> kExchange;

}  // namespace
}  // namespace strata::plugins
