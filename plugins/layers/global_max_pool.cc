// GlobalMaxPool: the largest value of each channel over all positions, as Keras'
// GlobalMaxPooling2D.
#include <cmath>

#include "framework/plugin/exchange.h"

namespace strata::plugins {
namespace {

class GlobalMaxPool final : public Layer {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Takes the largest value of each channel: [channels, height, width] and [channels, "
            "length] become [channels].")
        .example("GlobalMaxPool");
  }

  explicit GlobalMaxPool(const Options&) {}

  Plan infer(const Shape& input) const {
    if (input.rank() < 2) {
      throw PluginError(
          text("GlobalMaxPool takes [channels, height, width] or [channels, length], not ",
               input.text()));
    }
    return Plan()
        .output({input[0]})
        .needs_input()
        .overwrites()
        .flops(static_cast<double>(input.elements()));
  }

  // x: [batch · channels, positions], y: [batch · channels]
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const std::int64_t rows = pass.output_size(), positions = pass.input_size() / rows;
    pass.tiles(rows, 1 + kElementwiseTile / positions, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const T* x = pass.input() + row * positions;
        pass.output()[row] = x[largest(x, positions)];
      }
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    if (!pass.d_input()) return;
    const std::int64_t rows = pass.output_size(), positions = pass.input_size() / rows;
    const bool accumulate = pass.accumulate();
    pass.tiles(rows, 1 + kElementwiseTile / positions, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        T* dx = pass.d_input() + row * positions;
        if (!accumulate) std::fill_n(dx, positions, T(0));
        dx[largest(pass.input() + row * positions, positions)] += pass.d_output()[row];
      }
    });
  }

  void to_onnx(OnnxLayer& onnx) const {
    onnx.node("Flatten", {onnx.step("GlobalMaxPool", {onnx.input()})}, {onnx.output()},
              {{"axis", 1}});
  }
  void to_others(LayerTensors& tensors) const { tensors.channels_first(); }

 private:
  // The first one of equals; a NaN is passed on.
  template <class T>
  static std::int64_t largest(const T* x, std::int64_t count) {
    std::int64_t best = 0;
    for (std::int64_t i = 1; i < count; ++i) {
      if (x[i] > x[best] || std::isnan(x[i])) best = i;
    }
    return best;
  }
};

const LayerRegistration<GlobalMaxPool> kRegistration{"GlobalMaxPool"};
const ExchangeRegistration<GlobalMaxPool> kExchange;

}  // namespace
}  // namespace strata::plugins
