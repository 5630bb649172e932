// Dropout: zeroes values at random while training (Srivastava et al., JMLR 15, 2014), inverted, so
// that inference is the identity.
#include <algorithm>

#include "framework/plugin/exchange.h"

namespace strata::plugins {
namespace {

class Dropout final : public Layer {
 public:
  struct Options {
    double rate = 0.5;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "While training, sets each value to zero with probability `rate` and divides the "
            "others by 1 - rate.\n"
            "Does nothing in inference. Which values are dropped depends on the seed, the step and "
            "the layer alone.")
        .example("Dropout(0.2)");
    schema.option("rate", &Options::rate)
        .min(0)
        .below(1)
        .doc("the probability with which a value is dropped");
    schema.hint_for(
        "p", "it is called `rate` here, and may be given first without a name: Dropout(0.5)");
  }

  explicit Dropout(const Options& options)
      : scale_(1 / (1 - options.rate)),
        threshold_(static_cast<std::uint32_t>(options.rate * 0x1p32)) {}

  Plan infer(const Shape& input) const {
    return Plan()
        .output(input)
        .saved(input.elements())  // what each value was multiplied by: 0 or 1 / (1 - rate)
        .in_place()
        .overwrites()
        .trait("random-mask")
        .flops(static_cast<double>(input.elements()));
  }

  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const T* x = pass.input();
    T* y = pass.output();
    pass.tiles(pass.input_size(), kElementwiseTile, [&](std::int64_t begin, std::int64_t end) {
      if (!pass.training()) {
        if (x != y) std::copy(x + begin, x + end, y + begin);
        return;
      }
      T* mask = pass.saved();
      const T scale = static_cast<T>(scale_);
      constexpr std::int64_t kWords = 1024;
      std::uint32_t words[kWords];
      for (std::int64_t first = begin; first < end; first += kWords) {
        const std::int64_t count = std::min(kWords, end - first);
        // Element i of the batch has word i of the stream, whatever the tiles.
        pass.random(pass.key(), static_cast<std::uint64_t>(first), count, words);
        for (std::int64_t i = 0; i < count; ++i)
          mask[first + i] = words[i] < threshold_ ? T(0) : scale;
        for (std::int64_t i = first; i < first + count; ++i) y[i] = x[i] * mask[i];
      }
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const T* dy = pass.d_output();
    T* dx = pass.d_input();
    if (!dx) return;
    pass.tiles(pass.input_size(), kElementwiseTile, [&](std::int64_t begin, std::int64_t end) {
      const T* mask = pass.training() ? pass.saved() : nullptr;
      const bool accumulate = pass.accumulate();
      for (std::int64_t i = begin; i < end; ++i) {
        const T gradient = mask ? dy[i] * mask[i] : dy[i];
        dx[i] = accumulate ? dx[i] + gradient : gradient;
      }
    });
  }

  void to_onnx(OnnxLayer& onnx) const { onnx.pass_on(); }

 private:
  const double scale_;
  const std::uint32_t threshold_;  // of 32-bit words: below it, a value is dropped
};

const LayerRegistration<Dropout> kRegistration{"Dropout"};
const ExchangeRegistration<Dropout> kExchange;

}  // namespace
}  // namespace strata::plugins
