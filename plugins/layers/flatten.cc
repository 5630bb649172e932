// Flatten: all axes of a sample become one.
#include <algorithm>

#include "framework/plugin/layer.h"

namespace strata::plugins {
namespace {

class Flatten final : public Layer {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema
        .doc("Makes one axis of all axes of a sample, in row-major order: [28, 28] becomes [784].")
        .example("Flatten");
  }

  explicit Flatten(const Options&) {}

  Plan infer(const Shape& input) const {
    return Plan().output({input.elements()}).view().in_place().overwrites();
  }

  // A host that heeds view() never calls these.
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const T* x = pass.input();
    T* y = pass.output();
    if (x == y) return;
    pass.tiles(pass.input_size(), kElementwiseTile, [&](std::int64_t begin, std::int64_t end) {
      std::copy(x + begin, x + end, y + begin);
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const T* dy = pass.d_output();
    T* dx = pass.d_input();
    if (!dx || dx == dy) return;
    const bool accumulate = pass.accumulate();
    pass.tiles(pass.input_size(), kElementwiseTile, [&](std::int64_t begin, std::int64_t end) {
      if (!accumulate) {
        std::copy(dy + begin, dy + end, dx + begin);
      } else {
        for (std::int64_t i = begin; i < end; ++i) dx[i] += dy[i];
      }
    });
  }
};

const LayerRegistration<Flatten> kRegistration{"Flatten"};

}  // namespace
}  // namespace strata::plugins
