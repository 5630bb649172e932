// What BatchNorm and BatchRenorm share: options, sums over the values of a channel, normalization
// by the batch's statistics or by running ones, and gradients. Variances take two passes.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>

#include "framework/plugin/exchange.h"
#include "framework/plugin/reduce.h"

namespace strata::plugins {

// Where a channel's values are: x[sample, channel, position], positions being contiguous. Work on
// all samples of up to kPanel channels, in an order that depends on the shape alone.
struct ChannelLayout {
  std::int64_t batch, channels, positions;

  std::int64_t values() const { return batch * positions; }  // per channel

  // sums[j] += the sum of term(element, j) over the elements of channel first + j, for j in [0,
  // width).
  template <class T, class Term>
  void add_sums(std::int64_t first, int width, const Term& term, double* sums) const {
    if (positions == 1) {
      const std::int64_t stride = channels;
      add_column_sums<T>(
          batch, width,
          [=](std::int64_t sample, int j) { return term(sample * stride + first + j, j); }, sums);
      return;
    }
    for (int j = 0; j < width; ++j) {
      for (std::int64_t sample = 0; sample < batch; ++sample) {
        const std::int64_t begin = (sample * channels + first + j) * positions;
        sums[j] += static_cast<double>(
            sum_of<T>(positions, [=](std::int64_t i) { return term(begin + i, j); }));
      }
    }
  }

  // body(element, j) for all of them.
  template <class Body>
  void each(std::int64_t first, int width, const Body& body) const {
    if (positions == 1) {
      for (std::int64_t sample = 0; sample < batch; ++sample) {
        const std::int64_t begin = sample * channels + first;
        for (int j = 0; j < width; ++j) body(begin + j, j);
      }
      return;
    }
    for (int j = 0; j < width; ++j) {
      for (std::int64_t sample = 0; sample < batch; ++sample) {
        const std::int64_t begin = (sample * channels + first + j) * positions;
        for (std::int64_t i = 0; i < positions; ++i) body(begin + i, j);
      }
    }
  }

  // body(first, width) for panels of channels, in parallel where there is work enough.
  template <class Pass, class Body>
  void panels(const Pass& pass, const Body& body) const {
    const std::int64_t width = std::min<std::int64_t>(
        kPanel, positions == 1 ? kPanel : std::max<std::int64_t>(1, kElementwiseTile / values()));
    const std::int64_t panels_per_task =
        std::max<std::int64_t>(1, kElementwiseTile / (width * values()));
    pass.tiles((channels + width - 1) / width, panels_per_task,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t panel = begin; panel < end; ++panel) {
                   const std::int64_t first = panel * width;
                   body(first, static_cast<int>(std::min(width, channels - first)));
                 }
               });
  }
};

struct BatchNormOptions {
  double eps = 1e-5;
  double decay = 0.9;
  std::string running_variance = "unbiased";
  bool scale = true;
  bool shift = true;
  InitializerRef scale_init{"Ones"};
  InitializerRef shift_init{"Zeros"};
};

template <class Options>
void describe_batch_norm(Schema<Options>& schema) {
  schema.template option<double>("eps", &Options::eps)
      .above(0)
      .doc("added to the variance before the square root");
  schema.template option<double>("decay", &Options::decay)
      .min(0)
      .max(1)
      .doc("weight of the old value in the running statistics");
  schema.template option<std::string>("running_variance", &Options::running_variance)
      .choices({"unbiased", "biased"})
      .doc(
          "what the running variance averages: squares over n - 1 (PyTorch) or over n (Keras, "
          "ONNX)");
  schema.template option<bool>("scale", &Options::scale).doc("learn a scale per channel");
  schema.template option<bool>("shift", &Options::shift).doc("learn a shift per channel");
  schema.template option<InitializerRef>("scale_init", &Options::scale_init)
      .doc("starting values of the scale");
  schema.template option<InitializerRef>("shift_init", &Options::shift_init)
      .doc("starting values of the shift");
  const std::string momentum =
      "`momentum` means two things: in PyTorch the weight of the new value (momentum = 0.1 is "
      "decay = 0.9 here), "
      "in Keras the weight of the old one (momentum = 0.99 is decay = 0.99)";
  schema.hint_for("momentum", momentum)
      .hint_for("epsilon", "it is called `eps` here")
      .hint_for("affine", "write `scale = false, shift = false` for PyTorch's affine = False")
      .hint_for("gamma", "the learned scale is switched by `scale`")
      .hint_for("gamma_initializer", "it is called `scale_init` here")
      .hint_for("beta_initializer", "it is called `shift_init` here")
      .hint_for("beta", "the learned shift is switched by `shift`")
      .hint_for("center", "it is called `shift` here");
}

// With x̂ = (x - mean) / deviation: y = weight · x̂ + bias. BatchRenorm corrects x̂ to x̂ · r + d
// first.
class ChannelNorm {
 public:
  // States and saved buffers in the order of add_to.
  enum States { kRunningMean, kRunningVar };
  enum Saved { kMean, kInverseDeviation, kCorrectionFactor, kCorrectionOffset };
  struct Uncorrected {};

  ChannelNorm(const char* name, const BatchNormOptions& options) : name_(name), options_(options) {}

  // Throws where the input has no channels.
  Plan plan(const Shape& input) const {
    if (input.rank() < 1 || input.rank() > 3) {
      throw PluginError(
          text(name_, " takes [features], [channels, length] or [channels, height, width], not ",
               input.text()));
    }
    const std::int64_t channels = input[0];
    Plan plan;
    plan.output(input);
    if (options_.scale)
      plan.parameter("weight", {channels}, options_.scale_init, channels, channels,
                     /*decay=*/false);
    if (options_.shift)
      plan.parameter("bias", {channels}, options_.shift_init, channels, channels, /*decay=*/false);
    return plan.state("running_mean", {channels}, 0)
        .state("running_var", {channels}, 1)
        .saved(0, channels)  // mean
        .saved(0, channels)  // 1 / sqrt(variance + eps)
        .needs_input()
        .overwrites()
        .batch_statistics()
        .trait("cancels-bias")
        .flops(8.0 * static_cast<double>(input.elements()));
  }

  // In training, correct(deviation / running deviation, (mean - running mean) / running deviation,
  // &r, &d) gives each channel's correction, before the running statistics learn of the batch.
  template <class T, class Correct = Uncorrected>
  void forward(const ForwardPass<T>& pass, const Correct& correct = {}) const {
    const ChannelLayout layout = layout_of(pass);
    if (pass.training() && layout.values() < 2) {
      throw PluginError(
          text(name_, " needs at least two values per channel to train, and a batch of ",
               layout.batch, " sample", layout.batch == 1 ? "" : "s", " of shape ",
               pass.input_shape().text(), " has ", layout.values()),
          "use a larger batch_size, or last_batch = \"drop\" or \"merge\" where only the last "
          "batch is short");
    }
    layout.panels(pass, [&](std::int64_t first, int width) {
      T mean[kPanel], inverse_deviation[kPanel];
      if (pass.training()) {
        batch_statistics(pass, layout, first, width, correct, mean, inverse_deviation);
      } else {
        running_statistics(pass, first, width, mean, inverse_deviation);
      }
      T factor[kPanel], shift[kPanel];
      for (int j = 0; j < width; ++j) {
        factor[j] = inverse_deviation[j] * scale(pass, first + j);
        shift[j] = options_.shift ? pass.parameter(options_.scale ? 1 : 0)[first + j] : T(0);
      }
      if constexpr (kCorrects<Correct>) {
        for (int j = 0; pass.training() && j < width; ++j) {
          factor[j] *= pass.saved(kCorrectionFactor)[first + j];
          shift[j] += pass.saved(kCorrectionOffset)[first + j] * scale(pass, first + j);
        }
      }
      const T* x = pass.input();
      T* y = pass.output();
      // Subtracting first loses nothing where the mean is large beside the deviation.
      layout.each(first, width, [=, &mean, &factor, &shift](std::int64_t i, int j) {
        y[i] = (x[i] - mean[j]) * factor[j] + shift[j];
      });
    });
  }

  // Over n values:
  //   d_weight = Σ dy x̂,  d_bias = Σ dy,  dx = weight / deviation · (dy - d_bias / n - x̂ d_weight /
  //   n)
  // In inference mean and deviation are constants, so that dx = weight / deviation · dy.
  // Corrections are constants too: dx is r times as large, and d_weight = Σ dy (x̂ r + d).
  template <bool kCorrected = false, class T>
  void backward(const BackwardPass<T>& pass) const {
    const ChannelLayout layout = layout_of(pass);
    layout.panels(pass, [&](std::int64_t first, int width) {
      T mean[kPanel], inverse_deviation[kPanel];
      if (pass.training()) {
        std::copy_n(pass.saved(kMean) + first, width, mean);
        std::copy_n(pass.saved(kInverseDeviation) + first, width, inverse_deviation);
      } else {
        running_statistics(pass, first, width, mean, inverse_deviation);
      }
      const T* x = pass.input();
      const T* dy = pass.d_output();
      double sum_dy[kPanel] = {}, sum_dy_x[kPanel] = {};
      layout.add_sums<T>(
          first, width, [=](std::int64_t i, int) { return dy[i]; }, sum_dy);
      layout.add_sums<T>(
          first, width, [=, &mean](std::int64_t i, int j) { return dy[i] * (x[i] - mean[j]); },
          sum_dy_x);

      T factor[kPanel], offset[kPanel],
          slope[kPanel];  // dx = factor · (dy - offset - (x - mean) · slope)
      const auto n = static_cast<double>(layout.values());
      for (int j = 0; j < width; ++j) {
        const auto inverse = static_cast<double>(inverse_deviation[j]);
        double d_scale = sum_dy_x[j] * inverse;
        factor[j] = inverse_deviation[j] * scale(pass, first + j);
        if constexpr (kCorrected) {
          if (pass.training()) {
            const T r = pass.saved(kCorrectionFactor)[first + j];
            factor[j] *= r;
            d_scale = d_scale * static_cast<double>(r) +
                      sum_dy[j] * static_cast<double>(pass.saved(kCorrectionOffset)[first + j]);
          }
        }
        if (options_.scale) pass.d_parameter(0)[first + j] += static_cast<T>(d_scale);
        if (options_.shift)
          pass.d_parameter(options_.scale ? 1 : 0)[first + j] += static_cast<T>(sum_dy[j]);
        offset[j] = pass.training() ? static_cast<T>(sum_dy[j] / n) : T(0);
        slope[j] = pass.training() ? static_cast<T>(sum_dy_x[j] * inverse * inverse / n) : T(0);
      }
      T* dx = pass.d_input();
      if (!dx) return;
      if (pass.accumulate()) {
        layout.each(first, width, [=, &mean, &factor, &offset, &slope](std::int64_t i, int j) {
          dx[i] += factor[j] * (dy[i] - offset[j] - (x[i] - mean[j]) * slope[j]);
        });
      } else {
        layout.each(first, width, [=, &mean, &factor, &offset, &slope](std::int64_t i, int j) {
          dx[i] = factor[j] * (dy[i] - offset[j] - (x[i] - mean[j]) * slope[j]);
        });
      }
    });
  }

  // In inference, with the running statistics.
  void to_onnx(OnnxLayer& onnx) const {
    const Shape channels{onnx.input_shape()[0]};
    onnx.node("BatchNormalization",
              {onnx.input(), onnx.learned("weight", channels, 1), onnx.learned("bias", channels, 0),
               onnx.tensor("running_mean"), onnx.tensor("running_var")},
              {onnx.output()}, {{"epsilon", options_.eps}});
  }
  void to_others(LayerTensors& tensors) const {
    tensors.keras("weight", "gamma").over_features(0);
    tensors.keras("bias", "beta").over_features(0);
    tensors.keras("running_mean", "moving_mean").over_features(0);
    tensors.keras("running_var", "moving_variance").over_features(0);
    tensors.keras_option(
        text("BatchNormalization(epsilon = ", options_.eps, ", momentum = ", options_.decay, ")"));
    tensors.pytorch_counter("num_batches_tracked");
    tensors.pytorch_option(
        text("BatchNorm(eps = ", options_.eps, ", momentum = ", 1 - options_.decay, ")"));
  }

 private:
  template <class Correct>
  static constexpr bool kCorrects = !std::is_same_v<Correct, Uncorrected>;

  template <class T>
  static ChannelLayout layout_of(const LayerPass<T>& pass) {
    const Shape shape = pass.input_shape();
    return {pass.batch(), shape[0], shape.elements(1, shape.rank())};
  }

  template <class T>
  T scale(const LayerPass<T>& pass, std::int64_t channel) const {
    return options_.scale ? pass.parameter(0)[channel] : T(1);
  }

  // Of the batch; also kept for backward, and in the running statistics.
  template <class T, class Correct>
  void batch_statistics(const ForwardPass<T>& pass, const ChannelLayout& layout, std::int64_t first,
                        int width, const Correct& correct, T* mean, T* inverse_deviation) const {
    const T* x = pass.input();
    const auto n = static_cast<double>(layout.values());
    double sums[kPanel] = {}, squares[kPanel] = {};
    T center[kPanel];
    layout.add_sums<T>(
        first, width, [=](std::int64_t i, int) { return x[i]; }, sums);
    for (int j = 0; j < width; ++j) center[j] = static_cast<T>(sums[j] / n);
    layout.add_sums<T>(
        first, width,
        [=, &center](std::int64_t i, int j) { return (x[i] - center[j]) * (x[i] - center[j]); },
        squares);
    for (int j = 0; j < width; ++j) {
      mean[j] = center[j];
      inverse_deviation[j] = static_cast<T>(1 / std::sqrt(squares[j] / n + options_.eps));
      pass.saved(kMean)[first + j] = mean[j];
      pass.saved(kInverseDeviation)[first + j] = inverse_deviation[j];
    }
    if constexpr (kCorrects<Correct>) {
      T running[kPanel], running_inverse[kPanel];
      running_statistics(pass, first, width, running, running_inverse);
      for (int j = 0; j < width; ++j) {
        const auto inverse = static_cast<double>(running_inverse[j]);
        correct(std::sqrt(squares[j] / n + options_.eps) * inverse,
                (sums[j] / n - static_cast<double>(running[j])) * inverse,
                pass.saved(kCorrectionFactor) + first + j,
                pass.saved(kCorrectionOffset) + first + j);
      }
    }

    T* running_mean = pass.state(kRunningMean) + first;
    T* running_var = pass.state(kRunningVar) + first;
    const double keep = options_.decay, take = 1 - options_.decay;
    const double divisor = options_.running_variance == "unbiased" ? n - 1 : n;
    for (int j = 0; j < width; ++j) {
      running_mean[j] =
          static_cast<T>(keep * static_cast<double>(running_mean[j]) + take * sums[j] / n);
      running_var[j] =
          static_cast<T>(keep * static_cast<double>(running_var[j]) + take * squares[j] / divisor);
    }
  }

  template <class Pass, class T>
  void running_statistics(const Pass& pass, std::int64_t first, int width, T* mean,
                          T* inverse_deviation) const {
    for (int j = 0; j < width; ++j) {
      mean[j] = pass.state(kRunningMean)[first + j];
      inverse_deviation[j] = static_cast<T>(
          1 / std::sqrt(static_cast<double>(pass.state(kRunningVar)[first + j]) + options_.eps));
    }
  }

  const char* const name_;
  const BatchNormOptions options_;
};

}  // namespace strata::plugins
