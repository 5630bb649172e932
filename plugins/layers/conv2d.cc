// Conv2D: a two-dimensional convolution (LeCun et al., 1998), as a matrix product per sample.
// Padding "same" is Keras' and ONNX' SAME_UPPER; weights are stored [channels, inputs / groups,
// height, width], as in PyTorch.
#include <algorithm>

#include "framework/plugin/layer.h"
#include "framework/plugin/reduce.h"

namespace strata::plugins {
namespace {

using Extent = std::variant<std::int64_t, std::vector<std::int64_t>>;
using Padding = std::variant<std::string, std::int64_t, std::vector<std::int64_t>>;

// Samples are cut into at most this many slices, each with a buffer for the columns of one sample.
constexpr std::int64_t kSlices = 16;

// One axis: where output o looks at input o · stride - before + k · dilation.
struct Axis {
  std::int64_t in, out, kernel, stride, dilation, before;

  // Outputs [first, last) for which kernel position k lies inside the input.
  std::int64_t first(std::int64_t k) const {
    const std::int64_t offset = k * dilation - before;
    return offset >= 0 ? 0 : std::min(out, (-offset + stride - 1) / stride);
  }
  std::int64_t last(std::int64_t k) const {
    const std::int64_t room = in - 1 - (k * dilation - before);
    return room < 0 ? 0 : std::min(out, room / stride + 1);
  }
};

struct Geometry {
  std::int64_t inputs, channels, groups;
  Axis y, x;

  std::int64_t rows() const {
    return inputs / groups * y.kernel * x.kernel;
  }  // of the column matrix, per group
  std::int64_t positions() const { return y.out * x.out; }
  std::int64_t in_positions() const { return y.in * x.in; }
  // The columns are the input itself.
  bool pointwise() const {
    return y.kernel == 1 && x.kernel == 1 && y.stride == 1 && x.stride == 1 && y.before == 0 &&
           x.before == 0 && y.out == y.in && x.out == x.in;
  }
};

class Conv2D final : public Layer {
 public:
  struct Options {
    std::int64_t channels = 0;
    Extent kernel = std::int64_t{3};
    Extent stride = std::int64_t{1};
    Padding padding = std::string("valid");
    Extent dilation = std::int64_t{1};
    std::int64_t groups = 1;
    bool bias = true;
    InitializerRef weight_init{"GlorotUniform"};
    InitializerRef bias_init{"Zeros"};
  };

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
    schema.option("channels", &Options::channels)
        .required()
        .min(1)
        .doc("how many filters, the output's channels");
    schema.option("kernel", &Options::kernel).min(1).doc("the filters' size, or [height, width]");
    schema.option("stride", &Options::stride)
        .min(1)
        .doc("the step between positions, or [vertical, horizontal]");
    schema.option("padding", &Options::padding)
        .choices({"same", "valid"})
        .min(0)
        .doc("zeros around the image: \"same\", \"valid\", a number, or [vertical, horizontal]");
    schema.option("dilation", &Options::dilation)
        .min(1)
        .doc("the distance between the filter's points, or two of them");
    schema.option("groups", &Options::groups)
        .min(1)
        .doc("parts that inputs and channels are divided into");
    schema.option("bias", &Options::bias).doc("learn a bias per channel");
    schema.option("weight_init", &Options::weight_init).doc("starting values of the filters");
    schema.option("bias_init", &Options::bias_init).doc("starting values of the bias");
    schema.hint_for("filters", "it is called `channels` here")
        .hint_for("out_channels", "it is called `channels` here")
        .hint_for("in_channels", "the input's channels are known from the layer before")
        .hint_for("kernel_size", "it is called `kernel` here")
        .hint_for("strides", "it is called `stride` here")
        .hint_for("dilation_rate", "it is called `dilation` here")
        .hint_for("use_bias", "it is called `bias` here")
        .hint_for("activation", "an activation is a layer of its own: Conv2D(…) -> ReLU");
  }

  explicit Conv2D(const Options& options) : options_(options) {}

  Plan infer(const Shape& input) const {
    if (input.rank() != 3) {
      throw PluginError(
          text("Conv2D takes images of shape [channels, height, width], not ", input.text()),
          input.rank() == 2 ? "declare the model's input with a channel: [1, height, width]" : "");
    }
    const Geometry g = geometry(input);
    const std::int64_t fan_in = g.rows(), fan_out = g.channels / g.groups * g.y.kernel * g.x.kernel;
    Plan plan;
    plan.output({g.channels, g.y.out, g.x.out})
        .parameter("weight", {g.channels, g.inputs / g.groups, g.y.kernel, g.x.kernel},
                   options_.weight_init, fan_in, fan_out, /*decay=*/true)
        .scratch(0, kSlices * g.rows() * g.positions())
        .scratch(0, kSlices * g.channels * g.rows());
    if (options_.bias) {
      plan.parameter("bias", {g.channels}, options_.bias_init, fan_in, fan_out, /*decay=*/false)
          .trait("bias");
    }
    return plan.needs_input().overwrites().flops(
        static_cast<double>(g.channels * g.positions()) *
        (2.0 * static_cast<double>(g.rows()) + (options_.bias ? 1.0 : 0.0)));
  }

  // x: [batch, inputs, height, width], y: [batch, channels, out height, out width]
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const Geometry g = geometry(pass.input_shape());
    const std::int64_t filters = g.channels / g.groups;
    slices(pass, [&](std::int64_t slice, std::int64_t begin, std::int64_t end) {
      T* columns = pass.scratch(0) + slice * g.rows() * g.positions();
      for (std::int64_t n = begin; n < end; ++n) {
        for (std::int64_t group = 0; group < g.groups; ++group) {
          T* y = pass.output() + (n * g.channels + group * filters) * g.positions();
          for (std::int64_t c = 0; options_.bias && c < filters; ++c) {
            std::fill_n(y + c * g.positions(), g.positions(),
                        pass.parameter(1)[group * filters + c]);
          }
          // y[filters, positions] (+)= weight[filters, rows] · columns[rows, positions]
          pass.matmul(Transpose::kNo, Transpose::kNo, filters, g.positions(), g.rows(),
                      pass.parameter(0) + group * filters * g.rows(), g.rows(),
                      gather(g, group_input(pass.input(), g, n, group), columns), g.positions(),
                      options_.bias, y, g.positions());
        }
      }
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const Geometry g = geometry(pass.input_shape());
    const std::int64_t filters = g.channels / g.groups, weights = g.channels * g.rows();
    const std::int64_t used = slices(pass, [&](std::int64_t slice, std::int64_t begin,
                                               std::int64_t end) {
      T* columns = pass.scratch(0) + slice * g.rows() * g.positions();
      T* d_weight = pass.scratch(1) + slice * weights;
      std::fill_n(d_weight, weights, T(0));
      for (std::int64_t n = begin; n < end; ++n) {
        for (std::int64_t group = 0; group < g.groups; ++group) {
          const T* dy = pass.d_output() + (n * g.channels + group * filters) * g.positions();
          // d_weight[filters, rows] += dy[filters, positions] · columnsᵀ
          pass.matmul(Transpose::kNo, Transpose::kYes, filters, g.rows(), g.positions(), dy,
                      g.positions(), gather(g, group_input(pass.input(), g, n, group), columns),
                      g.positions(), /*accumulate=*/true, d_weight + group * filters * g.rows(),
                      g.rows());
          if (!pass.d_input()) continue;
          // d_columns[rows, positions] = weightᵀ · dy, then back to where the columns came from
          pass.matmul(Transpose::kYes, Transpose::kNo, g.rows(), g.positions(), filters,
                      pass.parameter(0) + group * filters * g.rows(), g.rows(), dy, g.positions(),
                      /*accumulate=*/false, columns, g.positions());
          T* dx =
              pass.d_input() + (n * g.inputs + group * (g.inputs / g.groups)) * g.in_positions();
          if (!pass.accumulate()) std::fill_n(dx, g.inputs / g.groups * g.in_positions(), T(0));
          scatter(g, columns, dx);
        }
      }
    });
    add_slices(pass, used, weights);
    if (options_.bias) add_bias_gradient(pass, g);
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

  Axis axis(const Shape& input, int which) const {
    Axis a{};
    a.in = input[1 + which];
    a.kernel = extent(options_.kernel, which, "kernel");
    a.stride = extent(options_.stride, which, "stride");
    a.dilation = extent(options_.dilation, which, "dilation");
    const std::int64_t reach = (a.kernel - 1) * a.dilation + 1;  // of the filter, in inputs
    if (const auto* name = std::get_if<std::string>(&options_.padding)) {
      if (*name == "same") {
        a.out = (a.in + a.stride - 1) / a.stride;
        a.before = std::max<std::int64_t>(0, (a.out - 1) * a.stride + reach - a.in) / 2;
        return a;
      }
    } else if (const auto* both = std::get_if<std::int64_t>(&options_.padding)) {
      a.before = *both;
    } else {
      a.before =
          extent(Extent(std::get<std::vector<std::int64_t>>(options_.padding)), which, "padding");
    }
    const std::int64_t padded = a.in + 2 * a.before;
    if (padded < reach) {
      throw PluginError(
          text("the filter reaches over ", reach, which == 0 ? " rows" : " columns",
               " and the image has ", padded, a.before > 0 ? " with its padding" : ""),
          "use padding = \"same\", or a smaller kernel");
    }
    a.out = (padded - reach) / a.stride + 1;
    return a;
  }

  Geometry geometry(const Shape& input) const {
    const Geometry g{input[0], options_.channels, options_.groups, axis(input, 0), axis(input, 1)};
    if (g.inputs % g.groups != 0 || g.channels % g.groups != 0) {
      throw PluginError(text("`groups` must divide the input's ", g.inputs, " channels and the ",
                             g.channels, " of the output, and is ", g.groups));
    }
    return g;
  }

  template <class Pass, class Body>
  static std::int64_t slices(const Pass& pass, const Body& body) {
    const std::int64_t batch = pass.batch(), count = std::min(batch, kSlices);
    pass.parallel(count, [&](std::int64_t slice) {
      body(slice, slice * batch / count, (slice + 1) * batch / count);
    });
    return count;
  }

  template <class T>
  static const T* group_input(const T* x, const Geometry& g, std::int64_t n, std::int64_t group) {
    return x + (n * g.inputs + group * (g.inputs / g.groups)) * g.in_positions();
  }

  // body(row of the column matrix, input channel, ky, kx)
  template <class Body>
  static void each_row(const Geometry& g, const Body& body) {
    std::int64_t row = 0;
    for (std::int64_t c = 0; c < g.inputs / g.groups; ++c) {
      for (std::int64_t ky = 0; ky < g.y.kernel; ++ky) {
        for (std::int64_t kx = 0; kx < g.x.kernel; ++kx) body(row++, c, ky, kx);
      }
    }
  }

  // columns[rows, positions]: what each position of the output sees of the input; zeros outside.
  template <class T>
  static const T* gather(const Geometry& g, const T* x, T* columns) {
    if (g.pointwise()) return x;
    each_row(g, [&](std::int64_t row, std::int64_t c, std::int64_t ky, std::int64_t kx) {
      T* to = columns + row * g.positions();
      const std::int64_t first = g.x.first(kx), last = std::max(first, g.x.last(kx));
      for (std::int64_t oy = 0; oy < g.y.out; ++oy, to += g.x.out) {
        if (oy < g.y.first(ky) || oy >= g.y.last(ky)) {
          std::fill_n(to, g.x.out, T(0));
          continue;
        }
        const T* from =
            x + (c * g.y.in + oy * g.y.stride - g.y.before + ky * g.y.dilation) * g.x.in;
        const std::int64_t offset = kx * g.x.dilation - g.x.before;
        std::fill_n(to, first, T(0));
        if (g.x.stride == 1) {
          std::copy_n(from + first + offset, last - first, to + first);
        } else {
          for (std::int64_t ox = first; ox < last; ++ox) to[ox] = from[ox * g.x.stride + offset];
        }
        std::fill_n(to + last, g.x.out - last, T(0));
      }
    });
    return columns;
  }

  // dx += what the columns hold of it.
  template <class T>
  static void scatter(const Geometry& g, const T* columns, T* dx) {
    each_row(g, [&](std::int64_t row, std::int64_t c, std::int64_t ky, std::int64_t kx) {
      const std::int64_t first = g.x.first(kx), last = g.x.last(kx),
                         offset = kx * g.x.dilation - g.x.before;
      for (std::int64_t oy = g.y.first(ky); oy < g.y.last(ky); ++oy) {
        const T* from = columns + row * g.positions() + oy * g.x.out;
        T* to = dx + (c * g.y.in + oy * g.y.stride - g.y.before + ky * g.y.dilation) * g.x.in;
        for (std::int64_t ox = first; ox < last; ++ox) to[ox * g.x.stride + offset] += from[ox];
      }
    });
  }

  template <class T>
  static void add_slices(const BackwardPass<T>& pass, std::int64_t slices, std::int64_t weights) {
    const T* parts = pass.scratch(1);
    T* d_weight = pass.d_parameter(0);
    pass.tiles(weights, kElementwiseTile, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t slice = 0; slice < slices; ++slice) {
        for (std::int64_t i = begin; i < end; ++i) d_weight[i] += parts[slice * weights + i];
      }
    });
  }

  template <class T>
  static void add_bias_gradient(const BackwardPass<T>& pass, const Geometry& g) {
    const std::int64_t batch = pass.batch();
    const T* dy = pass.d_output();
    T* d_bias = pass.d_parameter(1);
    const std::int64_t channels_per_task =
        std::max<std::int64_t>(1, kElementwiseTile / (batch * g.positions()));
    pass.tiles(g.channels, channels_per_task, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t c = begin; c < end; ++c) {
        double sum = 0;
        for (std::int64_t n = 0; n < batch; ++n) {
          const T* of = dy + (n * g.channels + c) * g.positions();
          sum +=
              static_cast<double>(sum_of<T>(g.positions(), [=](std::int64_t i) { return of[i]; }));
        }
        d_bias[c] += static_cast<T>(sum);
      }
    });
  }

  const Options options_;
};

const LayerRegistration<Conv2D> kRegistration{"Conv2D"};

}  // namespace
}  // namespace strata::plugins
