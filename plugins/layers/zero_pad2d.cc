// ZeroPad2D: zeros around images, as Keras' ZeroPadding2D and torch.nn.ZeroPad2d.
#include "framework/plugin/exchange.h"
#include "plugins/support/window.h"

namespace strata::plugins {
namespace {

class ZeroPad2D final : public Layer {
 public:
  struct Options {
    Extent padding = std::int64_t{1};
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Adds zeros around images of shape [channels, height, width].\n"
            "PyTorch's ZeroPad2d has its four numbers in another order: left, right, top, bottom.")
        .example("ZeroPad2D([1, 1, 2, 2])");
    schema.option("padding", &Options::padding)
        .min(0)
        .doc("on all sides, or [vertical, horizontal], or [top, bottom, left, right]");
  }

  explicit ZeroPad2D(const Options& options) {
    const auto* list = std::get_if<std::vector<std::int64_t>>(&options.padding);
    if (list && list->size() != 2 && list->size() != 4) {
      throw PluginError(
          text("`padding` is one number, [vertical, horizontal] or [top, bottom, "
               "left, right], and it has ",
               list->size(), list->size() == 1 ? " number" : " numbers"));
    }
    for (std::size_t side = 0; side < 4; ++side) {
      sides_[side] = !list ? std::get<std::int64_t>(options.padding)
                           : (*list)[list->size() == 4 ? side : side / 2];
    }
  }

  Plan infer(const Shape& input) const {
    if (input.rank() != 3) {
      throw PluginError(
          text("ZeroPad2D takes images of shape [channels, height, width], not ", input.text()));
    }
    return Plan()
        .output({input[0], input[1] + sides_[0] + sides_[1], input[2] + sides_[2] + sides_[3]})
        .overwrites();
  }

  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const Shape in = pass.input_shape(), out = pass.output_shape();
    each_plane(pass, in[0], out[1] * out[2], [&](std::int64_t plane) {
      const T* x = pass.input() + plane * in[1] * in[2];
      T* y = pass.output() + plane * out[1] * out[2];
      std::fill_n(y, out[1] * out[2], T(0));
      for (std::int64_t row = 0; row < in[1]; ++row)
        std::copy_n(x + row * in[2], in[2], y + (row + sides_[0]) * out[2] + sides_[2]);
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    if (!pass.d_input()) return;
    const Shape in = pass.input_shape(), out = pass.output_shape();
    const bool accumulate = pass.accumulate();
    each_plane(pass, in[0], out[1] * out[2], [&](std::int64_t plane) {
      T* dx = pass.d_input() + plane * in[1] * in[2];
      for (std::int64_t row = 0; row < in[1]; ++row) {
        const T* dy = pass.d_output() + (plane * out[1] + row + sides_[0]) * out[2] + sides_[2];
        for (std::int64_t j = 0; j < in[2]; ++j)
          dx[row * in[2] + j] = accumulate ? dx[row * in[2] + j] + dy[j] : dy[j];
      }
    });
  }

  void to_onnx(OnnxLayer& onnx) const {
    const std::string sides =
        onnx.integers("padding", {0, 0, sides_[0], sides_[2], 0, 0, sides_[1], sides_[3]});
    onnx.node("Pad", {onnx.input(), sides}, {onnx.output()});
  }
  void to_others(LayerTensors& tensors) const { tensors.channels_first(); }

 private:
  std::int64_t sides_[4];  // top, bottom, left, right
};

const LayerRegistration<ZeroPad2D> kRegistration{"ZeroPad2D"};
const ExchangeRegistration<ZeroPad2D> kExchange;

}  // namespace
}  // namespace strata::plugins
