// A layer whose functions throw where THROWS_IN says, through the C boundary or, with the SDK, as a
// C++ author would write it.
#include <cmath>
#include <stdexcept>

#include "framework/plugin/layer.h"

namespace {

using namespace strata;

class Throwing final : public Layer {
 public:
  struct Options {};
  static void describe(Schema<Options>& schema) {
    schema.doc("The value itself.").example("Throwing");
  }
  explicit Throwing(const Options&) {
#ifdef THROWS_IN_CREATE
    throw std::runtime_error("created on a bad day");
#endif
  }
  Plan infer(const Shape& input) const {
#ifdef THROWS_IN_INFER
    throw std::runtime_error("inferred on a bad day");
#endif
    return Plan().output(input);
  }
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    pass.parallel(64, [&](std::int64_t task) {
#ifdef THROWS_IN_FORWARD
      if (task % 2 == 1)
        throw std::runtime_error("task " + std::to_string(task) + " had a bad day");
#endif
      for (std::int64_t i = task; i < pass.input_size(); i += 64)
        pass.output()[i] = pass.input()[i];
    });
  }
  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    for (std::int64_t i = 0; pass.d_input() && i < pass.input_size(); ++i)
      pass.d_input()[i] += pass.d_output()[i];
  }
};

const LayerRegistration<Throwing> kRegistration{"Throwing"};

#ifdef THROWS_RAW
// Without the SDK's guard.
int raw_infer(const void*, const strata_input*, std::int64_t, strata_plan*, strata_error*) {
  throw std::runtime_error("thrown through C");
}
int pass_nothing(const void*, const strata_layer_pass*, strata_error*) { return STRATA_OK; }
int make(const strata_value*, std::int64_t, void** instance, strata_error*) {
  static int thing;
  *instance = &thing;
  return STRATA_OK;
}
void unmake(void*) {}
const strata_layer kRaw{sizeof(strata_layer), &raw_infer, &pass_nothing, &pass_nothing};
const strata_schema kSchema{
    sizeof(strata_schema), "Throws.", "Raw", nullptr, 0, nullptr, 0, 0, nullptr, nullptr, 0};
const strata_entry kEntry{
    sizeof(strata_entry), STRATA_LAYER, "Throwing", &kSchema, &make, &unmake, &kRaw};
const strata_entry* const kEntries[] = {&kEntry};
#endif

}  // namespace

#ifdef THROWS_RAW
extern "C" STRATA_EXPORT const strata_tag strata_plugin_tag = STRATA_TAG("throwing", "1.0");
extern "C" STRATA_EXPORT int strata_plugin_entries(strata_library* library, strata_error*) {
  library->entries = kEntries;
  library->entry_count = 1;
  return STRATA_OK;
}
#else
STRATA_PLUGIN("throwing", "1.0");
#endif
