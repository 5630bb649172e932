// Conv2D and BatchNorm, and what follows them: nothing, a ReLU, or the sum with another branch and
// a ReLU, sample by sample. Used by the fusions of those names; computes what the layers compute,
// within rounding.
//
// Forward, the moments of a sample's channels are taken while its convolution is in cache, and put
// together as Chan, Golub and LeVeque do (1983, doi:10.1080/00031305.1983.10483115). Backward, the
// gradient of a sample's convolution is made in cache just before the convolution's own backward
// reads it, and never is in memory as a whole.
#pragma once

#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/plugin/fusion.h"
#include "framework/plugin/reduce.h"
#include "plugins/support/convolution_batch.h"

namespace strata::plugins {

enum class AfterNorm { kNothing, kReLU, kAddReLU };

// Parameters: weight [channels, inputs / groups, height, width], bias [channels] where Conv2D has
// one, scale and shift [channels] where BatchNorm has them. States: running mean and variance
// [channels].
//
// In training the bias is cancelled by the mean that is subtracted, so it only moves the running
// mean, and its gradient is zero.
template <AfterNorm kAfter>
class ConvolutionBatchNormFusion : public Fusion {
  static constexpr bool kReLU = kAfter != AfterNorm::kNothing;
  static constexpr bool kAdds = kAfter == AfterNorm::kAddReLU;  // input 1, of the output's shape

 public:
  ConvolutionBatchNormFusion(const std::vector<Member>& members, const Shape& input)
      : convolution_(input[0], members[0].integer("channels"), members[0].integer("groups"),
                     axis(members[0], input, 0), axis(members[0], input, 1)),
        bias_(members[0].flag("bias")),
        scale_(members[1].flag("scale")),
        shift_(members[1].flag("shift")),
        eps_(members[1].number("eps")),
        decay_(members[1].number("decay")),
        unbiased_(members[1].string("running_variance") == "unbiased") {}

  Plan infer(const std::vector<Input>& inputs) const {
    if (inputs.size() != (kAdds ? 2 : 1))
      throw PluginError(text("it does not add ", inputs.size(), " values"));
    const Convolution& c = convolution_;
    Plan plan;
    if (kAdds) plan.trait("branches").needs_output();
    return plan
        .saved(c.outputs())    // z, the convolution
        .saved(0, c.channels)  // mean
        .saved(0, c.channels)  // 1 / sqrt(variance + eps)
        .scratch(0, kConvolutionSlices * c.slice_elements(/*makes=*/true))
        .scratch(2 * c.channels)     // of each sample: moments, or sums for the gradients
        .scratch(0, 7 * c.channels)  // Slopes and gradients
        .scratch(0, kConvolutionSlices * c.weights())
        .scratch(0, c.weights())
        .prepared(c.weights())  // with the normalization folded in
        .prepared(c.channels)   // what is added to their products
        .needs_input()
        .overwrites()
        .batch_statistics()
        .hands_gradients();
  }

  // x: [batch, inputs, height, width], y and z: [batch, channels, out height, out width]
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    if (pass.training()) {
      train(pass);
    } else {
      predict(pass);
    }
  }

  template <class T>
  void prepare(const ForwardPass<T>& pass) const {
    const std::int64_t rows = convolution_.rows();
    for (std::int64_t channel = 0; channel < convolution_.channels; ++channel) {
      const auto [factor, offset] = running_affine(pass, channel);
      const T* from = pass.parameter(0) + channel * rows;
      T* to = pass.prepared(0) + channel * rows;
      for (std::int64_t i = 0; i < rows; ++i) to[i] = from[i] * factor;
      pass.prepared(1)[channel] = offset;
    }
  }

  // With ẑ = (z - mean) / deviation over n values:
  //   d_scale = Σ dy ẑ,  d_shift = Σ dy,
  //   dz = scale / deviation · (dy - d_shift / n - ẑ d_scale / n)
  // where dy is what comes through the ReLU.
  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const Convolution& c = convolution_;
    sum_gradients(pass);
    const Slopes<T> slopes = hand_affine(pass);
    ConvolutionGradients<T> gradients(pass, c, pass.scratch(3), pass.scratch(4));
    convolution_slices(pass, c, /*makes=*/true,
                       [&](const ConvolutionSlice<T>& slice, std::int64_t part, std::int64_t n) {
                         const auto dz = slice.made_output_gradient();
                         for (std::int64_t channel = 0; channel < c.channels; ++channel)
                           normalize_backward(pass, slopes, n, channel,
                                              dz.values + channel * dz.channel, dz.line);
                         gradients.add(slice, part, n, dz);
                       });
    gradients.hand_weights();
    if constexpr (kAdds) {
      if (pass.d_input(1) != pass.d_input(0)) return;
      each_plane(pass, [&](std::int64_t n, std::int64_t channel) {
        hand_branch(pass, n, channel, through(pass, n, channel, Affine<T>{}));
      });
    }
  }

 private:
  static ConvolutionAxis axis(const Member& conv, const Shape& input, int which) {
    ConvolutionAxis a{};
    a.in = input[1 + which];
    a.kernel = conv.integer("kernel", which);
    a.stride = conv.integer("stride", which);
    a.dilation = conv.integer("dilation", which);
    const bool word = conv.is_string("padding");
    if (word && conv.string("padding") == "same") {
      a.pad_same();
    } else {
      a.before = word ? 0 : conv.integer("padding", which);
      a.pad_both_sides();
    }
    return a;
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

  // y = (z - mean) · factor + shift
  template <class T>
  struct Affine {
    T mean, factor, shift;
  };
  template <class T>
  Affine<T> affine_of(const LayerPass<T>& pass, std::int64_t channel, const T* mean,
                      const T* inverse) const {
    return {mean[channel], inverse[channel] * (scale_ ? pass.parameter(scale_at())[channel] : T(1)),
            shift_ ? pass.parameter(shift_at())[channel] : T(0)};
  }

  template <class T>
  void train(const ForwardPass<T>& pass) const {
    const Convolution& c = convolution_;
    const std::int64_t positions = c.positions(), values = pass.batch() * positions;
    if (values < 2) {
      throw PluginError(
          "BatchNorm needs at least two values per channel to train, and a batch of 1 "
          "sample of shape " +
              pass.output_shape().text() + " has 1",
          "use a larger batch_size, or last_batch = \"drop\" or \"merge\" where only the last "
          "batch is short");
    }
    convolution_slices(pass, c, /*makes=*/true,
                       [&](const ConvolutionSlice<T>& slice, std::int64_t, std::int64_t n) {
                         T* z = pass.saved(0) + n * c.outputs();
                         slice.forward(pass.input() + n * c.in_elements(), pass.parameter(0), z,
                                       [](std::int64_t) { return [](T value) { return value; }; });
                         T* moments = pass.scratch(1) + n * 2 * c.channels;
                         for (std::int64_t channel = 0; channel < c.channels; ++channel)
                           take_moments(z + channel * positions, positions, moments + 2 * channel);
                       });
    combine_moments(pass);
    each_plane(pass, [&](std::int64_t n, std::int64_t channel) {
      const Affine<T> affine = affine_of<T>(pass, channel, pass.saved(1), pass.saved(2));
      const std::int64_t begin = (n * c.channels + channel) * positions;
      const T* z = pass.saved(0) + begin;
      T* y = pass.output() + begin;
      if constexpr (kAdds) {
        const T* branch = pass.input(1) + begin;
        for (std::int64_t i = 0; i < positions; ++i)
          y[i] = activate((z[i] - affine.mean) * affine.factor + affine.shift + branch[i]);
      } else {
        for (std::int64_t i = 0; i < positions; ++i)
          y[i] = activate((z[i] - affine.mean) * affine.factor + affine.shift);
      }
    });
  }

  // The mean, and the sum of squared distances from it.
  template <class T>
  static void take_moments(const T* z, std::int64_t count, T* moments) {
    const T mean = sum_of<T>(count, [=](std::int64_t i) { return z[i]; }) / static_cast<T>(count);
    moments[0] = mean;
    moments[1] = sum_of<T>(count, [=](std::int64_t i) { return (z[i] - mean) * (z[i] - mean); });
  }

  // Mean and inverse deviation of the batch to saved 1 and 2; the running statistics.
  template <class T>
  void combine_moments(const ForwardPass<T>& pass) const {
    const std::int64_t channels = convolution_.channels, batch = pass.batch();
    const auto positions = static_cast<double>(convolution_.positions());
    const double n = positions * static_cast<double>(batch), divisor = unbiased_ ? n - 1 : n;
    const double keep = decay_, take = 1 - decay_;
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      const T* moments = pass.scratch(1) + 2 * channel;
      double mean = 0, squares = 0;
      for (std::int64_t i = 0; i < batch; ++i)
        mean += static_cast<double>(moments[i * 2 * channels]);
      mean /= static_cast<double>(batch);
      for (std::int64_t i = 0; i < batch; ++i) {
        const double distance = static_cast<double>(moments[i * 2 * channels]) - mean;
        squares +=
            static_cast<double>(moments[i * 2 * channels + 1]) + positions * distance * distance;
      }
      const double bias = bias_ ? static_cast<double>(pass.parameter(1)[channel]) : 0;
      T &running_mean = pass.state(0)[channel], &running_var = pass.state(1)[channel];
      running_mean =
          static_cast<T>(keep * static_cast<double>(running_mean) + take * (mean + bias));
      running_var =
          static_cast<T>(keep * static_cast<double>(running_var) + take * squares / divisor);
      pass.saved(1)[channel] = static_cast<T>(mean);
      pass.saved(2)[channel] = static_cast<T>(1 / std::sqrt(squares / n + eps_));
    }
  }

  // body(sample, channel) for all of them, in parallel.
  template <class Pass, class Body>
  void each_plane(const Pass& pass, const Body& body) const {
    const std::int64_t channels = convolution_.channels;
    const std::int64_t planes =
        std::max<std::int64_t>(1, kElementwiseTile / convolution_.positions());
    pass.tiles(pass.batch() * channels, planes, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t plane = begin; plane < end; ++plane)
        body(plane / channels, plane % channels);
    });
  }

  // Inference: z · factor + offset, from the running statistics, the bias included.
  template <class T>
  std::pair<T, T> running_affine(const ForwardPass<T>& pass, std::int64_t channel) const {
    const auto scale = scale_ ? static_cast<double>(pass.parameter(scale_at())[channel]) : 1.0;
    const auto shift = shift_ ? static_cast<double>(pass.parameter(shift_at())[channel]) : 0.0;
    const auto bias = bias_ ? static_cast<double>(pass.parameter(1)[channel]) : 0.0;
    const double slope = scale / std::sqrt(static_cast<double>(pass.state(1)[channel]) + eps_);
    return {static_cast<T>(slope),
            static_cast<T>((bias - static_cast<double>(pass.state(0)[channel])) * slope + shift)};
  }

  template <class T>
  void predict(const ForwardPass<T>& pass) const {
    const Convolution& c = convolution_;
    convolution_slices(
        pass, c, /*makes=*/true,
        [&](const ConvolutionSlice<T>& slice, std::int64_t, std::int64_t n) {
          const T* x = pass.input() + n * c.in_elements();
          T* y = pass.output() + n * c.outputs();
          if (pass.is_prepared()) {
            slice.forward(x, static_cast<const T*>(pass.prepared(0)), y, [&](std::int64_t channel) {
              const T offset = pass.prepared(1)[channel];
              return [=](T value) { return finish(value + offset); };
            });
          } else {
            slice.forward(x, pass.parameter(0), y, [&](std::int64_t channel) {
              const std::pair<T, T> affine = running_affine(pass, channel);
              return [=](T value) { return finish(value * affine.first + affine.second); };
            });
          }
          if constexpr (kAdds) {
            const T* branch = pass.input(1) + n * c.outputs();
            for (std::int64_t i = 0; i < c.outputs(); ++i) y[i] = activate(y[i] + branch[i]);
          }
        });
  }
  // What is done to a value while its sample's convolution is finished: with a branch to be added,
  // its activation comes later.
  template <class T>
  static T finish(T value) {
    if constexpr (kAdds) {
      return value;
    } else {
      return activate(value);
    }
  }

  // Of one sample's channel, what comes through the ReLU to what was normalized (and added): dy
  // where y is positive. Without an addition y is found as forward found it, from z.
  template <class T>
  struct Through {
    const T *z, *y, *dy;
    Affine<T> affine;

    T operator()(std::int64_t i) const {
      const T gradient = dy[i];  // read whether it is used or not, so that loops vectorize
      if constexpr (kAdds) {
        return y[i] > T(0) ? gradient : T(0);
      } else if constexpr (kReLU) {
        return (z[i] - affine.mean) * affine.factor + affine.shift > T(0) ? gradient : T(0);
      } else {
        return gradient;
      }
    }
  };
  template <class T>
  Through<T> through(const BackwardPass<T>& pass, std::int64_t n, std::int64_t channel,
                     const Affine<T>& affine) const {
    const std::int64_t begin = (n * convolution_.channels + channel) * convolution_.positions();
    return {pass.saved(0) + begin, kAdds ? pass.output() + begin : nullptr, pass.d_output() + begin,
            affine};
  }

  // Of each sample's channels Σ dy and Σ dy (z - mean), to scratch 1; and the branch's gradient,
  // but where the branch is the convolution's input, too, and has to wait for that one's.
  template <class T>
  void sum_gradients(const BackwardPass<T>& pass) const {
    const std::int64_t channels = convolution_.channels, positions = convolution_.positions();
    each_plane(pass, [&](std::int64_t n, std::int64_t channel) {
      const Affine<T> affine = affine_of<T>(pass, channel, pass.saved(1), pass.saved(2));
      const Through<T> gradient = through(pass, n, channel, affine);
      T* sums = pass.scratch(1) + (n * channels + channel) * 2;
      sums[0] = sum_of<T>(positions, gradient);
      sums[1] = sum_of<T>(
          positions, [=](std::int64_t i) { return gradient(i) * (gradient.z[i] - affine.mean); });
      if constexpr (kAdds) {
        if (pass.d_input(1) != pass.d_input(0)) hand_branch(pass, n, channel, gradient);
      }
    });
  }

  template <class T>
  void hand_branch(const BackwardPass<T>& pass, std::int64_t n, std::int64_t channel,
                   const Through<T>& gradient) const {
    T* to = pass.d_input(1);
    if (!to) return;
    const std::int64_t positions = convolution_.positions();
    to += (n * convolution_.channels + channel) * positions;
    if (pass.accumulate(1)) {
      for (std::int64_t i = 0; i < positions; ++i) to[i] += gradient(i);
    } else {
      for (std::int64_t i = 0; i < positions; ++i) to[i] = gradient(i);
    }
  }

  // dz = factor · (dy - offset - (z - mean) · slope); [channels] each, in scratch 2. Kept, with the
  // shift that tells what the ReLU lets through, since scale and shift may be updated meanwhile.
  template <class T>
  struct Slopes {
    T *factor, *shift, *offset, *slope;
  };

  // Hands the gradients of scale, shift and bias over.
  template <class T>
  Slopes<T> hand_affine(const BackwardPass<T>& pass) const {
    const std::int64_t channels = convolution_.channels, batch = pass.batch();
    const auto n = static_cast<double>(batch * convolution_.positions());
    T* space = pass.scratch(2);
    const Slopes<T> slopes{space, space + channels, space + 2 * channels, space + 3 * channels};
    T *d_scale = space + 4 * channels, *d_shift = d_scale + channels, *d_bias = d_shift + channels;
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      double sum_dy = 0, sum_dy_z = 0;
      for (std::int64_t i = 0; i < batch; ++i) {
        const T* sums = pass.scratch(1) + (i * channels + channel) * 2;
        sum_dy += static_cast<double>(sums[0]);
        sum_dy_z += static_cast<double>(sums[1]);
      }
      const Affine<T> affine = affine_of<T>(pass, channel, pass.saved(1), pass.saved(2));
      const auto inverse = static_cast<double>(pass.saved(2)[channel]);
      slopes.factor[channel] = affine.factor;
      slopes.shift[channel] = affine.shift;
      slopes.offset[channel] = static_cast<T>(sum_dy / n);
      slopes.slope[channel] = static_cast<T>(sum_dy_z * inverse * inverse / n);
      d_scale[channel] = static_cast<T>(sum_dy_z * inverse);
      d_shift[channel] = static_cast<T>(sum_dy);
      d_bias[channel] = T(0);
    }
    if (bias_) pass.gradient(1, 0, channels, d_bias);
    if (scale_) pass.gradient(scale_at(), 0, channels, d_scale);
    if (shift_) pass.gradient(shift_at(), 0, channels, d_shift);
    return slopes;
  }

  // To dz[out height, out width], lines `pitch` apart.
  template <class T>
  void normalize_backward(const BackwardPass<T>& pass, const Slopes<T>& slopes, std::int64_t n,
                          std::int64_t channel, T* dz, std::int64_t pitch) const {
    const Affine<T> affine{pass.saved(1)[channel], slopes.factor[channel], slopes.shift[channel]};
    const Through<T> gradient = through(pass, n, channel, affine);
    const T offset = slopes.offset[channel], slope = slopes.slope[channel];
    const auto write = [&](const auto& dy) {
      const std::int64_t width = convolution_.x.out;
      for (std::int64_t line = 0, i = 0; line < convolution_.y.out; ++line, i += width) {
        in_blocks(width, dz + line * pitch, [&](std::int64_t j) {
          return affine.factor * (dy(i + j) - offset - (gradient.z[i + j] - affine.mean) * slope);
        });
      }
    };
    if constexpr (kAdds) {
      // What the branch was handed is what comes through.
      if (pass.d_input(1) && pass.d_input(1) != pass.d_input(0) && !pass.accumulate(1)) {
        const T* handed = pass.d_input(1) + (gradient.dy - pass.d_output());
        return write([=](std::int64_t i) { return handed[i]; });
      }
    }
    write(gradient);
  }

  const Convolution convolution_;
  const bool bias_, scale_, shift_;
  const double eps_, decay_;
  const bool unbiased_;
};

}  // namespace strata::plugins
