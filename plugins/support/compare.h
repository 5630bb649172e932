// What losses and metrics share that compare predictions with targets, value by value: which inputs
// go together, and for losses the loop over them.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "framework/plugin/loss.h"
#include "framework/plugin/metric.h"
#include "framework/plugin/reduce.h"

namespace strata::plugins {

// Throws unless inputs are a prediction and a target of its shape, or a prediction of one value and
// class numbers. `who` is the name of the loss or metric.
inline void check_comparable(const std::string& who, const std::vector<Input>& inputs) {
  const Input& prediction = inputs.at(0);
  const Input& target = inputs.at(1);
  if (prediction.dtype != STRATA_REAL)
    throw PluginError(text(who, " needs real numbers, and `", prediction.name, "` is none"));
  if (target.dtype == STRATA_U8) {
    throw PluginError(
        text(who, " needs real numbers, and `", target.name, "` holds bytes"),
        text("make real numbers of them: -> Rescale(1 / 255, field = \"", target.name, "\")"));
  }
  if (target.dtype == STRATA_I32 && (target.shape.rank() != 0 || !(prediction.shape == Shape{1}))) {
    throw PluginError(text("a class number such as `", target.name,
                           "` can be compared with a prediction of shape [1], and `",
                           prediction.name, "` has ", prediction.shape.text()),
                      "CrossEntropy compares one value per class with class numbers");
  }
  if (target.dtype != STRATA_I32 && !(target.shape == prediction.shape)) {
    throw PluginError(text("`", prediction.name, "` has the shape ", prediction.shape.text(),
                           ", and `", target.name, "` has ", target.shape.text()));
  }
}

// Value and derivatives of a loss at one pair of values.
template <class T>
struct PairLoss {
  T value, d_prediction, d_target;
};

// Inputs that check_comparable let through; loss(prediction, target) gives a PairLoss. A sample's
// loss is the mean over its elements.
template <class T, class PairwiseLoss>
void compare_pairs(const LossPass<T>& pass, const PairwiseLoss& loss) {
  const std::int64_t n = pass.shape(0).elements();
  const auto run = [&](const auto* target, T* d_target) {
    const T* prediction = pass.input(0);
    T* d_prediction = pass.d_input(0);
    const auto factor = static_cast<T>(pass.scale() / static_cast<double>(n));
    pass.tiles(pass.batch(), std::max<std::int64_t>(1, kElementwiseTile / (4 * n)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t sample = begin; sample < end; ++sample) {
                   const T* p = prediction + sample * n;
                   const auto* t = target + sample * n;
                   const T sum = sum_of<T>(
                       n, [&](std::int64_t i) { return loss(p[i], static_cast<T>(t[i])).value; });
                   pass.losses()[sample] = static_cast<double>(sum) / static_cast<double>(n);
                   for (std::int64_t i = 0; d_prediction && i < n; ++i) {
                     d_prediction[sample * n + i] =
                         factor * loss(p[i], static_cast<T>(t[i])).d_prediction;
                   }
                   for (std::int64_t i = 0; d_target && i < n; ++i) {
                     d_target[sample * n + i] = factor * loss(p[i], static_cast<T>(t[i])).d_target;
                   }
                 }
               });
  };
  if (pass.shape(1) == pass.shape(0)) {
    run(pass.input(1), pass.d_input(1));
  } else {
    run(pass.labels(1), static_cast<T*>(nullptr));
  }
}

// The same for metrics: body(i, prediction, target) for values [0, count) of the batch, in order.
template <class T, class Body>
void each_pair(const MetricPass<T>& pass, std::int64_t count, const Body& body) {
  const bool alike = pass.shape(1) == pass.shape(0);
  for (std::int64_t i = 0; i < count; ++i) {
    const double target = alike ? static_cast<double>(pass.input(1)[i]) : pass.labels(1)[i];
    body(i, static_cast<double>(pass.input(0)[i]), target);
  }
}

// A loss of the difference prediction - target alone: Self::of_difference gives value and
// derivative.
template <class Self>
class DifferenceLoss : public Loss {
 public:
  LossPlan infer(const std::vector<Input>& inputs) const {
    check_comparable(Self::kName, inputs);
    return {};
  }

  template <class T>
  void evaluate(const LossPass<T>& pass) const {
    const auto of_difference = static_cast<const Self&>(*this).template of_difference<T>();
    compare_pairs(pass, [&](T prediction, T target) {
      const auto [value, slope] = of_difference(prediction - target);
      return PairLoss<T>{value, slope, -slope};
    });
  }
};

}  // namespace strata::plugins
