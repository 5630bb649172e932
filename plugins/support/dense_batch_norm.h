// Dense and BatchNorm, and a ReLU behind them where kReLU, by panels of features. Used by the
// fusions of that name; computes what the layers compute, within rounding.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "framework/plugin/fusion.h"
#include "framework/plugin/linear.h"

namespace strata::plugins {

// Parameters: weight [units, inputs], bias [units] where Dense has one, scale and shift [units]
// where BatchNorm has them. States: running mean and variance [units].
//
// In training the bias is cancelled by the mean that is subtracted, so it only moves the running
// mean, and its gradient is zero.
template <bool kReLU>
class DenseBatchNormFusion : public Fusion {
 public:
  DenseBatchNormFusion(const std::vector<Member>& members, const Shape& input)
      : units_(members[0].integer("units")),
        bias_(members[0].flag("bias")),
        scale_(members[1].flag("scale")),
        shift_(members[1].flag("shift")),
        eps_(members[1].number("eps")),
        decay_(members[1].number("decay")),
        unbiased_(members[1].string("running_variance") == "unbiased") {
    // With more axes BatchNorm's channels are not Dense's units.
    if (input.rank() != 1) throw PluginError("the input has more than one axis");
  }

  Plan infer(const Shape& input) const {
    const std::int64_t inputs = input[0];
    return Plan()
        .saved(units_)     // z = x · Wᵀ, panel by panel: [rows, width] each
        .saved(0, units_)  // mean
        .saved(0, units_)  // 1 / sqrt(variance + eps)
        .scratch(units_)   // dz: [rows, units]
        .scratch(0, Linear::space(inputs, units_))
        .prepared(units_ * inputs)  // weights with the normalization folded in
        .prepared(units_)           // what is added to their products
        .needs_input()
        .overwrites()
        .batch_statistics()
        .hands_gradients();
  }

  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const Linear linear = linear_of(pass);
    if (pass.training() && linear.rows < 2) {
      throw PluginError(
          "BatchNorm needs at least two values per channel to train, and a batch of 1 "
          "sample has 1",
          "use a larger batch_size, or last_batch = \"drop\" or \"merge\" where only "
          "the last batch is short");
    }
    pass.parallel(linear.panels(), linear.operations(), [&](std::int64_t panel) {
      if (pass.training()) {
        train(pass, linear, panel);
      } else if (pass.is_prepared()) {
        infer_prepared(pass, linear, panel);
      } else {
        infer_running(pass, linear, panel);
      }
    });
  }

  template <class T>
  void prepare(const ForwardPass<T>& pass) const {
    const std::int64_t inputs = pass.input_shape()[0];
    for (std::int64_t unit = 0; unit < units_; ++unit) {
      T factor, offset;
      running_affine(pass, unit, 1, &factor, &offset);
      const T* from = pass.parameter(0) + unit * inputs;
      T* to = pass.prepared(0) + unit * inputs;
      for (std::int64_t i = 0; i < inputs; ++i) to[i] = from[i] * factor;
      pass.prepared(1)[unit] = offset;
    }
  }

  // With x̂ = (z - mean) / deviation over n rows:
  //   d_scale = Σ dy x̂,  d_shift = Σ dy,
  //   dz = scale / deviation · (dy - d_shift / n - x̂ d_scale / n)
  // where dy is what comes through the ReLU.
  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const Linear linear = linear_of(pass);
    const auto learn = [&](std::int64_t panel) {
      linear.weight_gradient(pass, 0, panel, static_cast<const T*>(pass.scratch(0)), pass.input(),
                             pass.scratch(1));
    };
    if (T* dx = pass.d_input()) {
      pass.parallel(linear.panels(), 64 * linear.rows * linear.units,
                    [&](std::int64_t panel) { normalize_backward(pass, linear, panel); });
      linear.input_gradient(pass, static_cast<const T*>(pass.scratch(0)), pass.parameter(0),
                            pass.accumulate(), dx);
      pass.parallel(linear.panels(), linear.gradient_operations(), learn);
    } else {
      pass.parallel(linear.panels(), linear.gradient_operations(), [&](std::int64_t panel) {
        normalize_backward(pass, linear, panel);
        learn(panel);
      });
    }
  }

 private:
  template <class T>
  Linear linear_of(const LayerPass<T>& pass) const {
    return {pass.batch(), pass.input_shape()[0], units_};
  }
  int scale_at() const { return bias_ ? 2 : 1; }
  int shift_at() const { return scale_at() + (scale_ ? 1 : 0); }

  template <class T>
  static T activate(T value) {
    if constexpr (kReLU) {
      return value < T(0) ? T(0) : value;  // a NaN is passed on
    } else {
      return value;
    }
  }

  // What a panel's z is turned into y with: y = (z - mean) · factor + shift.
  template <class T>
  struct Affine {
    T mean[kPanel], factor[kPanel], shift[kPanel];
  };
  template <class T>
  Affine<T> affine_of(const LayerPass<T>& pass, const Linear& linear, std::int64_t panel,
                      const T* mean, const T* inverse) const {
    Affine<T> affine;
    for (int j = 0; j < linear.width(panel); ++j) {
      const std::int64_t unit = linear.first(panel) + j;
      affine.mean[j] = mean[j];
      affine.factor[j] = inverse[j] * (scale_ ? pass.parameter(scale_at())[unit] : T(1));
      affine.shift[j] = shift_ ? pass.parameter(shift_at())[unit] : T(0);
    }
    return affine;
  }

  template <class T>
  void train(const ForwardPass<T>& pass, const Linear& linear, std::int64_t panel) const {
    const int width = linear.width(panel);
    const std::int64_t first = linear.first(panel), rows = linear.rows;
    T* z = pass.saved(0) + first * rows;
    linear.product(pass, panel, pass.input(), pass.parameter(0), false, z, width);

    const auto n = static_cast<double>(rows);
    double sums[kPanel] = {}, squares[kPanel] = {};
    T mean[kPanel], inverse[kPanel];
    const T* read = z;
    add_column_sums<T>(
        rows, width, [=](std::int64_t row, int j) { return read[row * width + j]; }, sums);
    for (int j = 0; j < width; ++j) mean[j] = static_cast<T>(sums[j] / n);
    add_column_sums<T>(
        rows, width,
        [=, &mean](std::int64_t row, int j) {
          const T distance = read[row * width + j] - mean[j];
          return distance * distance;
        },
        squares);
    const double keep = decay_, take = 1 - decay_, divisor = unbiased_ ? n - 1 : n;
    T* running_mean = pass.state(0) + first;
    T* running_var = pass.state(1) + first;
    for (int j = 0; j < width; ++j) {
      inverse[j] = static_cast<T>(1 / std::sqrt(squares[j] / n + eps_));
      const double bias = bias_ ? static_cast<double>(pass.parameter(1)[first + j]) : 0;
      running_mean[j] =
          static_cast<T>(keep * static_cast<double>(running_mean[j]) + take * (sums[j] / n + bias));
      running_var[j] =
          static_cast<T>(keep * static_cast<double>(running_var[j]) + take * squares[j] / divisor);
    }
    std::copy_n(mean, width, pass.saved(1) + first);
    std::copy_n(inverse, width, pass.saved(2) + first);

    const Affine<T> affine = affine_of<T>(pass, linear, panel, mean, inverse);
    for (std::int64_t row = 0; row < rows; ++row) {
      T* y = pass.output() + row * linear.units + first;
      for (int j = 0; j < width; ++j) {
        y[j] = activate((z[row * width + j] - affine.mean[j]) * affine.factor[j] + affine.shift[j]);
      }
    }
  }

  // Inference: z · factor + offset, from the running statistics, the bias included.
  template <class T>
  void running_affine(const ForwardPass<T>& pass, std::int64_t first, int width, T* factor,
                      T* offset) const {
    for (int j = 0; j < width; ++j) {
      const std::int64_t unit = first + j;
      const auto scale = scale_ ? static_cast<double>(pass.parameter(scale_at())[unit]) : 1.0;
      const auto shift = shift_ ? static_cast<double>(pass.parameter(shift_at())[unit]) : 0.0;
      const auto bias = bias_ ? static_cast<double>(pass.parameter(1)[unit]) : 0.0;
      const double slope = scale / std::sqrt(static_cast<double>(pass.state(1)[unit]) + eps_);
      factor[j] = static_cast<T>(slope);
      offset[j] = static_cast<T>((bias - static_cast<double>(pass.state(0)[unit])) * slope + shift);
    }
  }

  template <class T>
  void infer_running(const ForwardPass<T>& pass, const Linear& linear, std::int64_t panel) const {
    T factor[kPanel], offset[kPanel];
    const int width = linear.width(panel);
    running_affine(pass, linear.first(panel), width, factor, offset);
    T* columns = pass.output() + linear.first(panel);
    linear.product(pass, panel, pass.input(), pass.parameter(0), false, columns, linear.units);
    for (std::int64_t row = 0; row < linear.rows; ++row) {
      T* y = columns + row * linear.units;
      for (int j = 0; j < width; ++j) y[j] = activate(y[j] * factor[j] + offset[j]);
    }
  }

  template <class T>
  void infer_prepared(const ForwardPass<T>& pass, const Linear& linear, std::int64_t panel) const {
    const int width = linear.width(panel);
    const T* offset = pass.prepared(1) + linear.first(panel);
    T* columns = pass.output() + linear.first(panel);
    linear.product(pass, panel, pass.input(), static_cast<const T*>(pass.prepared(0)), false,
                   columns, linear.units);
    for (std::int64_t row = 0; row < linear.rows; ++row) {
      T* y = columns + row * linear.units;
      for (int j = 0; j < width; ++j) y[j] = activate(y[j] + offset[j]);
    }
  }

  // dz of a panel to scratch 0; hands the panel's scale, shift and bias gradients over.
  template <class T>
  void normalize_backward(const BackwardPass<T>& pass, const Linear& linear,
                          std::int64_t panel) const {
    const int width = linear.width(panel);
    const std::int64_t first = linear.first(panel), rows = linear.rows, units = linear.units;
    const T* z = pass.saved(0) + first * rows;
    const T* dy = pass.d_output() + first;
    T* dz = pass.scratch(0) + first;
    const T* inverse = pass.saved(2) + first;
    const Affine<T> affine = affine_of<T>(pass, linear, panel, pass.saved(1) + first, inverse);
    // What comes through the ReLU; the sign of y is found as forward found it.
    for (std::int64_t row = 0; row < rows; ++row) {
      for (int j = 0; j < width; ++j) {
        const T gradient = dy[row * units + j];
        if constexpr (kReLU) {
          const T y = (z[row * width + j] - affine.mean[j]) * affine.factor[j] + affine.shift[j];
          dz[row * units + j] = y > T(0) ? gradient : T(0);
        } else {
          dz[row * units + j] = gradient;
        }
      }
    }
    double sum_dy[kPanel] = {}, sum_dy_z[kPanel] = {};
    const T* through = dz;
    add_column_sums<T>(
        rows, width, [=](std::int64_t row, int j) { return through[row * units + j]; }, sum_dy);
    add_column_sums<T>(
        rows, width,
        [=, &affine](std::int64_t row, int j) {
          return through[row * units + j] * (z[row * width + j] - affine.mean[j]);
        },
        sum_dy_z);
    const auto n = static_cast<double>(rows);
    T offset[kPanel], slope[kPanel], d_scale[kPanel], d_shift[kPanel], d_bias[kPanel] = {};
    for (int j = 0; j < width; ++j) {
      const auto deviation = static_cast<double>(inverse[j]);
      offset[j] = static_cast<T>(sum_dy[j] / n);
      slope[j] = static_cast<T>(sum_dy_z[j] * deviation * deviation / n);
      d_scale[j] = static_cast<T>(sum_dy_z[j] * deviation);
      d_shift[j] = static_cast<T>(sum_dy[j]);
    }
    for (std::int64_t row = 0; row < rows; ++row) {
      for (int j = 0; j < width; ++j) {
        T& out = dz[row * units + j];
        out =
            affine.factor[j] * (out - offset[j] - (z[row * width + j] - affine.mean[j]) * slope[j]);
      }
    }
    if (bias_) pass.gradient(1, first, width, d_bias);
    if (scale_) pass.gradient(scale_at(), first, width, d_scale);
    if (shift_) pass.gradient(shift_at(), first, width, d_shift);
  }

  const std::int64_t units_;
  const bool bias_, scale_, shift_;
  const double eps_, decay_;
  const bool unbiased_;
};

}  // namespace strata::plugins
