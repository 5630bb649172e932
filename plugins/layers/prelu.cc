// PReLU: max(x, 0) + weight · min(x, 0) with a learned slope (He et al., 2015, arXiv:1502.01852).
#include <algorithm>

#include "framework/plugin/exchange.h"
#include "framework/plugin/reduce.h"

namespace strata::plugins {
namespace {

class PReLU final : public Layer {
 public:
  struct Options {
    bool shared = false;
    InitializerRef weight_init{"Zeros"};
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Passes positive values and multiplies negative ones by a learned slope.\n"
            "There is one slope per channel, the first axis, or one for all. It starts at 0 as in "
            "Keras; the paper and PyTorch start at 0.25: weight_init = Constant(0.25).")
        .example("PReLU(weight_init = Constant(0.25))");
    schema.option("shared", &Options::shared).doc("learn one slope for all channels");
    schema.option("weight_init", &Options::weight_init).doc("starting values of the slopes");
    schema.hint_for("num_parameters", "PyTorch's default of 1 is `shared = true` here")
        .hint_for("init", "PyTorch's init = 0.25 is `weight_init = Constant(0.25)` here")
        .hint_for("alpha_initializer", "it is called `weight_init` here")
        .hint_for("shared_axes", "slopes are per channel, or one for all with `shared = true`");
  }

  explicit PReLU(const Options& options) : options_(options) {}

  Plan infer(const Shape& input) const {
    if (input.rank() == 0)
      throw PluginError("PReLU needs at least one axis, and the input is a single number ([])");
    const std::int64_t slopes = options_.shared ? 1 : input[0];
    return Plan()
        .output(input)
        .parameter("weight", {slopes}, options_.weight_init, slopes, slopes, /*decay=*/false)
        .needs_input()
        .overwrites()
        .flops(2.0 * static_cast<double>(input.elements()));
  }

  // x, y: [batch, channels, positions]
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const T* x = pass.input();
    const T* slopes = pass.parameter(0);
    T* y = pass.output();
    rows(pass, [=, this](std::int64_t channel, std::int64_t begin, std::int64_t end) {
      const T slope = slopes[options_.shared ? 0 : channel];
      for (std::int64_t i = begin; i < end; ++i) y[i] = x[i] < T(0) ? slope * x[i] : x[i];
    });
  }

  // d_weight = Σ dy min(x, 0). Not x < 0 ? dy x : 0, which GCC 12.2 miscompiles in a vectorised
  // sum.
  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const T* x = pass.input();
    const T* dy = pass.d_output();
    const T* slopes = pass.parameter(0);
    if (T* dx = pass.d_input()) {
      const bool accumulate = pass.accumulate();
      rows(pass, [=, this](std::int64_t channel, std::int64_t begin, std::int64_t end) {
        const T slope = slopes[options_.shared ? 0 : channel];
        for (std::int64_t i = begin; i < end; ++i) {
          const T gradient = x[i] < T(0) ? slope * dy[i] : dy[i];
          dx[i] = accumulate ? dx[i] + gradient : gradient;
        }
      });
    }
    const Shape shape = pass.input_shape();
    const std::int64_t channels = options_.shared ? 1 : shape[0];
    const std::int64_t positions = shape.elements() / channels;
    T* d_weight = pass.d_parameter(0);
    const std::int64_t batch = pass.batch();
    pass.tiles(channels, std::max<std::int64_t>(1, kElementwiseTile / (batch * positions)),
               [=](std::int64_t first, std::int64_t last) {
                 for (std::int64_t channel = first; channel < last; ++channel) {
                   double sum = 0;
                   for (std::int64_t sample = 0; sample < batch; ++sample) {
                     const std::int64_t begin = (sample * channels + channel) * positions;
                     sum += static_cast<double>(sum_of<T>(positions, [=](std::int64_t i) {
                       return dy[begin + i] * (x[begin + i] < T(0) ? x[begin + i] : T(0));
                     }));
                   }
                   d_weight[channel] += static_cast<T>(sum);
                 }
               });
  }

  void to_onnx(OnnxLayer& onnx) const {
    const Shape slopes = options_.shared ? Shape{1} : channel_shape(onnx.input_shape());
    onnx.node("PRelu", {onnx.input(), onnx.tensor("weight", slopes)}, {onnx.output()});
  }
  // Keras has a slope per value, and one for all positions along its `shared_axes`.
  void to_others(LayerTensors& tensors) const {
    std::vector<std::int64_t> extents(static_cast<std::size_t>(tensors.input().rank()), 1);
    if (!options_.shared) extents.back() = tensors.input()[0];
    tensors.keras("weight", "alpha")
        .viewed(Shape(extents.begin(), extents.end()))
        .over_features(options_.shared ? -1 : 0);
  }

 private:
  // body(channel, begin, end) for the positions of each channel of each sample.
  template <class T, class Body>
  static void rows(const LayerPass<T>& pass, const Body& body) {
    const Shape shape = pass.input_shape();
    const std::int64_t channels = shape[0], positions = shape.elements() / channels;
    pass.tiles(pass.batch() * channels, std::max<std::int64_t>(1, kElementwiseTile / positions),
               [=](std::int64_t first, std::int64_t last) {
                 for (std::int64_t row = first; row < last; ++row)
                   body(row % channels, row * positions, (row + 1) * positions);
               });
  }

  const Options options_;
};

const LayerRegistration<PReLU> kRegistration{"PReLU"};
const ExchangeRegistration<PReLU> kExchange;

}  // namespace
}  // namespace strata::plugins
