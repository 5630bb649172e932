// What LayerNorm, GroupNorm, InstanceNorm and RMSNorm share: each row of values of a sample gets
// mean 0 (or keeps it) and variance 1, then a learned scale and shift. Rows are contiguous;
// variances take two passes.
#pragma once

#include <algorithm>
#include <cmath>

#include "framework/plugin/exchange.h"
#include "framework/plugin/reduce.h"

namespace strata::plugins {

class RowNorm {
 public:
  // A sample is `rows` rows of `length` values. Scale and shift have a value for every `span`
  // values, beginning anew after `cycle` rows.
  struct Layout {
    std::int64_t rows, length, span, cycle;
    std::int64_t parameter_of(std::int64_t row) const { return row % cycle * (length / span); }
  };

  RowNorm(double eps, bool center, bool scale, bool shift)
      : eps_(eps), center_(center), scale_(scale), shift_(shift) {}

  double eps() const { return eps_; }

  void add_to(Plan& plan, const Layout& layout, const Shape& input) const {
    plan.saved(layout.rows)  // mean
        .saved(layout.rows)  // 1 / sqrt(variance + eps)
        .needs_input()
        .overwrites()
        .flops(8.0 * static_cast<double>(input.elements()));
  }

  template <class T>
  void forward(const ForwardPass<T>& pass, const Layout& layout) const {
    const std::int64_t n = layout.length;
    each_row(pass, layout, [&](std::int64_t row) {
      const T* x = pass.input() + row * n;
      T* y = pass.output() + row * n;
      const auto count = static_cast<double>(n);
      const T mean =
          center_
              ? static_cast<T>(
                    static_cast<double>(sum_of<T>(n, [=](std::int64_t i) { return x[i]; })) / count)
              : T(0);
      const T squares = sum_of<T>(n, [=](std::int64_t i) { return (x[i] - mean) * (x[i] - mean); });
      const auto inverse =
          static_cast<T>(1 / std::sqrt(static_cast<double>(squares) / count + eps_));
      pass.saved(0)[row] = mean;
      pass.saved(1)[row] = inverse;
      const std::int64_t p = layout.parameter_of(row);
      const T* weight = scale_ ? pass.parameter(0) + p : nullptr;
      const T* bias = shift_ ? pass.parameter(scale_ ? 1 : 0) + p : nullptr;
      if (layout.span == 1 && weight && bias) {
        for (std::int64_t i = 0; i < n; ++i) y[i] = (x[i] - mean) * (inverse * weight[i]) + bias[i];
        return;
      }
      spans(layout, [&](std::int64_t k, std::int64_t begin, std::int64_t end) {
        const T factor = weight ? inverse * weight[k] : inverse;
        const T offset = bias ? bias[k] : T(0);
        for (std::int64_t i = begin; i < end; ++i) y[i] = (x[i] - mean) * factor + offset;
      });
    });
  }

  // With x̂ = (x - mean) / deviation and g = dy · scale over n values:
  //   dx = (g - Σ g / n - x̂ Σ g x̂ / n) / deviation,  d_scale = Σ dy x̂,  d_shift = Σ dy
  // Without centring, the middle term of dx falls away.
  template <class T>
  void backward(const BackwardPass<T>& pass, const Layout& layout) const {
    if (pass.d_input()) input_gradient(pass, layout);
    if (scale_ || shift_) parameter_gradients(pass, layout);
  }

 private:
  template <class Pass, class Body>
  static void each_row(const Pass& pass, const Layout& layout, const Body& body) {
    pass.tiles(pass.batch() * layout.rows,
               std::max<std::int64_t>(1, kElementwiseTile / (4 * layout.length)),
               [&](std::int64_t first, std::int64_t last) {
                 for (std::int64_t row = first; row < last; ++row) body(row);
               });
  }

  // body(k, begin, end) for the values of a row that share the row's k-th parameter.
  template <class Body>
  static void spans(const Layout& layout, const Body& body) {
    for (std::int64_t k = 0; k < layout.length / layout.span; ++k)
      body(k, k * layout.span, (k + 1) * layout.span);
  }

  template <class T>
  void input_gradient(const BackwardPass<T>& pass, const Layout& layout) const {
    const std::int64_t n = layout.length;
    const bool accumulate = pass.accumulate();
    each_row(pass, layout, [&](std::int64_t row) {
      const T* x = pass.input() + row * n;
      const T* dy = pass.d_output() + row * n;
      T* dx = pass.d_input() + row * n;
      const T mean = pass.saved(0)[row], inverse = pass.saved(1)[row];
      const T* weight = scale_ ? pass.parameter(0) + layout.parameter_of(row) : nullptr;
      // g is found anew in each of three loops, which vectorize where it needs no division.
      const auto by = [&](const auto& gradient) {
        const T sum = center_ ? sum_of<T>(n, gradient) : T(0);
        const T sum_x =
            sum_of<T>(n, [=](std::int64_t i) { return gradient(i) * ((x[i] - mean) * inverse); });
        const T offset = sum / static_cast<T>(n), slope = sum_x / static_cast<T>(n);
        for (std::int64_t i = 0; i < n; ++i) {
          const T d = inverse * (gradient(i) - offset - (x[i] - mean) * inverse * slope);
          dx[i] = accumulate ? dx[i] + d : d;
        }
      };
      if (!weight) {
        by([=](std::int64_t i) { return dy[i]; });
      } else if (layout.span == 1) {
        by([=](std::int64_t i) { return dy[i] * weight[i]; });
      } else {
        by([=, span = layout.span](std::int64_t i) { return dy[i] * weight[i / span]; });
      }
    });
  }

  template <class T>
  void parameter_gradients(const BackwardPass<T>& pass, const Layout& layout) const {
    const std::int64_t rows = pass.batch() * layout.rows / layout.cycle;  // that meet a parameter
    // Where each value of a row has its own, a task sums panels of them; else one after the other.
    const std::int64_t per_row = layout.length / layout.span;
    const std::int64_t width = layout.span == 1 ? std::min<std::int64_t>(kPanel, per_row) : 1;
    const std::int64_t panels = (per_row + width - 1) / width;
    const std::int64_t panels_of_task =
        std::max<std::int64_t>(1, kElementwiseTile / (rows * layout.span * width));
    pass.tiles(layout.cycle * panels, panels_of_task, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t panel = begin; panel < end; ++panel) {
        const std::int64_t cycle = panel / panels, first = panel % panels * width;
        const int columns = static_cast<int>(std::min(width, per_row - first));
        double scale[kPanel] = {}, shift[kPanel] = {};
        if (layout.span == 1) {
          add_panel_sums(pass, layout, rows, cycle, first, columns, scale, shift);
        } else {
          add_span_sums(pass, layout, rows, cycle, first, scale, shift);
        }
        const std::int64_t parameter = cycle * per_row + first;
        for (int j = 0; j < columns; ++j) {
          if (scale_) pass.d_parameter(0)[parameter + j] += static_cast<T>(scale[j]);
          if (shift_) pass.d_parameter(scale_ ? 1 : 0)[parameter + j] += static_cast<T>(shift[j]);
        }
      }
    });
  }

  // Values [first, first + width) of row `cycle` of each cycle.
  template <class T>
  void add_panel_sums(const BackwardPass<T>& pass, const Layout& layout, std::int64_t rows,
                      std::int64_t cycle, std::int64_t first, int width, double* scale,
                      double* shift) const {
    const std::int64_t step = layout.cycle * layout.length, at = cycle * layout.length + first;
    const T *x = pass.input() + at, *dy = pass.d_output() + at;
    const T *mean = pass.saved(0) + cycle, *inverse = pass.saved(1) + cycle;
    add_column_sums<T>(
        rows, width,
        [=, cycles = layout.cycle](std::int64_t row, int j) {
          const std::int64_t i = row * step + j;
          return dy[i] * ((x[i] - mean[row * cycles]) * inverse[row * cycles]);
        },
        scale);
    add_column_sums<T>(
        rows, width, [=](std::int64_t row, int j) { return dy[row * step + j]; }, shift);
  }

  // Span k of row `cycle` of each cycle.
  template <class T>
  void add_span_sums(const BackwardPass<T>& pass, const Layout& layout, std::int64_t rows,
                     std::int64_t cycle, std::int64_t k, double* scale, double* shift) const {
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::int64_t row = r * layout.cycle + cycle;
      const T* x = pass.input() + row * layout.length + k * layout.span;
      const T* dy = pass.d_output() + row * layout.length + k * layout.span;
      const T center = pass.saved(0)[row], factor = pass.saved(1)[row];
      scale[0] += static_cast<double>(sum_of<T>(
          layout.span, [=](std::int64_t i) { return dy[i] * ((x[i] - center) * factor); }));
      shift[0] +=
          static_cast<double>(sum_of<T>(layout.span, [=](std::int64_t i) { return dy[i]; }));
    }
  }

  const double eps_;
  const bool center_, scale_, shift_;
};

// The options of norms with scale and shift.
struct RowNormOptions {
  double eps = 1e-5;
  bool scale = true;
  bool shift = true;
  InitializerRef scale_init{"Ones"};
  InitializerRef shift_init{"Zeros"};
};

template <class Options>
void describe_row_norm(Schema<Options>& schema) {
  schema.template option<double>("eps", &Options::eps)
      .above(0)
      .doc("added to the variance before the square root");
  schema.template option<bool>("scale", &Options::scale).doc("learn a scale");
  schema.template option<bool>("shift", &Options::shift).doc("learn a shift");
  schema.template option<InitializerRef>("scale_init", &Options::scale_init)
      .doc("starting values of the scale");
  schema.template option<InitializerRef>("shift_init", &Options::shift_init)
      .doc("starting values of the shift");
  schema.hint_for("epsilon", "it is called `eps` here")
      .hint_for("affine", "`scale` and `shift` switch PyTorch's affine")
      .hint_for("elementwise_affine", "`scale` and `shift` switch PyTorch's elementwise_affine")
      .hint_for("center", "it is called `shift` here")
      .hint_for("gamma", "the learned scale is switched by `scale`")
      .hint_for("beta", "the learned shift is switched by `shift`");
}

// A norm that says with `RowNorm::Layout layout_of(const Shape&) const` what its rows are.
template <class Self>
class RowNormLayer : public Layer {
 public:
  explicit RowNormLayer(const RowNormOptions& options)
      : base_(options), norm_(options.eps, /*center=*/true, options.scale, options.shift) {}

  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    norm_.forward(pass, self().layout_of(pass.input_shape()));
  }
  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    norm_.backward(pass, self().layout_of(pass.input_shape()));
  }

 protected:
  double eps() const { return norm_.eps(); }
  // Scale and shift have the shape `parameters`.
  Plan plan(const Shape& input, const Shape& parameters) const {
    const std::int64_t count = parameters.elements();
    Plan plan;
    plan.output(input);
    if (base_.scale)
      plan.parameter("weight", parameters, base_.scale_init, count, count, /*decay=*/false);
    if (base_.shift)
      plan.parameter("bias", parameters, base_.shift_init, count, count, /*decay=*/false);
    norm_.add_to(plan, self().layout_of(input), input);
    return plan;
  }

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }

  const RowNormOptions base_;
  const RowNorm norm_;
};

// The end of a normalization in ONNX: value * weight + bias, as far as they are learned, with their
// elements under a shape that operators stretch over a sample.
inline void write_scale_and_shift(OnnxLayer& onnx, std::string value, const Shape& shape) {
  const bool scale = onnx.has("weight"), shift = onnx.has("bias");
  if (scale && shift) value = onnx.step("Mul", {value, onnx.tensor("weight", shape)});
  if (shift) return onnx.node("Add", {value, onnx.tensor("bias", shape)}, {onnx.output()});
  if (scale) return onnx.node("Mul", {value, onnx.tensor("weight", shape)}, {onnx.output()});
  onnx.node("Identity", {value}, {onnx.output()});
}

// Scale and shift as Keras calls them, and the option that has another default there.
inline void describe_scale_and_shift_elsewhere(LayerTensors& tensors, const char* keras_layer,
                                               const char* pytorch_layer, double eps,
                                               const std::vector<int>& axes = {}) {
  tensors.keras("weight", "gamma", axes).over_features(0);
  tensors.keras("bias", "beta", axes).over_features(0);
  tensors.keras_option(text(keras_layer, "(epsilon = ", eps, ")"));
  tensors.pytorch_option(text(pytorch_layer, "(eps = ", eps, ")"));
}

}  // namespace strata::plugins
