// AveragePool2D: the mean of each window (LeCun et al., 1990), as torch.nn.AvgPool2d and Keras'
// AveragePooling2D.
#include "plugins/support/window.h"

namespace strata::plugins {
namespace {

class AveragePool2D final : public Layer {
 public:
  struct Options : WindowOptions {
    bool count_padding = false;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Takes the mean of each window of images of shape [channels, height, width].\n"
            "Padding is left out of the mean, as in Keras and ONNX, or counts as zeros, as in "
            "PyTorch, with `count_padding`.")
        .example("AveragePool2D(2)");
    describe_window(schema);
    schema.option("count_padding", &Options::count_padding)
        .doc("divide by the whole window's size at the edges, too");
    schema.hint_for("count_include_pad", "it is called `count_padding` here");
  }

  explicit AveragePool2D(const Options& options) : options_(options) {
    const auto* word = std::get_if<std::string>(&options.padding);
    if (options.count_padding && word && *word == "same") {
      throw PluginError("`count_padding` goes with padding in numbers, not with \"same\"");
    }
  }

  Plan infer(const Shape& input) const {
    const Windows w = windows_of(options_, input, "AveragePool2D");
    return Plan()
        .output({w.channels, w.y.out, w.x.out})
        .overwrites()
        .flops(static_cast<double>(w.channels * w.out_positions() * w.y.size * w.x.size));
  }

  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const Windows w = windows_of(options_, pass.input_shape(), "AveragePool2D");
    each_plane(pass, w.channels, work(w), [&](std::int64_t plane) {
      const T* x = pass.input() + plane * w.in_positions();
      T* y = pass.output() + plane * w.out_positions();
      for (std::int64_t row = 0; row < w.y.out; ++row) {
        for (std::int64_t column = 0; column < w.x.out; ++column) {
          T sum = 0;
          for (std::int64_t i = w.y.begin(row); i < w.y.end(row); ++i) {
            for (std::int64_t j = w.x.begin(column); j < w.x.end(column); ++j)
              sum += x[i * w.x.in + j];
          }
          y[row * w.x.out + column] = sum / divisor<T>(w, row, column);
        }
      }
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    if (!pass.d_input()) return;
    const Windows w = windows_of(options_, pass.input_shape(), "AveragePool2D");
    each_plane(pass, w.channels, work(w), [&](std::int64_t plane) {
      const T* dy = pass.d_output() + plane * w.out_positions();
      T* dx = begin_plane(pass, plane, w.in_positions());
      for (std::int64_t row = 0; row < w.y.out; ++row) {
        for (std::int64_t column = 0; column < w.x.out; ++column) {
          const T share = dy[row * w.x.out + column] / divisor<T>(w, row, column);
          for (std::int64_t i = w.y.begin(row); i < w.y.end(row); ++i) {
            for (std::int64_t j = w.x.begin(column); j < w.x.end(column); ++j)
              dx[i * w.x.in + j] += share;
          }
        }
      }
    });
  }

 private:
  template <class T>
  T divisor(const Windows& w, std::int64_t row, std::int64_t column) const {
    if (options_.count_padding) return static_cast<T>(w.y.size * w.x.size);
    return static_cast<T>((w.y.end(row) - w.y.begin(row)) * (w.x.end(column) - w.x.begin(column)));
  }
  static std::int64_t work(const Windows& w) {
    return w.in_positions() + w.out_positions() * w.y.size * w.x.size;
  }

  const Options options_;
};

const LayerRegistration<AveragePool2D> kRegistration{"AveragePool2D"};

}  // namespace
}  // namespace strata::plugins
