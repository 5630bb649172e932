// BatchNorm: batch normalization (Ioffe and Szegedy, 2015, arXiv:1502.03167). Variances take two
// passes; the running variance is PyTorch's unbiased estimate, or Keras' and ONNX' biased one, as
// the option says.
#include "plugins/support/batch_norm.h"

#include "framework/plugin/exchange.h"

namespace strata::plugins {
namespace {

class BatchNorm final : public Layer {
 public:
  struct Options : BatchNormOptions {};

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Gives each channel zero mean and unit variance over the batch, then a learned scale "
            "and shift.\n"
            "Channels are the first axis of [channels, height, width] and [channels, length], and "
            "the features of "
            "[features]. Training uses the batch's own mean and (biased) variance and keeps "
            "running ones, which are "
            "used in inference: running = decay * running + (1 - decay) * batch. Training needs at "
            "least two values "
            "per channel in a batch.")
        .example("BatchNorm(decay = 0.99, running_variance = \"biased\")");
    describe_batch_norm(schema);
  }

  explicit BatchNorm(const Options& options) : norm_("BatchNorm", options) {}

  Plan infer(const Shape& input) const { return norm_.plan(input); }
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    norm_.forward(pass);
  }
  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    norm_.backward(pass);
  }

  void to_onnx(OnnxLayer& onnx) const { norm_.to_onnx(onnx); }
  void to_others(LayerTensors& tensors) const { norm_.to_others(tensors); }

 private:
  const ChannelNorm norm_;
};

const LayerRegistration<BatchNorm> kRegistration{"BatchNorm"};
const ExchangeRegistration<BatchNorm> kExchange;

}  // namespace
}  // namespace strata::plugins
