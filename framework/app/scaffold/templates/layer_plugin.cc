// MyPlugin: x * sigmoid(beta * x). A layer to begin from.
#include <cmath>

#include "framework/plugin/layer.h"

namespace {

using namespace strata;

class MyPlugin final : public Layer {
 public:
  struct Options {
    double beta = 1;  // the only place a default is written
  };

  static void describe(Schema<Options>& schema) {
    schema.doc("A smooth relative of ReLU: x * sigmoid(beta * x).").example("MyPlugin(1.5)");
    schema.option("beta", &Options::beta).above(0).doc("how sharply it bends at zero");
  }

  explicit MyPlugin(const Options& options) : beta_(options.beta) {}

  // Shapes in, shapes and buffers out. What cannot be is a PluginError with a sentence.
  Plan infer(const Shape& input) const {
    return Plan().output(input).needs_input().overwrites().flops(
        5 * static_cast<double>(input.elements()));
  }

  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const T* x = pass.input();
    T* y = pass.output();
    const T beta = static_cast<T>(beta_);
    pass.tiles(pass.input_size(), kElementwiseTile, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) y[i] = x[i] / (T(1) + std::exp(-beta * x[i]));
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const T* x = pass.input();
    const T* dy = pass.d_output();
    T* dx = pass.d_input();
    if (!dx) return;
    const T beta = static_cast<T>(beta_);
    const bool accumulate = pass.accumulate();
    pass.tiles(pass.input_size(), kElementwiseTile, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const T s = T(1) / (T(1) + std::exp(-beta * x[i]));
        const T gradient = dy[i] * (s + beta * x[i] * s * (T(1) - s));
        dx[i] = accumulate ? dx[i] + gradient : gradient;
      }
    });
  }

 private:
  const double beta_;
};

const LayerRegistration<MyPlugin> kRegistration{"MyPlugin"};

}  // namespace

STRATA_PLUGIN("my_plugin", "1.0");
