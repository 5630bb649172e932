// Conv1D: filters that slide over a sequence (Waibel et al., 1989), as torch.nn.Conv1d. Padding
// "same" is Keras' and ONNX' SAME_UPPER, "causal" Keras' (van den Oord et al., 2016,
// arXiv:1609.03499).
#include <string>
#include <variant>

#include "framework/plugin/exchange.h"
#include "plugins/support/columns.h"
#include "plugins/support/convolution_options.h"

namespace strata::plugins {
namespace {

class Conv1D final : public Layer {
 public:
  using Padding = std::variant<std::string, std::int64_t>;
  using Options = ConvolutionOptions<std::int64_t, Padding>;

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Slides learned filters over sequences of shape [channels, length].\n"
            "`padding = \"same\"` adds zeros so that the length is divided by the stride, rounded "
            "up; "
            "\"causal\" adds them before the sequence alone, so that no output sees what comes "
            "after "
            "it; \"valid\" adds none; a number adds as many on both sides. With `groups`, each "
            "group "
            "of channels sees only its own inputs. Sequences of [length, features] become "
            "[features, "
            "length] by Permute([1, 0]).")
        .example("Conv1D(16, kernel = 5, padding = \"same\")");
    const ConvolutionDocs docs{
        .layer = "Conv1D",
        .channels = "how many filters, the output's channels",
        .kernel = "the filters' length",
        .stride = "the step between positions",
        .padding = "zeros around the sequence: \"same\", \"valid\", \"causal\" or a number",
        .dilation = "the distance between the filter's points",
        .paddings = {"same", "valid", "causal"}};
    describe_convolution<std::int64_t, Padding>(schema, docs, ColumnAxis::kMost);
  }

  explicit Conv1D(const Options& options) : options_(options) {}

  Plan infer(const Shape& input) const {
    if (input.rank() != 2) {
      throw PluginError(
          text("Conv1D takes sequences of shape [channels, length], not ", input.text()),
          input.rank() == 1 ? "Reshape([1, -1]) makes one channel of it" : "");
    }
    const Correlation c = correlation(input);
    check_groups(c.groups, c.image_channels, c.map_channels);
    const std::int64_t fan_in = c.rows(), fan_out = c.filters() * c.points();
    Plan plan;
    plan.output({c.map_channels, c.positions()})
        .parameter("weight", {c.map_channels, input[0] / c.groups, options_.kernel},
                   options_.weight_init, fan_in, fan_out, /*decay=*/true)
        .scratch(0, Correlation::kSlices * c.column_elements())
        .scratch(0, Correlation::kSlices * c.weights());
    if (options_.bias) {
      plan.parameter("bias", {c.map_channels}, options_.bias_init, fan_in, fan_out, /*decay=*/false)
          .trait("bias");
    }
    return plan.needs_input().overwrites().flops(static_cast<double>(c.map_size()) *
                                                 (2.0 * static_cast<double>(c.rows()) + 1));
  }

  // x: [batch, inputs, length], y: [batch, channels, positions]
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const Correlation c = correlation(pass.input_shape());
    Correlation::slices(pass, pass.batch(),
                        [&](std::int64_t slice, std::int64_t begin, std::int64_t end) {
                          T* columns = pass.scratch(0) + slice * c.column_elements();
                          for (std::int64_t n = begin; n < end; ++n) {
                            T* y = pass.output() + n * c.map_size();
                            if (options_.bias)
                              fill_with_bias(pass.parameter(1), c.map_channels, c.positions(), y);
                            c.to_map(pass, pass.parameter(0), pass.input() + n * c.image_size(),
                                     options_.bias, columns, y);
                          }
                        });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const Correlation c = correlation(pass.input_shape());
    const std::int64_t used = Correlation::slices(
        pass, pass.batch(), [&](std::int64_t slice, std::int64_t begin, std::int64_t end) {
          T* columns = pass.scratch(0) + slice * c.column_elements();
          T* d_weight = pass.scratch(1) + slice * c.weights();
          std::fill_n(d_weight, c.weights(), T(0));
          for (std::int64_t n = begin; n < end; ++n) {
            const T* dy = pass.d_output() + n * c.map_size();
            c.add_to_weights(pass, dy, pass.input() + n * c.image_size(), columns, d_weight);
            if (!pass.d_input()) continue;
            T* dx = pass.d_input() + n * c.image_size();
            if (!pass.accumulate()) std::fill_n(dx, c.image_size(), T(0));
            c.add_to_image(pass, pass.parameter(0), dy, columns, dx);
          }
        });
    c.add_slices(pass, pass.scratch(1), used);
    if (options_.bias) add_bias_gradient(pass, c.map_channels, pass.d_parameter(1));
  }

  void to_onnx(OnnxLayer& onnx) const {
    const ColumnAxis a = correlation(onnx.input_shape()).x;
    const std::int64_t after = (a.positions - 1) * a.stride + a.reach() - a.image - a.before;
    OnnxNames inputs = {onnx.input(), onnx.tensor("weight")};
    if (options_.bias) inputs.push_back(onnx.tensor("bias"));
    using Numbers = std::vector<std::int64_t>;
    onnx.node("Conv", inputs, {onnx.output()},
              {{"dilations", Numbers{a.dilation}},
               {"group", options_.groups},
               {"kernel_shape", Numbers{a.kernel}},
               {"pads", Numbers{a.before, std::max<std::int64_t>(0, after)}},
               {"strides", Numbers{a.stride}}});
  }
  void to_others(LayerTensors& tensors) const {
    tensors.keras("weight", "kernel", {2, 1, 0});
    tensors.keras("bias", "bias");
    tensors.channels_first();
  }

 private:
  Correlation correlation(const Shape& input) const {
    ColumnAxis a{input[1], 0, options_.kernel, options_.stride, options_.dilation, 0};
    const auto* word = std::get_if<std::string>(&options_.padding);
    if (word && *word != "valid") {
      a.positions = (a.image + a.stride - 1) / a.stride;
      a.before =
          *word == "causal"
              ? a.reach() - 1
              : std::max<std::int64_t>(0, (a.positions - 1) * a.stride + a.reach() - a.image) / 2;
    } else {
      a.before = word ? 0 : std::get<std::int64_t>(options_.padding);
      const std::int64_t padded = a.image + 2 * a.before;
      if (padded < a.reach()) {
        throw PluginError(
            text("the filter reaches over ", a.reach(), " positions and the sequence has ", padded,
                 a.before > 0 ? " with its padding" : ""),
            "use padding = \"same\", or a smaller kernel");
      }
      a.positions = (padded - a.reach()) / a.stride + 1;
    }
    return {input[0], options_.channels, options_.groups, ColumnAxis{}, a};
  }

  const Options options_;
};

const LayerRegistration<Conv1D> kRegistration{"Conv1D"};
const ExchangeRegistration<Conv1D> kExchange;

}  // namespace
}  // namespace strata::plugins
