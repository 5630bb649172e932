// MaxPool1D: the largest value of each window of a sequence, as torch.nn.MaxPool1d; the gradient
// goes to the first one of equals.
#include <cmath>

#include "framework/plugin/exchange.h"
#include "plugins/support/window.h"

namespace strata::plugins {
namespace {

class MaxPool1D final : public Layer {
 public:
  struct Options : SequenceWindowOptions {};

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Takes the largest value of each window of sequences of shape [channels, length].\n"
            "Padding never wins. A length that does not fit loses what is left at the end, unless "
            "`padding = \"same\"`.")
        .example("MaxPool1D(2)");
    describe_sequence_window(schema);
  }

  explicit MaxPool1D(const Options& options) : options_(options) {}

  Plan infer(const Shape& input) const {
    const Windows w = windows_of(options_, input, "MaxPool1D");
    return Plan()
        .output({w.channels, w.x.out})
        .needs_input()
        .overwrites()
        .flops(static_cast<double>(w.channels * w.x.out * w.x.size));
  }

  // x: [batch · channels, length], y: [batch · channels, windows]
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const Windows w = windows_of(options_, pass.input_shape(), "MaxPool1D");
    each_plane(pass, w.channels, work(w.x), [&](std::int64_t plane) {
      const T* x = pass.input() + plane * w.x.in;
      T* y = pass.output() + plane * w.x.out;
      for (std::int64_t o = 0; o < w.x.out; ++o) y[o] = x[largest(w.x, x, o)];
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    if (!pass.d_input()) return;
    const Windows w = windows_of(options_, pass.input_shape(), "MaxPool1D");
    each_plane(pass, w.channels, work(w.x), [&](std::int64_t plane) {
      const T* x = pass.input() + plane * w.x.in;
      const T* dy = pass.d_output() + plane * w.x.out;
      T* dx = begin_plane(pass, plane, w.x.in);
      for (std::int64_t o = 0; o < w.x.out; ++o) dx[largest(w.x, x, o)] += dy[o];
    });
  }

  void to_onnx(OnnxLayer& onnx) const {
    onnx.node("MaxPool",
              sequence_attributes(windows_of(options_, onnx.input_shape(), "MaxPool1D")));
  }
  void to_others(LayerTensors& tensors) const { tensors.channels_first(); }

 private:
  // A NaN is passed on.
  template <class T>
  static std::int64_t largest(const Window& w, const T* x, std::int64_t o) {
    std::int64_t best = w.begin(o);
    for (std::int64_t i = best; i < w.end(o); ++i) {
      if (x[i] > x[best] || std::isnan(x[i])) best = i;
    }
    return best;
  }
  static std::int64_t work(const Window& w) { return w.in + w.out * w.size; }

  const Options options_;
};

const LayerRegistration<MaxPool1D> kRegistration{"MaxPool1D"};
const ExchangeRegistration<MaxPool1D> kExchange;

}  // namespace
}  // namespace strata::plugins
