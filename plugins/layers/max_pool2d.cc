// MaxPool2D: the largest value of each window (Ranzato et al., CVPR 2007), as torch.nn.MaxPool2d;
// the gradient goes to the first one of equals.
#include <cmath>

#include "plugins/support/window.h"

namespace strata::plugins {
namespace {

class MaxPool2D final : public Layer {
 public:
  struct Options : WindowOptions {};

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Takes the largest value of each window of images of shape [channels, height, width].\n"
            "Padding never wins. Sizes that do not fit lose what is left at the right and at the "
            "bottom, unless `padding = \"same\"`.")
        .example("MaxPool2D(2)");
    describe_window(schema);
  }

  explicit MaxPool2D(const Options& options) : options_(options) {}

  Plan infer(const Shape& input) const {
    const Windows w = windows_of(options_, input, "MaxPool2D");
    const std::int64_t outputs = w.channels * w.out_positions();
    return Plan()
        .output({w.channels, w.y.out, w.x.out})
        .saved(outputs)  // where in its window the largest value is
        .overwrites()
        .flops(static_cast<double>(outputs * w.y.size * w.x.size));
  }

  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const Windows w = windows_of(options_, pass.input_shape(), "MaxPool2D");
    each_plane(pass, w.channels, work(w), [&](std::int64_t plane) {
      const T* x = pass.input() + plane * w.in_positions();
      T* y = pass.output() + plane * w.out_positions();
      T* place = pass.saved() + plane * w.out_positions();
      for (std::int64_t row = 0; row < w.y.out; ++row) {
        for (std::int64_t column = 0; column < w.x.out; ++column) {
          std::int64_t best = w.y.begin(row) * w.x.in + w.x.begin(column);
          for (std::int64_t i = w.y.begin(row); i < w.y.end(row); ++i) {
            for (std::int64_t j = w.x.begin(column); j < w.x.end(column); ++j) {
              // A NaN is passed on.
              if (x[i * w.x.in + j] > x[best] || std::isnan(x[i * w.x.in + j]))
                best = i * w.x.in + j;
            }
          }
          y[row * w.x.out + column] = x[best];
          place[row * w.x.out + column] = static_cast<T>(
              (best / w.x.in - w.y.start(row)) * w.x.size + best % w.x.in - w.x.start(column));
        }
      }
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    if (!pass.d_input()) return;
    const Windows w = windows_of(options_, pass.input_shape(), "MaxPool2D");
    each_plane(pass, w.channels, work(w), [&](std::int64_t plane) {
      const T* dy = pass.d_output() + plane * w.out_positions();
      const T* place = pass.saved() + plane * w.out_positions();
      T* dx = begin_plane(pass, plane, w.in_positions());
      for (std::int64_t row = 0; row < w.y.out; ++row) {
        for (std::int64_t column = 0; column < w.x.out; ++column) {
          const auto k = static_cast<std::int64_t>(place[row * w.x.out + column]);
          dx[(w.y.start(row) + k / w.x.size) * w.x.in + w.x.start(column) + k % w.x.size] +=
              dy[row * w.x.out + column];
        }
      }
    });
  }

 private:
  static std::int64_t work(const Windows& w) {
    return w.in_positions() + w.out_positions() * w.y.size * w.x.size;
  }

  const Options options_;
};

const LayerRegistration<MaxPool2D> kRegistration{"MaxPool2D"};

}  // namespace
}  // namespace strata::plugins
