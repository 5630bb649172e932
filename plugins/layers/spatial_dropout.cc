// SpatialDropout: zeroes whole channels at random while training (Tompson et al., 2015,
// arXiv:1411.4280), as torch.nn.Dropout2d and Keras' SpatialDropout2D.
#include <algorithm>

#include "framework/plugin/exchange.h"

namespace strata::plugins {
namespace {

class SpatialDropout final : public Layer {
 public:
  struct Options {
    double rate = 0.5;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "While training, sets each channel of a sample to zero with probability `rate` and "
            "divides the others by 1 - rate.\n"
            "Channels are the first axis. Does nothing in inference. Which channels are dropped "
            "depends on the seed, the step and the layer alone.")
        .example("SpatialDropout(0.2)");
    schema.option("rate", &Options::rate)
        .min(0)
        .below(1)
        .doc("the probability with which a channel is dropped");
    schema.hint_for("p", "it is called `rate` here, and may be given first without a name");
  }

  explicit SpatialDropout(const Options& options)
      : scale_(1 / (1 - options.rate)),
        threshold_(static_cast<std::uint32_t>(options.rate * 0x1p32)) {}

  Plan infer(const Shape& input) const {
    if (input.rank() < 2) {
      throw PluginError(
          text("SpatialDropout takes [channels, height, width] or [channels, length], not ",
               input.text()),
          "Dropout drops single values");
    }
    return Plan()
        .output(input)
        .saved(input[0])  // what each channel was multiplied by: 0 or 1 / (1 - rate)
        .in_place()
        .overwrites()
        .trait("random-mask")
        .flops(static_cast<double>(input.elements()));
  }

  // x: [batch · channels, positions]; channel i of the batch has word i of the stream.
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const T* x = pass.input();
    T* y = pass.output();
    each_channel(pass, [&](std::int64_t channel, std::int64_t begin, std::int64_t end) {
      T factor = 1;
      if (pass.training()) {
        std::uint32_t word;
        pass.random(pass.key(), static_cast<std::uint64_t>(channel), 1, &word);
        pass.saved()[channel] = factor = word < threshold_ ? T(0) : static_cast<T>(scale_);
      }
      for (std::int64_t i = begin; i < end; ++i) y[i] = x[i] * factor;
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const T* dy = pass.d_output();
    T* dx = pass.d_input();
    if (!dx) return;
    const bool accumulate = pass.accumulate();
    each_channel(pass, [&](std::int64_t channel, std::int64_t begin, std::int64_t end) {
      const T factor = pass.training() ? pass.saved()[channel] : T(1);
      for (std::int64_t i = begin; i < end; ++i)
        dx[i] = accumulate ? dx[i] + dy[i] * factor : dy[i] * factor;
    });
  }

  void to_onnx(OnnxLayer& onnx) const { onnx.pass_on(); }

 private:
  template <class T, class Body>
  static void each_channel(const LayerPass<T>& pass, const Body& body) {
    const Shape shape = pass.input_shape();
    const std::int64_t positions = shape.elements() / shape[0];
    pass.tiles(pass.batch() * shape[0], 1 + kElementwiseTile / positions,
               [&](std::int64_t first, std::int64_t last) {
                 for (std::int64_t channel = first; channel < last; ++channel)
                   body(channel, channel * positions, (channel + 1) * positions);
               });
  }

  const double scale_;
  const std::uint32_t threshold_;  // of 32-bit words: below it, a channel is dropped
};

const LayerRegistration<SpatialDropout> kRegistration{"SpatialDropout"};
const ExchangeRegistration<SpatialDropout> kExchange;

}  // namespace
}  // namespace strata::plugins
