// GlobalAveragePool: the mean of each channel over all positions (Lin et al., 2014,
// arXiv:1312.4400).
#include "framework/plugin/exchange.h"
#include "framework/plugin/reduce.h"

namespace strata::plugins {
namespace {

class GlobalAveragePool final : public Layer {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Averages each channel over all positions: [channels, height, width] and [channels, "
            "length] become "
            "[channels].")
        .example("GlobalAveragePool");
  }

  explicit GlobalAveragePool(const Options&) {}

  Plan infer(const Shape& input) const {
    if (input.rank() < 2) {
      throw PluginError(
          text("GlobalAveragePool takes [channels, height, width] or [channels, length], not ",
               input.text()));
    }
    return Plan().output({input[0]}).overwrites().flops(static_cast<double>(input.elements()));
  }

  // x: [batch · channels, positions], y: [batch · channels]
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const std::int64_t rows = pass.output_size(), positions = pass.input_size() / rows;
    const T* x = pass.input();
    T* y = pass.output();
    pass.tiles(rows, 1 + kElementwiseTile / positions, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const T* values = x + row * positions;
        y[row] = sum_of<T>(positions, [=](std::int64_t i) { return values[i]; }) /
                 static_cast<T>(positions);
      }
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    T* dx = pass.d_input();
    if (!dx) return;
    const std::int64_t rows = pass.output_size(), positions = pass.input_size() / rows;
    const T* dy = pass.d_output();
    const bool accumulate = pass.accumulate();
    pass.tiles(rows, 1 + kElementwiseTile / positions, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const T share = dy[row] / static_cast<T>(positions);
        T* out = dx + row * positions;
        if (accumulate) {
          for (std::int64_t i = 0; i < positions; ++i) out[i] += share;
        } else {
          for (std::int64_t i = 0; i < positions; ++i) out[i] = share;
        }
      }
    });
  }

  void to_onnx(OnnxLayer& onnx) const {
    onnx.node("Flatten", {onnx.step("GlobalAveragePool", {onnx.input()})}, {onnx.output()},
              {{"axis", 1}});
  }
  void to_others(LayerTensors& tensors) const { tensors.channels_first(); }
};

const LayerRegistration<GlobalAveragePool> kRegistration{"GlobalAveragePool"};
const ExchangeRegistration<GlobalAveragePool> kExchange;

}  // namespace
}  // namespace strata::plugins
