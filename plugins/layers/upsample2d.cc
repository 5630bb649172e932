// Upsample2D: images enlarged by whole numbers, repeating pixels or between them (bilinear, pixel
// centres kept in place), as Keras' UpSampling2D and torch.nn.Upsample with align_corners = False.
#include "framework/plugin/exchange.h"
#include "plugins/support/window.h"

namespace strata::plugins {
namespace {

class Upsample2D final : public Layer {
 public:
  struct Options {
    Extent scale = std::int64_t{2};
    std::string mode = "nearest";
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Enlarges images of shape [channels, height, width] by whole numbers.\n"
            "\"nearest\" repeats each pixel; \"bilinear\" goes straight from the centre of one to "
            "that of the next.")
        .example("Upsample2D(2, mode = \"bilinear\")");
    schema.option("scale", &Options::scale)
        .min(1)
        .doc("how many times larger, or [vertical, horizontal]");
    schema.option("mode", &Options::mode)
        .choices({"nearest", "bilinear"})
        .doc("what stands between the pixels");
    schema.hint_for("size", "it is called `scale` here")
        .hint_for("scale_factor", "it is called `scale` here")
        .hint_for("interpolation", "it is called `mode` here")
        .hint_for("align_corners", "pixel centres keep their places: align_corners = False");
  }

  explicit Upsample2D(const Options& options)
      : options_(options), bilinear_(options.mode == "bilinear") {
    check_extent("scale", options.scale);
  }

  Plan infer(const Shape& input) const {
    if (input.rank() != 3) {
      throw PluginError(
          text("Upsample2D takes images of shape [channels, height, width], not ", input.text()));
    }
    const Shape output{input[0], input[1] * extent_of(options_.scale, 0),
                       input[2] * extent_of(options_.scale, 1)};
    return Plan().output(output).overwrites().flops(
        bilinear_ ? 7.0 * static_cast<double>(output.elements()) : 0.0);
  }

  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    each_output(pass, [&](std::int64_t plane, std::int64_t at, const Between& y, const Between& x,
                          std::int64_t width, std::int64_t size) {
      const T* in = pass.input() + plane * size;
      const T down = static_cast<T>(y.share), right = static_cast<T>(x.share);
      const T *upper = in + y.first * width, *lower = in + y.second * width;
      pass.output()[at] =
          (T(1) - down) * ((T(1) - right) * upper[x.first] + right * upper[x.second]) +
          down * ((T(1) - right) * lower[x.first] + right * lower[x.second]);
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    if (!pass.d_input()) return;
    const std::int64_t positions = pass.input_shape().elements(1, 3);
    each_plane(pass, pass.input_shape()[0], positions,
               [&](std::int64_t plane) { begin_plane(pass, plane, positions); });
    each_output(pass, [&](std::int64_t plane, std::int64_t at, const Between& y, const Between& x,
                          std::int64_t width, std::int64_t size) {
      T* dx = pass.d_input() + plane * size;
      const T dy = pass.d_output()[at];
      const T down = static_cast<T>(y.share), right = static_cast<T>(x.share);
      T *upper = dx + y.first * width, *lower = dx + y.second * width;
      upper[x.first] += (T(1) - down) * (T(1) - right) * dy;
      upper[x.second] += (T(1) - down) * right * dy;
      lower[x.first] += down * (T(1) - right) * dy;
      lower[x.second] += down * right * dy;
    });
  }

  void to_onnx(OnnxLayer& onnx) const {
    const std::string scales =
        onnx.numbers("scales", {4},
                     {1, 1, static_cast<double>(extent_of(options_.scale, 0)),
                      static_cast<double>(extent_of(options_.scale, 1))});
    const OnnxNames inputs = {onnx.input(), "", scales};
    if (bilinear_) {
      return onnx.node("Resize", inputs, {onnx.output()},
                       {{"coordinate_transformation_mode", "half_pixel"}, {"mode", "linear"}});
    }
    onnx.node("Resize", inputs, {onnx.output()},
              {{"coordinate_transformation_mode", "asymmetric"},
               {"mode", "nearest"},
               {"nearest_mode", "floor"}});
  }
  void to_others(LayerTensors& tensors) const { tensors.channels_first(); }

 private:
  // An output lies between two inputs: (1 - share) of the first, and share of the second.
  struct Between {
    std::int64_t first, second;
    double share;
  };
  Between between(std::int64_t out, std::int64_t in_size, std::int64_t scale) const {
    if (!bilinear_) return {out / scale, out / scale, 0};
    const double place =
        std::max(0.0, (static_cast<double>(out) + 0.5) / static_cast<double>(scale) - 0.5);
    const auto first = std::min(in_size - 1, static_cast<std::int64_t>(place));
    return {first, std::min(in_size - 1, first + 1), place - static_cast<double>(first)};
  }

  // body(plane, index of the output, rows, columns, the input's width and positions), planes in
  // parallel.
  template <class Pass, class Body>
  void each_output(const Pass& pass, const Body& body) const {
    const Shape in = pass.input_shape(), out = pass.output_shape();
    const std::int64_t vertical = extent_of(options_.scale, 0),
                       horizontal = extent_of(options_.scale, 1);
    each_plane(pass, in[0], 4 * out[1] * out[2], [&](std::int64_t plane) {
      for (std::int64_t row = 0; row < out[1]; ++row) {
        const Between y = between(row, in[1], vertical);
        for (std::int64_t column = 0; column < out[2]; ++column) {
          body(plane, (plane * out[1] + row) * out[2] + column, y,
               between(column, in[2], horizontal), in[2], in[1] * in[2]);
        }
      }
    });
  }

  const Options options_;
  const bool bilinear_;
};

const LayerRegistration<Upsample2D> kRegistration{"Upsample2D"};
const ExchangeRegistration<Upsample2D> kExchange;

}  // namespace
}  // namespace strata::plugins
