// AveragePool1D: the mean of each window of a sequence, as torch.nn.AvgPool1d and Keras'
// AveragePooling1D.
#include "framework/plugin/exchange.h"
#include "plugins/support/average_pool.h"

namespace strata::plugins {
namespace {

class AveragePool1D final : public Layer {
 public:
  struct Options : SequenceWindowOptions {
    bool count_padding = false;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Takes the mean of each window of sequences of shape [channels, length].\n"
            "Padding is left out of the mean, as in Keras and ONNX, or counts as zeros, as in "
            "PyTorch, with `count_padding`.")
        .example("AveragePool1D(2)");
    describe_sequence_window(schema);
    describe_count_padding(schema);
  }

  explicit AveragePool1D(const Options& options) : options_(options) {
    check_count_padding(options.count_padding, std::get_if<std::string>(&options.padding));
  }

  Plan infer(const Shape& input) const {
    const Averages averages = averages_of(input);
    const Windows& w = averages.w;
    return Plan().output({w.channels, w.x.out}).overwrites().flops(averages.flops());
  }
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    averages_of(pass.input_shape()).forward(pass);
  }
  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    averages_of(pass.input_shape()).backward(pass);
  }

  void to_onnx(OnnxLayer& onnx) const {
    OnnxAttributes attributes =
        sequence_attributes(windows_of(options_, onnx.input_shape(), "AveragePool1D"));
    attributes.emplace_back("count_include_pad", std::int64_t{options_.count_padding});
    onnx.node("AveragePool", attributes);
  }
  void to_others(LayerTensors& tensors) const { tensors.channels_first(); }

 private:
  Averages averages_of(const Shape& input) const {
    return {windows_of(options_, input, "AveragePool1D"), options_.count_padding};
  }

  const Options options_;
};

const LayerRegistration<AveragePool1D> kRegistration{"AveragePool1D"};
const ExchangeRegistration<AveragePool1D> kExchange;

}  // namespace
}  // namespace strata::plugins
