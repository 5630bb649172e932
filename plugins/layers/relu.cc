// ReLU: the rectified linear unit, max(x, 0) (Nair and Hinton, ICML 2010).
#include "framework/plugin/exchange.h"

namespace strata::plugins {
namespace {

class ReLU final : public Layer {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema.doc("Passes positive values and replaces negative ones by zero: max(x, 0).")
        .example("ReLU");
  }

  explicit ReLU(const Options&) {}

  Plan infer(const Shape& input) const {
    return Plan().output(input).needs_output().in_place().overwrites().flops(
        static_cast<double>(input.elements()));
  }

  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const T* x = pass.input();
    T* y = pass.output();
    pass.tiles(pass.input_size(), kElementwiseTile, [&](std::int64_t begin, std::int64_t end) {
      // A NaN is passed on, so that it is found where it arose.
      for (std::int64_t i = begin; i < end; ++i) y[i] = x[i] < T(0) ? T(0) : x[i];
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const T* y = pass.output();
    const T* dy = pass.d_output();
    T* dx = pass.d_input();
    if (!dx) return;
    const bool accumulate = pass.accumulate();
    pass.tiles(pass.input_size(), kElementwiseTile, [&](std::int64_t begin, std::int64_t end) {
      // dy is read whether it is used or not: a load under a condition would keep the loops from
      // vectorising.
      if (accumulate) {
        for (std::int64_t i = begin; i < end; ++i) {
          const T gradient = dy[i];
          dx[i] += y[i] > T(0) ? gradient : T(0);
        }
      } else {
        for (std::int64_t i = begin; i < end; ++i) {
          const T gradient = dy[i];
          dx[i] = y[i] > T(0) ? gradient : T(0);
        }
      }
    });
  }

  void to_onnx(OnnxLayer& onnx) const { onnx.node("Relu"); }
};

const LayerRegistration<ReLU> kRegistration{"ReLU"};
const ExchangeRegistration<ReLU> kExchange;

}  // namespace
}  // namespace strata::plugins
