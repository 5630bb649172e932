// Conv2D: a two-dimensional convolution (LeCun et al., 1998); how it is computed is in
// plugins/support/convolution.h. Padding "same" is Keras' and ONNX' SAME_UPPER; weights are stored
// [channels, inputs / groups, height, width], as in PyTorch.
#include <algorithm>

#include "framework/plugin/exchange.h"
#include "framework/plugin/reduce.h"
#include "plugins/support/convolution_batch.h"
#include "plugins/support/convolution_options.h"
#include "plugins/support/window.h"

namespace strata::plugins {
namespace {

// Of a kernel, stride, dilation or padding: sizes made of them never overflow.
constexpr double kMostExtent = 65536;

class Conv2D final : public Layer {
 public:
  using Options = ConvolutionOptions<Extent, Padding>;

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Slides learned filters over images of shape [channels, height, width].\n"
            "`padding = \"same\"` adds zeros so that height and width are divided by the stride, "
            "rounded up; \"valid\" "
            "adds none; a number, or [vertical, horizontal], adds as many on both sides. With "
            "`groups`, each group of "
            "channels sees only its own inputs; groups equal to the input's channels is a "
            "depthwise convolution.")
        .example("Conv2D(32, kernel = 3, padding = \"same\")");
    const ConvolutionDocs docs{
        .layer = "Conv2D",
        .channels = "how many filters, the output's channels",
        .kernel = "the filters' size, or [height, width]",
        .stride = "the step between positions, or [vertical, horizontal]",
        .padding =
            "zeros around the image: \"same\", \"valid\", a number, or [vertical, horizontal]",
        .dilation = "the distance between the filter's points, or two of them"};
    describe_convolution<Extent, Padding>(schema, docs, kMostExtent);
  }

  explicit Conv2D(const Options& options) : options_(options) {}

  Plan infer(const Shape& input) const {
    if (input.rank() != 3) {
      throw PluginError(
          text("Conv2D takes images of shape [channels, height, width], not ", input.text()),
          input.rank() == 2 ? "declare the model's input with a channel: [1, height, width]" : "");
    }
    const Convolution c = convolution(input);
    const std::int64_t fan_in = c.rows(), fan_out = c.filters() * c.points();
    Plan plan;
    plan.output({c.channels, c.y.out, c.x.out})
        .parameter("weight", {c.channels, c.group_inputs(), c.y.kernel, c.x.kernel},
                   options_.weight_init, fan_in, fan_out, /*decay=*/true)
        .scratch(0, kConvolutionSlices * c.slice_elements(/*makes=*/false))
        .scratch(0, kConvolutionSlices * c.weights())  // gradients of the weights, turned
        .scratch(0, c.weights());                      // weights turned for the input's gradient
    if (options_.bias) {
      plan.parameter("bias", {c.channels}, options_.bias_init, fan_in, fan_out, /*decay=*/false)
          .trait("bias");
    }
    return plan.needs_input().overwrites().hands_gradients().flops(
        c.flops() + (options_.bias ? static_cast<double>(c.outputs()) : 0));
  }

  // x: [batch, inputs, height, width], y: [batch, channels, out height, out width]
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const Convolution c = convolution(pass.input_shape());
    const T* bias = options_.bias ? pass.parameter(1) : nullptr;
    convolution_slices(pass, c, /*makes=*/false,
                       [&](const ConvolutionSlice<T>& slice, std::int64_t, std::int64_t n) {
                         slice.forward(pass.input() + n * c.in_elements(), pass.parameter(0),
                                       pass.output() + n * c.outputs(), [=](std::int64_t channel) {
                                         const T offset = bias ? bias[channel] : T(0);
                                         return [=](T value) { return value + offset; };
                                       });
                       });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const Convolution c = convolution(pass.input_shape());
    ConvolutionGradients<T> gradients(pass, c, pass.scratch(1), pass.scratch(2));
    convolution_slices(pass, c, /*makes=*/false,
                       [&](const ConvolutionSlice<T>& slice, std::int64_t part, std::int64_t n) {
                         gradients.add(slice, part, n,
                                       slice.output_gradient(pass.d_output() + n * c.outputs()));
                       });
    gradients.hand_weights();
    if (options_.bias) hand_bias(pass, c);
  }

  void to_onnx(OnnxLayer& onnx) const {
    const Convolution c = convolution(onnx.input_shape());
    OnnxNames inputs = {onnx.input(), onnx.tensor("weight")};
    if (options_.bias) inputs.push_back(onnx.tensor("bias"));
    const auto after = [](const ConvolutionAxis& a) {
      return std::max<std::int64_t>(0, (a.out - 1) * a.stride + a.reach() - a.in - a.before);
    };
    using Numbers = std::vector<std::int64_t>;
    onnx.node("Conv", inputs, {onnx.output()},
              {{"dilations", Numbers{c.y.dilation, c.x.dilation}},
               {"group", c.groups},
               {"kernel_shape", Numbers{c.y.kernel, c.x.kernel}},
               {"pads", Numbers{c.y.before, c.x.before, after(c.y), after(c.x)}},
               {"strides", Numbers{c.y.stride, c.x.stride}}});
  }
  void to_others(LayerTensors& tensors) const {
    const Convolution c = convolution(tensors.input());
    if (c.groups > 1 && c.groups == c.inputs) {  // Keras' DepthwiseConv2D
      tensors.keras("weight", "depthwise_kernel", {2, 3, 0, 1})
          .viewed({c.inputs, c.filters(), c.y.kernel, c.x.kernel});
    } else {
      tensors.keras("weight", "kernel", {2, 3, 1, 0});
    }
    tensors.keras("bias", "bias");
    tensors.channels_first();
  }

 private:
  static std::int64_t extent(const Extent& value, int axis, const char* name) {
    if (const auto* both = std::get_if<std::int64_t>(&value)) return *both;
    const auto& pair = std::get<std::vector<std::int64_t>>(value);
    if (pair.size() != 2) {
      throw PluginError(text(
          "`", name, "` takes one number or [vertical, horizontal], not a list of ", pair.size()));
    }
    return pair[static_cast<std::size_t>(axis)];
  }

  ConvolutionAxis axis(const Shape& input, int which) const {
    ConvolutionAxis a{};
    a.in = input[1 + which];
    a.kernel = extent(options_.kernel, which, "kernel");
    a.stride = extent(options_.stride, which, "stride");
    a.dilation = extent(options_.dilation, which, "dilation");
    if (const auto* name = std::get_if<std::string>(&options_.padding)) {
      if (*name == "same") {
        a.pad_same();
        return a;
      }
    } else if (const auto* both = std::get_if<std::int64_t>(&options_.padding)) {
      a.before = *both;
    } else {
      a.before =
          extent(Extent(std::get<std::vector<std::int64_t>>(options_.padding)), which, "padding");
    }
    if (!a.pad_both_sides()) {
      throw PluginError(
          text("the filter reaches over ", a.reach(), which == 0 ? " rows" : " columns",
               " and the image has ", a.in + 2 * a.before, a.before > 0 ? " with its padding" : ""),
          "use padding = \"same\", or a smaller kernel");
    }
    return a;
  }

  Convolution convolution(const Shape& input) const {
    const ConvolutionAxis y = axis(input, 0), x = axis(input, 1);
    const Convolution c(input[0], options_.channels, options_.groups, y, x);
    if (c.inputs % c.groups != 0 || c.channels % c.groups != 0) {
      throw PluginError(text("`groups` must divide the input's ", c.inputs, " channels and the ",
                             c.channels, " of the output, and is ", c.groups));
    }
    return c;
  }

  template <class T>
  static void hand_bias(const BackwardPass<T>& pass, const Convolution& c) {
    const std::int64_t batch = pass.batch();
    const T* dy = pass.d_output();
    const std::int64_t channels_per_task =
        std::max<std::int64_t>(1, kElementwiseTile / (batch * c.positions()));
    pass.tiles(c.channels, channels_per_task, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t channel = begin; channel < end; ++channel) {
        double sum = 0;
        for (std::int64_t n = 0; n < batch; ++n) {
          const T* of = dy + (n * c.channels + channel) * c.positions();
          sum +=
              static_cast<double>(sum_of<T>(c.positions(), [=](std::int64_t i) { return of[i]; }));
        }
        T value = static_cast<T>(sum);
        pass.gradient(1, channel, 1, &value);
      }
    });
  }

  const Options options_;
};

const LayerRegistration<Conv2D> kRegistration{"Conv2D"};
const ExchangeRegistration<Conv2D> kExchange;

}  // namespace
}  // namespace strata::plugins
