// Conv2D: a two-dimensional convolution (LeCun et al., 1998), as a matrix product per sample.
// Padding "same" is Keras' and ONNX' SAME_UPPER; weights are stored [channels, inputs / groups,
// height, width], as in PyTorch.
//
// With stride 1 the matrix of columns is never written down: in a copy of the sample with its
// padding, what a filter's point sees of all positions is one stretch of memory, so the product
// takes pointers into the copy as its rows (the indirection of Dukhan, 2019, arXiv:1907.02129).
// Positions are then counted over the padded width, and those between two rows are thrown away.
// With other strides the columns of a few rows of the output are gathered at a time.
#include <algorithm>

#include "framework/plugin/layer.h"
#include "framework/plugin/reduce.h"

namespace strata::plugins {
namespace {

using Extent = std::variant<std::int64_t, std::vector<std::int64_t>>;
using Padding = std::variant<std::string, std::int64_t, std::vector<std::int64_t>>;

// Of a kernel, stride, dilation or padding: sizes made of them never overflow.
constexpr double kMostExtent = 65536;
// Samples are cut into at most this many slices, each with a buffer of its own.
constexpr std::int64_t kSlices = 16;
// Elements of the columns that are gathered at a time.
constexpr std::int64_t kGathered = 65536;

// One axis: where output o looks at input o · stride - before + k · dilation.
struct Axis {
  std::int64_t in, out, kernel, stride, dilation, before;

  std::int64_t reach() const { return (kernel - 1) * dilation + 1; }  // of the filter, in inputs
  // With stride 1, the input with its padding, and the output's gradient with the padding that
  // makes the input's gradient a convolution of it.
  std::int64_t padded() const { return out + reach() - 1; }
  std::int64_t padded_back() const { return in + reach() - 1; }
  std::int64_t before_back() const { return reach() - 1 - before; }

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

  std::int64_t group_inputs() const { return inputs / groups; }
  std::int64_t filters() const { return channels / groups; }
  std::int64_t points() const { return y.kernel * x.kernel; }
  // Of the column matrix, per group.
  std::int64_t rows() const { return group_inputs() * points(); }
  std::int64_t positions() const { return y.out * x.out; }
  std::int64_t in_positions() const { return y.in * x.in; }

  // Whether rows of columns are stretches of the padded sample. Padding wider than the filter
  // reaches has outputs that see no input.
  bool direct() const {
    return y.stride == 1 && x.stride == 1 && y.before < y.reach() && x.before < x.reach() &&
           y.padded() - y.in - y.before < y.reach() && x.padded() - x.in - x.before < x.reach();
  }
  // Positions as they are counted, over padded rows: all but the last row's end.
  std::int64_t wide() const { return direct() ? (y.out - 1) * x.padded() + x.out : positions(); }
  std::int64_t width() const { return direct() ? x.padded() : x.out; }
  std::int64_t wide_back() const { return (y.in - 1) * x.padded_back() + x.in; }

  // Rows of the output whose columns are gathered at a time.
  std::int64_t gathered_rows() const {
    return std::clamp<std::int64_t>(kGathered / (rows() * x.out), 1, y.out);
  }

  // What a slice needs: the padded input of a group or gathered columns; a product's result; the
  // output's gradient, position by position.
  std::int64_t source_elements() const {
    return direct() ? std::max(group_inputs() * y.padded() * x.padded(),
                               filters() * y.padded_back() * x.padded_back())
                    : rows() * gathered_rows() * x.out;
  }
  std::int64_t result_elements() const {
    return direct() ? std::max(filters() * wide(), group_inputs() * wide_back())
                    : rows() * gathered_rows() * x.out;
  }
  std::int64_t turned_elements() const { return wide() * filters(); }
  std::int64_t slice_elements() const {
    return source_elements() + result_elements() + turned_elements();
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
    schema.option("kernel", &Options::kernel)
        .min(1)
        .max(kMostExtent)
        .doc("the filters' size, or [height, width]");
    schema.option("stride", &Options::stride)
        .min(1)
        .max(kMostExtent)
        .doc("the step between positions, or [vertical, horizontal]");
    schema.option("padding", &Options::padding)
        .choices({"same", "valid"})
        .min(0)
        .max(kMostExtent)
        .doc("zeros around the image: \"same\", \"valid\", a number, or [vertical, horizontal]");
    schema.option("dilation", &Options::dilation)
        .min(1)
        .max(kMostExtent)
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
        .scratch(0, kSlices * g.slice_elements())
        .scratch(0, kSlices * g.channels * g.rows())  // gradients of the weights, turned
        .scratch(0, g.channels * g.rows());           // weights turned for the input's gradient
    if (options_.bias) {
      plan.parameter("bias", {g.channels}, options_.bias_init, fan_in, fan_out, /*decay=*/false)
          .trait("bias");
    }
    return plan.needs_input().overwrites().hands_gradients().flops(
        static_cast<double>(g.channels * g.positions()) *
        (2.0 * static_cast<double>(g.rows()) + (options_.bias ? 1.0 : 0.0)));
  }

  // x: [batch, inputs, height, width], y: [batch, channels, out height, out width]
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const Geometry g = geometry(pass.input_shape());
    slices(pass, [&](std::int64_t slice, std::int64_t begin, std::int64_t end) {
      const Buffers<T> buffers(pass, g, slice);
      for (std::int64_t n = begin; n < end; ++n) {
        for (std::int64_t group = 0; group < g.groups; ++group) {
          const T* bias = options_.bias ? pass.parameter(1) + group * g.filters() : nullptr;
          const T* weight = pass.parameter(0) + group * g.filters() * g.rows();
          T* y = pass.output() + (n * g.channels + group * g.filters()) * g.positions();
          (g.direct() ? forward_direct<T>
                      : forward_gathered<T>)(pass, g, weight,
                                             group_input(pass.input(), g, n, group), bias, buffers,
                                             y);
        }
      }
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const Geometry g = geometry(pass.input_shape());
    const std::int64_t weights = g.channels * g.rows();
    const bool direct = g.direct();
    if (pass.d_input() && direct) turn_weights(pass, g);
    const std::int64_t used =
        slices(pass, [&](std::int64_t slice, std::int64_t begin, std::int64_t end) {
          const Buffers<T> buffers(pass, g, slice);
          T* d_weight = pass.scratch(1) + slice * weights;
          std::fill_n(d_weight, weights, T(0));
          std::fill_n(buffers.turned, g.turned_elements(), T(0));
          for (std::int64_t n = begin; n < end; ++n) {
            for (std::int64_t group = 0; group < g.groups; ++group) {
              const T* x = group_input(pass.input(), g, n, group);
              const T* dy =
                  pass.d_output() + (n * g.channels + group * g.filters()) * g.positions();
              T* dx = pass.d_input() ? pass.d_input() + (n * g.inputs + group * g.group_inputs()) *
                                                            g.in_positions()
                                     : nullptr;
              turn(g, dy, buffers.turned);
              T* d_weight_group = d_weight + group * g.filters() * g.rows();
              if (direct) {
                weights_direct(pass, g, x, buffers, d_weight_group);
                if (dx) input_direct(pass, g, group, dy, buffers, dx);
              } else {
                backward_gathered(pass, g, group, x, dy, buffers, d_weight_group, dx);
              }
            }
          }
        });
    hand_weights(pass, g, used);
    if (options_.bias) hand_bias(pass, g);
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
    const std::int64_t reach = a.reach();
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

  // A slice's part of scratch 0.
  template <class T>
  struct Buffers {
    T *source, *result, *turned;
    Buffers(const LayerPass<T>& pass, const Geometry& g, std::int64_t slice)
        : source(pass.scratch(0) + slice * g.slice_elements()),
          result(source + g.source_elements()),
          turned(result + g.result_elements()) {}
  };

  // Up to this many pointers are made at a time, on the stack.
  static constexpr std::int64_t kPointers = 512;

  // to[planes, height, width] = from[planes, in height, in width] with zeros around.
  template <class T>
  static void pad(const T* from, std::int64_t planes, const Axis& y, const Axis& x, bool back,
                  T* to) {
    const std::int64_t in_y = back ? y.out : y.in, in_x = back ? x.out : x.in;
    const std::int64_t height = back ? y.padded_back() : y.padded(),
                       width = back ? x.padded_back() : x.padded();
    const std::int64_t top = back ? y.before_back() : y.before,
                       left = back ? x.before_back() : x.before;
    // What the filter never reaches at the far side is left out.
    const std::int64_t rows = std::min(in_y, height - top), columns = std::min(in_x, width - left);
    for (std::int64_t plane = 0; plane < planes; ++plane, to += height * width) {
      std::fill_n(to, top * width, T(0));
      for (std::int64_t row = 0; row < rows; ++row) {
        T* out = to + (top + row) * width;
        const T* in = from + (plane * in_y + row) * in_x;
        for (std::int64_t i = 0; i < left; ++i) out[i] = T(0);
        std::copy_n(in, columns, out + left);
        for (std::int64_t i = left + columns; i < width; ++i) out[i] = T(0);
      }
      std::fill_n(to + (top + rows) * width, (height - top - rows) * width, T(0));
    }
  }

  // Pointers to rows [first, first + count) of the columns of a padded image of size [planes,
  // height, width].
  template <class T>
  static void point(const Geometry& g, const T* padded, std::int64_t height, std::int64_t width,
                    std::int64_t first, std::int64_t count, const T** rows) {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t row = first + i, plane = row / g.points(), point = row % g.points();
      const std::int64_t ky = point / g.x.kernel, kx = point % g.x.kernel;
      rows[i] = padded + (plane * height + ky * g.y.dilation) * width + kx * g.x.dilation;
    }
  }

  // out[m, wide] = a[m, rows] · columns of the padded image
  template <class T>
  static void convolve(const Services& pass, const Geometry& g, std::int64_t m, std::int64_t wide,
                       std::int64_t rows, const T* a, const T* padded, std::int64_t height,
                       std::int64_t width, T* out) {
    const T* pointers[kPointers];
    for (std::int64_t first = 0; first < rows; first += kPointers) {
      const std::int64_t count = std::min(kPointers, rows - first);
      point(g, padded, height, width, first, count, pointers);
      pass.product_rows_of_b(m, wide, count, a + first, rows, pointers, first > 0, out, wide);
    }
  }

  template <class T>
  static void forward_direct(const Services& pass, const Geometry& g, const T* weight, const T* x,
                             const T* bias, const Buffers<T>& buffers, T* y) {
    pad(x, g.group_inputs(), g.y, g.x, false, buffers.source);
    const std::int64_t wide = g.wide(), width = g.width();
    convolve<T>(pass, g, g.filters(), wide, g.rows(), weight, buffers.source, g.y.padded(), width,
                buffers.result);
    for (std::int64_t c = 0; c < g.filters(); ++c) {
      const T offset = bias ? bias[c] : T(0);
      for (std::int64_t row = 0; row < g.y.out; ++row, y += g.x.out) {
        const T* from = buffers.result + c * wide + row * width;
        for (std::int64_t i = 0; i < g.x.out; ++i) y[i] = from[i] + offset;
      }
    }
  }

  template <class T>
  static void forward_gathered(const Services& pass, const Geometry& g, const T* weight, const T* x,
                               const T* bias, const Buffers<T>& buffers, T* y) {
    for (std::int64_t c = 0; bias && c < g.filters(); ++c)
      std::fill_n(y + c * g.positions(), g.positions(), bias[c]);
    for (std::int64_t row = 0; row < g.y.out; row += g.gathered_rows()) {
      const std::int64_t end = std::min(g.y.out, row + g.gathered_rows());
      const std::int64_t count = (end - row) * g.x.out;
      gather(g, x, row, end, buffers.source);
      pass.product(Transpose::kNo, Transpose::kNo, g.filters(), count, g.rows(), weight, g.rows(),
                   static_cast<const T*>(buffers.source), count, bias != nullptr, y + row * g.x.out,
                   g.positions());
    }
  }

  // turned[position, filter] = dy[filter, position], positions counted as in wide(); those between
  // two rows stay zero.
  template <class T>
  static void turn(const Geometry& g, const T* dy, T* turned) {
    const std::int64_t filters = g.filters(), positions = g.positions();
    for (std::int64_t row = 0; row < g.y.out; ++row) {
      T* to = turned + row * g.width() * filters;
      const T* from = dy + row * g.x.out;
      for (std::int64_t i = 0; i < g.x.out; ++i, to += filters) {
        for (std::int64_t c = 0; c < filters; ++c) to[c] = from[c * positions + i];
      }
    }
  }

  // d_weightᵀ[rows, filters] += columns[rows, wide] · turned[wide, filters]
  template <class T>
  static void weights_direct(const Services& pass, const Geometry& g, const T* x,
                             const Buffers<T>& buffers, T* d_weight) {
    pad(x, g.group_inputs(), g.y, g.x, false, buffers.source);
    const T* pointers[kPointers];
    for (std::int64_t first = 0; first < g.rows(); first += kPointers) {
      const std::int64_t count = std::min(kPointers, g.rows() - first);
      point<T>(g, buffers.source, g.y.padded(), g.x.padded(), first, count, pointers);
      pass.product_rows_of_a(count, g.filters(), g.wide(), pointers,
                             static_cast<const T*>(buffers.turned), g.filters(),
                             /*accumulate=*/true, d_weight + first * g.filters(), g.filters());
    }
  }

  // The gradient of the input is a convolution of the output's with the filters upside down:
  // dx[inputs, wide] = turned weight[inputs, filters · points] · columns of the padded gradient
  template <class T>
  static void input_direct(const BackwardPass<T>& pass, const Geometry& g, std::int64_t group,
                           const T* dy, const Buffers<T>& buffers, T* dx) {
    pad(dy, g.filters(), g.y, g.x, true, buffers.source);
    const std::int64_t rows = g.filters() * g.points(), wide = g.wide_back(),
                       width = g.x.padded_back();
    convolve<T>(pass, g, g.group_inputs(), wide, rows,
                pass.scratch(2) + group * g.filters() * g.rows(), buffers.source, g.y.padded_back(),
                width, buffers.result);
    const bool accumulate = pass.accumulate();
    for (std::int64_t c = 0; c < g.group_inputs(); ++c) {
      for (std::int64_t row = 0; row < g.y.in; ++row, dx += g.x.in) {
        const T* from = buffers.result + c * wide + row * width;
        if (accumulate) {
          for (std::int64_t i = 0; i < g.x.in; ++i) dx[i] += from[i];
        } else {
          for (std::int64_t i = 0; i < g.x.in; ++i) dx[i] = from[i];
        }
      }
    }
  }

  // scratch 2, per group: [inputs, filters, points], points in reverse
  template <class T>
  static void turn_weights(const BackwardPass<T>& pass, const Geometry& g) {
    const std::int64_t points = g.points(), filters = g.filters();
    pass.parallel(g.groups, g.channels * g.rows() * 8, [&](std::int64_t group) {
      const T* from = pass.parameter(0) + group * filters * g.rows();
      T* to = pass.scratch(2) + group * filters * g.rows();
      for (std::int64_t filter = 0; filter < filters; ++filter) {
        for (std::int64_t c = 0; c < g.group_inputs(); ++c) {
          for (std::int64_t p = 0; p < points; ++p)
            to[(c * filters + filter) * points + points - 1 - p] = *from++;
        }
      }
    });
  }

  template <class T>
  static void backward_gathered(const BackwardPass<T>& pass, const Geometry& g, std::int64_t group,
                                const T* x, const T* dy, const Buffers<T>& buffers, T* d_weight,
                                T* dx) {
    if (dx && !pass.accumulate()) std::fill_n(dx, g.group_inputs() * g.in_positions(), T(0));
    for (std::int64_t row = 0; row < g.y.out; row += g.gathered_rows()) {
      const std::int64_t end = std::min(g.y.out, row + g.gathered_rows());
      const std::int64_t count = (end - row) * g.x.out;
      gather(g, x, row, end, buffers.source);
      // d_weightᵀ[rows, filters] += columns[rows, positions] · turned[positions, filters]
      pass.product(Transpose::kNo, Transpose::kNo, g.rows(), g.filters(), count,
                   static_cast<const T*>(buffers.source), count,
                   static_cast<const T*>(buffers.turned) + row * g.x.out * g.filters(), g.filters(),
                   /*accumulate=*/true, d_weight, g.filters());
      if (!dx) continue;
      // d_columns[rows, positions] = weightᵀ · dy, then back to where the columns came from
      pass.product(Transpose::kYes, Transpose::kNo, g.rows(), count, g.filters(),
                   pass.parameter(0) + group * g.filters() * g.rows(), g.rows(), dy + row * g.x.out,
                   g.positions(), /*accumulate=*/false, buffers.result, count);
      scatter(g, buffers.result, row, end, dx);
    }
  }

  // body(row of the column matrix, input channel, ky, kx)
  template <class Body>
  static void each_row(const Geometry& g, const Body& body) {
    std::int64_t row = 0;
    for (std::int64_t c = 0; c < g.group_inputs(); ++c) {
      for (std::int64_t ky = 0; ky < g.y.kernel; ++ky) {
        for (std::int64_t kx = 0; kx < g.x.kernel; ++kx) body(row++, c, ky, kx);
      }
    }
  }

  // columns[rows, positions]: what each position in rows [begin, end) of the output sees of the
  // input; zeros outside.
  template <class T>
  static void gather(const Geometry& g, const T* x, std::int64_t begin, std::int64_t end,
                     T* columns) {
    const std::int64_t count = (end - begin) * g.x.out;
    each_row(g, [&](std::int64_t row, std::int64_t c, std::int64_t ky, std::int64_t kx) {
      T* to = columns + row * count;
      const std::int64_t first = g.x.first(kx), last = std::max(first, g.x.last(kx));
      for (std::int64_t oy = begin; oy < end; ++oy, to += g.x.out) {
        if (oy < g.y.first(ky) || oy >= g.y.last(ky)) {
          std::fill_n(to, g.x.out, T(0));
          continue;
        }
        const T* from =
            x + (c * g.y.in + oy * g.y.stride - g.y.before + ky * g.y.dilation) * g.x.in;
        const std::int64_t offset = kx * g.x.dilation - g.x.before, stride = g.x.stride;
        for (std::int64_t ox = 0; ox < first; ++ox) to[ox] = T(0);
        for (std::int64_t ox = first; ox < last; ++ox) to[ox] = from[ox * stride + offset];
        for (std::int64_t ox = last; ox < g.x.out; ++ox) to[ox] = T(0);
      }
    });
  }

  // dx += what the columns hold of it.
  template <class T>
  static void scatter(const Geometry& g, const T* columns, std::int64_t begin, std::int64_t end,
                      T* dx) {
    const std::int64_t count = (end - begin) * g.x.out;
    each_row(g, [&](std::int64_t row, std::int64_t c, std::int64_t ky, std::int64_t kx) {
      const std::int64_t first = g.x.first(kx), last = g.x.last(kx),
                         offset = kx * g.x.dilation - g.x.before;
      for (std::int64_t oy = std::max(begin, g.y.first(ky)); oy < std::min(end, g.y.last(ky));
           ++oy) {
        const T* from = columns + row * count + (oy - begin) * g.x.out;
        T* to = dx + (c * g.y.in + oy * g.y.stride - g.y.before + ky * g.y.dilation) * g.x.in;
        for (std::int64_t ox = first; ox < last; ++ox) to[ox * g.x.stride + offset] += from[ox];
      }
    });
  }

  // The slices' gradients, [groups, rows, filters] each, added in their order and turned.
  template <class T>
  static void hand_weights(const BackwardPass<T>& pass, const Geometry& g, std::int64_t slices) {
    const std::int64_t rows = g.rows(), filters = g.filters(), weights = g.channels * rows;
    T* sum = pass.scratch(1);
    pass.parallel(g.groups, weights * slices * 4, [&](std::int64_t group) {
      const std::int64_t first = group * filters * rows;
      for (std::int64_t slice = 1; slice < slices; ++slice) {
        const T* part = sum + slice * weights + first;
        for (std::int64_t i = 0; i < filters * rows; ++i) sum[first + i] += part[i];
      }
      T* turned = pass.scratch(2) + first;
      for (std::int64_t filter = 0; filter < filters; ++filter) {
        for (std::int64_t row = 0; row < rows; ++row)
          turned[filter * rows + row] = sum[first + row * filters + filter];
      }
      pass.gradient(0, first, filters * rows, turned);
    });
  }

  template <class T>
  static void hand_bias(const BackwardPass<T>& pass, const Geometry& g) {
    const std::int64_t batch = pass.batch();
    const T* dy = pass.d_output();
    const std::int64_t channels_per_task =
        std::max<std::int64_t>(1, kElementwiseTile / (batch * g.positions()));
    pass.tiles(g.channels, channels_per_task, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t c = begin; c < end; ++c) {
        double sum = 0;
        for (std::int64_t n = 0; n < batch; ++n) {
          const T* of = dy + (n * g.channels + c) * g.positions();
          sum +=
              static_cast<double>(sum_of<T>(g.positions(), [=](std::int64_t i) { return of[i]; }));
        }
        T value = static_cast<T>(sum);
        pass.gradient(1, c, 1, &value);
      }
    });
  }

  const Options options_;
};

const LayerRegistration<Conv2D> kRegistration{"Conv2D"};

}  // namespace
}  // namespace strata::plugins
