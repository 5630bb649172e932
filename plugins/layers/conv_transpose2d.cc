// ConvTranspose2D: the transpose of a convolution (Zeiler et al., 2010; Dumoulin and Visin, 2016,
// arXiv:1603.07285), which enlarges images by learned filters, as torch.nn.ConvTranspose2d. Weights
// are stored [inputs, channels / groups, height, width], as there.
#include "framework/plugin/exchange.h"
#include "plugins/support/columns.h"
#include "plugins/support/convolution_options.h"
#include "plugins/support/window.h"

namespace strata::plugins {
namespace {

class ConvTranspose2D final : public Layer {
 public:
  struct Options : ConvolutionOptions<Extent, Padding> {
    Extent output_padding = std::int64_t{0};
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Spreads each pixel of images of shape [channels, height, width] over a learned patch: "
            "a "
            "convolution backwards.\n"
            "Height and width become (n - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1 "
            "+ "
            "output_padding, where a convolution with the same options would give n; with `padding "
            "= "
            "\"same\"`, n * stride.")
        .example("ConvTranspose2D(16, kernel = 2, stride = 2)");
    const ConvolutionDocs docs{
        .layer = "ConvTranspose2D",
        .channels = "the output's channels",
        .kernel = "the patches' size, or [height, width]",
        .stride = "the step between patches, or [vertical, horizontal]",
        .padding =
            "what is cut off around the output: \"same\", \"valid\" (nothing), a number, or "
            "[vertical, horizontal]",
        .dilation = "the distance between a patch's points, or two of them"};
    describe_convolution<Extent, Padding>(schema, docs, ColumnAxis::kMost, [&] {
      schema.option("output_padding", &Options::output_padding)
          .min(0)
          .max(ColumnAxis::kMost)
          .doc("rows and columns that are added at the bottom and at the right, or two numbers");
    });
  }

  explicit ConvTranspose2D(const Options& options) : options_(options) {
    check_extent("kernel", options.kernel);
    check_extent("stride", options.stride);
    check_extent("output_padding", options.output_padding);
    check_extent("dilation", options.dilation);
    if (const auto* list = std::get_if<std::vector<std::int64_t>>(&options.padding))
      check_extent("padding", Extent(*list));
  }

  Plan infer(const Shape& input) const {
    if (input.rank() != 3) {
      throw PluginError(text(
          "ConvTranspose2D takes images of shape [channels, height, width], not ", input.text()));
    }
    check_groups(options_.groups, input[0], options_.channels);
    const Correlation c = correlation(input);
    const std::int64_t fan_in = c.filters() * c.points(), fan_out = c.rows();
    Plan plan;
    plan.output({c.image_channels, c.y.image, c.x.image})
        .parameter("weight", {input[0], options_.channels / c.groups, c.y.kernel, c.x.kernel},
                   options_.weight_init, fan_in, fan_out, /*decay=*/true)
        .scratch(0, Correlation::kSlices * c.column_elements())
        .scratch(0, Correlation::kSlices * c.weights());
    if (options_.bias) {
      plan.parameter("bias", {c.image_channels}, options_.bias_init, fan_in, fan_out,
                     /*decay=*/false)
          .trait("bias");
    }
    return plan.needs_input().overwrites().flops(2.0 * static_cast<double>(c.map_size()) *
                                                 static_cast<double>(c.rows()));
  }

  // x: [batch, inputs, height, width], the map; y: [batch, channels, out height, out width], the
  // image
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const Correlation c = correlation(pass.input_shape());
    Correlation::slices(
        pass, pass.batch(), [&](std::int64_t slice, std::int64_t begin, std::int64_t end) {
          T* columns = pass.scratch(0) + slice * c.column_elements();
          for (std::int64_t n = begin; n < end; ++n) {
            T* y = pass.output() + n * c.image_size();
            fill_with_bias(options_.bias ? pass.parameter(1) : nullptr, c.image_channels,
                           c.y.image * c.x.image, y);
            c.add_to_image(pass, pass.parameter(0), pass.input() + n * c.map_size(), columns, y);
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
            const T* dy = pass.d_output() + n * c.image_size();
            c.add_to_weights(pass, pass.input() + n * c.map_size(), dy, columns, d_weight);
            if (!pass.d_input()) continue;
            c.to_map(pass, pass.parameter(0), dy, pass.accumulate(), columns,
                     pass.d_input() + n * c.map_size());
          }
        });
    c.add_slices(pass, pass.scratch(1), used);
    if (options_.bias) add_bias_gradient(pass, c.image_channels, pass.d_parameter(1));
  }

  void to_onnx(OnnxLayer& onnx) const {
    const Correlation c = correlation(onnx.input_shape());
    // What is cut off at the end, or added there.
    const auto cut = [](const ColumnAxis& a) {
      return (a.positions - 1) * a.stride + a.reach() - a.before - a.image;
    };
    const auto positive = [](std::int64_t n) { return std::max<std::int64_t>(0, n); };
    OnnxNames inputs = {onnx.input(), onnx.tensor("weight")};
    if (options_.bias) inputs.push_back(onnx.tensor("bias"));
    using Numbers = std::vector<std::int64_t>;
    onnx.node("ConvTranspose", inputs, {onnx.output()},
              {{"dilations", Numbers{c.y.dilation, c.x.dilation}},
               {"group", c.groups},
               {"kernel_shape", Numbers{c.y.kernel, c.x.kernel}},
               {"output_padding", Numbers{positive(-cut(c.y)), positive(-cut(c.x))}},
               {"pads", Numbers{c.y.before, c.x.before, positive(cut(c.y)), positive(cut(c.x))}},
               {"strides", Numbers{c.y.stride, c.x.stride}}});
  }
  void to_others(LayerTensors& tensors) const {
    if (options_.groups == 1) tensors.keras("weight", "kernel", {2, 3, 1, 0});
    tensors.keras("bias", "bias");
    tensors.channels_first();
  }

 private:
  ColumnAxis axis(const Shape& input, int which) const {
    ColumnAxis a{0,
                 input[1 + which],
                 extent_of(options_.kernel, which),
                 extent_of(options_.stride, which),
                 extent_of(options_.dilation, which),
                 0};
    const std::int64_t added = extent_of(options_.output_padding, which);
    const auto* word = std::get_if<std::string>(&options_.padding);
    if (word && *word == "same") {
      if (added > 0)
        throw PluginError("`output_padding` goes with padding in numbers, not with \"same\"");
      a.image = a.positions * a.stride;
      a.before = std::max<std::int64_t>(0, a.reach() - a.stride) / 2;
      return a;
    }
    if (added >= std::max(a.stride, a.dilation)) {
      throw PluginError(
          text("`output_padding` must be smaller than the stride or the dilation, and is ", added,
               " where they are ", a.stride, " and ", a.dilation));
    }
    if (!word) a.before = number_of(options_.padding, which);
    const std::int64_t whole = (a.positions - 1) * a.stride + a.reach() + added;
    a.image = whole - 2 * a.before;
    if (a.image < 1) {
      throw PluginError(text("a padding of ", a.before, " on both sides leaves nothing of the ",
                             whole, which == 0 ? " rows" : " columns", " of the output"));
    }
    return a;
  }

  Correlation correlation(const Shape& input) const {
    return {options_.channels, input[0], options_.groups, axis(input, 0), axis(input, 1)};
  }

  const Options options_;
};

const LayerRegistration<ConvTranspose2D> kRegistration{"ConvTranspose2D"};
const ExchangeRegistration<ConvTranspose2D> kExchange;

}  // namespace
}  // namespace strata::plugins
