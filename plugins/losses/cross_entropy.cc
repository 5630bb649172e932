// CrossEntropy: the negative logarithm of the probability that the model gives to the right class,
// with label smoothing (Szegedy et al., 2016, arXiv:1512.00567) and weights per class as in
// PyTorch's CrossEntropyLoss.
#include <algorithm>
#include <cmath>
#include <optional>

#include "framework/plugin/loss.h"

namespace strata::plugins {
namespace {

class CrossEntropy final : public Loss {
 public:
  struct Options {
    bool from_logits = true;
    double label_smoothing = 0;
    std::optional<std::vector<double>> class_weights;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "How surprising the right class is: -log of the probability that the model gives to "
            "it.\n"
            "From logits, softmax and logarithm are one stable step: log Σ exp(logits) - "
            "logits[label]. From "
            "probabilities, those below 1e-7 count as 1e-7 (and get no gradient).\n"
            "With smoothing s and class weights w, it is the sum over the classes c of q_c * w_c * "
            "-log p_c, where q is s / classes, and 1 - s more for the right class. Losses are "
            "averaged over samples, as in Keras; PyTorch divides by the sum of the weights of the "
            "right classes instead. In place of a class number, a sample may have a share for each "
            "class (OneHot, MixUp); q is then (1 - s) * share + s / classes.")
        .example("CrossEntropy(logits, label)")
        .inputs({"logits", "label"});
    schema.option("from_logits", &Options::from_logits)
        .doc("whether the model ends in logits; false where it ends in Softmax");
    schema.option("label_smoothing", &Options::label_smoothing)
        .min(0)
        .below(1)
        .doc("the part of each target that is spread evenly over all classes");
    schema.option("class_weights", &Options::class_weights)
        .min(0)
        .doc("what each class weighs, in the order of the classes; none: all alike");
    schema.hint_for("weight", "it is called `class_weights` here")
        .hint_for("class_weight", "it is called `class_weights` here")
        .hint_for("reduction", "losses are averages over samples");
  }

  explicit CrossEntropy(const Options& options)
      : from_logits_(options.from_logits),
        smoothing_(options.label_smoothing),
        weights_(options.class_weights) {}

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
    const bool shares = label.dtype == STRATA_REAL && label.is_target && label.shape.rank() == 1;
    if (shares && label.shape != scores.shape) {
      throw PluginError(text("`", label.name, "` has a share for each of ", label.shape[0],
                             " classes, and `", scores.name, "` has ", scores.shape[0], " values"),
                        text("end the model with Dense(", label.shape[0], ")"));
    }
    if (!shares && (label.dtype != STRATA_I32 || label.shape.rank() != 0)) {
      throw PluginError(text("CrossEntropy compares with a class number per sample, and `",
                             label.name, "` is not one (its shape is ", label.shape.text(), ")"),
                        "MeanSquaredError compares with values");
    }
    if (label.classes > scores.shape[0]) {
      throw PluginError(text("`", label.name, "` has ", label.classes, " classes, and `",
                             scores.name, "` has only ", scores.shape[0], " values"),
                        text("end the model with Dense(", label.classes, ")"));
    }
    if (weights_ && static_cast<std::int64_t>(weights_->size()) != scores.shape[0]) {
      throw PluginError(text("`class_weights` has ", weights_->size(), " numbers, and `",
                             scores.name, "` has ", scores.shape[0], " classes"));
    }
    LossPlan plan;
    if (from_logits_) plan.trait("applies-softmax");
    return plan;
  }

  // scores: [batch, classes]; label: [batch], or shares: [batch, classes]
  template <class T>
  void evaluate(const LossPass<T>& pass) const {
    if (pass.shape(1).rank() == 1) return evaluate_shares(pass);
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
    over_samples(pass, [&](std::int64_t sample, const T* x, T* dx, T scale) {
      const std::int64_t right = label[sample];
      return smoothing_ > 0 || weights_
                 ? of_shares(x, dx, classes, scale,
                             [right](std::int64_t c) { return c == right ? 1.0 : 0.0; })
             : from_logits_ ? of_logits(x, dx, classes, right, scale)
                            : of_probabilities(x, dx, classes, right, scale);
    });
  }

 private:
  template <class T>
  void evaluate_shares(const LossPass<T>& pass) const {
    const std::int64_t classes = pass.shape(0)[0];
    over_samples(pass, [&](std::int64_t sample, const T* x, T* dx, T scale) {
      const T* shares = pass.input(1) + sample * classes;
      return of_shares(x, dx, classes, scale,
                       [shares](std::int64_t c) { return static_cast<double>(shares[c]); });
    });
  }

  // of(sample, scores, gradient or null, scale) gives a sample's loss.
  template <class T, class Of>
  static void over_samples(const LossPass<T>& pass, const Of& of) {
    const std::int64_t classes = pass.shape(0)[0];
    const T* scores = pass.input(0);
    T* d_scores = pass.d_input(0);
    const auto scale = static_cast<T>(pass.scale());
    pass.tiles(pass.batch(), std::max<std::int64_t>(1, kElementwiseTile / (8 * classes)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t sample = begin; sample < end; ++sample) {
                   T* dx = d_scores ? d_scores + sample * classes : nullptr;
                   pass.losses()[sample] =
                       static_cast<double>(of(sample, scores + sample * classes, dx, scale));
                 }
               });
  }

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

  // Σ target_c · -log p_c; from logits, dx_c = scale · (softmax(x)_c · Σ target - target_c)
  template <class T, class Share>
  T of_shares(const T* x, T* dx, std::int64_t classes, T scale, const Share& share) const {
    constexpr T kSmallest = T(1e-7);
    const auto target = [&](std::int64_t c) {
      const double even = smoothing_ / static_cast<double>(classes);
      const double weight = weights_ ? (*weights_)[static_cast<std::size_t>(c)] : 1.0;
      return static_cast<T>(weight * (even + (1 - smoothing_) * share(c)));
    };
    T logarithm = 0, all = 0, loss = 0;
    if (from_logits_) {
      const T largest = *std::max_element(x, x + classes);
      for (std::int64_t c = 0; c < classes; ++c) logarithm += std::exp(x[c] - largest);
      logarithm = largest + std::log(logarithm);
      for (std::int64_t c = 0; c < classes; ++c) all += target(c);
    }
    for (std::int64_t c = 0; c < classes; ++c) {
      if (from_logits_) {
        loss += target(c) * (logarithm - x[c]);
        if (dx) dx[c] = scale * (std::exp(x[c] - logarithm) * all - target(c));
      } else {
        const bool clipped = x[c] < kSmallest;
        loss -= target(c) * std::log(clipped ? kSmallest : x[c]);
        if (dx) dx[c] = clipped ? T(0) : -scale * target(c) / x[c];
      }
    }
    return loss;
  }

  const bool from_logits_;
  const double smoothing_;
  const std::optional<std::vector<double>> weights_;
};

const LossRegistration<CrossEntropy> kRegistration{"CrossEntropy"};

}  // namespace
}  // namespace strata::plugins
