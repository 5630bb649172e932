// CrossEntropy: the negative logarithm of the probability that the model gives to the right class.
#include <algorithm>
#include <cmath>

#include "framework/plugin/loss.h"

namespace strata::plugins {
namespace {

class CrossEntropy final : public Loss {
 public:
  struct Options {
    bool from_logits = true;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "How surprising the right class is: -log of the probability that the model gives to "
            "it.\n"
            "From logits, softmax and logarithm are one stable step: log Σ exp(logits) - "
            "logits[label]. From "
            "probabilities, those below 1e-7 count as 1e-7 (and get no gradient).")
        .example("CrossEntropy(logits, label)")
        .inputs({"logits", "label"});
    schema.option("from_logits", &Options::from_logits)
        .doc("whether the model ends in logits; false where it ends in Softmax");
  }

  explicit CrossEntropy(const Options& options) : from_logits_(options.from_logits) {}

  LossPlan infer(const std::vector<Input>& inputs) const {
    const Input& scores = inputs.at(0);
    const Input& label = inputs.at(1);
    if (scores.dtype != STRATA_REAL || scores.shape.rank() != 1) {
      throw PluginError(text("CrossEntropy needs one value per class, and `", scores.name,
                             "` has the shape ", scores.shape.text()),
                        "end the model with Flatten -> Dense(classes)");
    }
    if (scores.shape[0] < 2) {
      throw PluginError(
          text("CrossEntropy needs at least two classes, and `", scores.name, "` has one value"));
    }
    if (label.dtype != STRATA_I32 || label.shape.rank() != 0) {
      throw PluginError(text("CrossEntropy compares with a class number per sample, and `",
                             label.name, "` is not one (its shape is ", label.shape.text(), ")"),
                        "MeanSquaredError compares with values");
    }
    if (label.classes > scores.shape[0]) {
      throw PluginError(text("`", label.name, "` has ", label.classes, " classes, and `",
                             scores.name, "` has only ", scores.shape[0], " values"),
                        text("end the model with Dense(", label.classes, ")"));
    }
    LossPlan plan;
    if (from_logits_) plan.trait("applies-softmax");
    return plan;
  }

  // scores: [batch, classes]; label: [batch]
  template <class T>
  void evaluate(const LossPass<T>& pass) const {
    const std::int64_t classes = pass.shape(0)[0];
    const std::int32_t* label = pass.labels(1);
    for (std::int64_t sample = 0; sample < pass.batch(); ++sample) {
      if (label[sample] < 0 || label[sample] >= classes) {
        throw PluginError(
            text("label ", label[sample], " of sample ", sample,
                 " of the batch is no class: there are ", classes, ", from 0 to ", classes - 1),
            {}, STRATA_DATA);
      }
    }
    const T* scores = pass.input(0);
    T* d_scores = pass.d_input(0);
    const auto scale = static_cast<T>(pass.scale());
    pass.tiles(pass.batch(), std::max<std::int64_t>(1, kElementwiseTile / (8 * classes)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t sample = begin; sample < end; ++sample) {
                   const T* x = scores + sample * classes;
                   T* dx = d_scores ? d_scores + sample * classes : nullptr;
                   const T loss = from_logits_
                                      ? of_logits(x, dx, classes, label[sample], scale)
                                      : of_probabilities(x, dx, classes, label[sample], scale);
                   pass.losses()[sample] = static_cast<double>(loss);
                 }
               });
  }

 private:
  // dx = scale · (softmax(x) - onehot)
  template <class T>
  static T of_logits(const T* x, T* dx, std::int64_t classes, std::int64_t label, T scale) {
    const T largest = *std::max_element(x, x + classes);
    T sum = 0;
    if (dx) {
      for (std::int64_t i = 0; i < classes; ++i) sum += dx[i] = std::exp(x[i] - largest);
      const T factor = scale / sum;
      for (std::int64_t i = 0; i < classes; ++i) dx[i] *= factor;
      dx[label] -= scale;
    } else {
      for (std::int64_t i = 0; i < classes; ++i) sum += std::exp(x[i] - largest);
    }
    return std::log(sum) + (largest - x[label]);
  }

  template <class T>
  static T of_probabilities(const T* x, T* dx, std::int64_t classes, std::int64_t label, T scale) {
    constexpr T kSmallest = T(1e-7);
    const bool clipped = x[label] < kSmallest;
    const T probability = clipped ? kSmallest : x[label];  // a NaN is passed on
    if (dx) {
      std::fill_n(dx, classes, T(0));
      if (!clipped) dx[label] = -scale / probability;
    }
    return -std::log(probability);
  }

  const bool from_logits_;
};

const LossRegistration<CrossEntropy> kRegistration{"CrossEntropy"};

}  // namespace
}  // namespace strata::plugins
