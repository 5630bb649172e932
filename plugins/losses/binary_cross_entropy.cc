// BinaryCrossEntropy: the negative logarithm of the probability given to the right one of two
// outcomes, from logits in the stable form of PyTorch's BCEWithLogitsLoss.
#include <cmath>

#include "plugins/support/compare.h"

namespace strata::plugins {
namespace {

class BinaryCrossEntropy final : public Loss {
 public:
  struct Options {
    double positive_weight = 1;
    double label_smoothing = 0;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "How surprising yes or no is, for each value by itself: -t log p - (1 - t) log(1 - "
            "p), p = sigmoid(logit).\n"
            "Targets t lie between 0 and 1 and have the shape of the logits, or are class numbers "
            "0 "
            "and 1 beside one logit. Sigmoid and logarithms are one stable step: (1 - t) x + log(1 "
            "+ exp(-x)). The mean over a sample's elements.")
        .example("BinaryCrossEntropy(logits, target)")
        .inputs({"logits", "target"});
    schema.option("positive_weight", &Options::positive_weight)
        .above(0)
        .doc("what the part of t, the positive ones, is multiplied by");
    schema.option("label_smoothing", &Options::label_smoothing)
        .min(0)
        .below(1)
        .doc("moves targets this far towards 1 / 2");
    schema.hint_for("from_logits", "it takes logits: end the model without Sigmoid")
        .hint_for("pos_weight", "it is called `positive_weight` here")
        .hint_for("reduction", "losses are averages over samples");
  }

  explicit BinaryCrossEntropy(const Options& options) : options_(options) {}

  LossPlan infer(const std::vector<Input>& inputs) const {
    check_comparable("BinaryCrossEntropy", inputs);
    const Input& label = inputs.at(1);
    if (label.classes > 2) {
      throw PluginError(
          text("BinaryCrossEntropy tells two classes apart, and `", label.name, "` has ",
               label.classes),
          text("CrossEntropy with a model that ends in Dense(", label.classes, ") is for more"));
    }
    return {};
  }

  template <class T>
  void evaluate(const LossPass<T>& pass) const {
    const auto weight = static_cast<T>(options_.positive_weight);
    const auto keep = static_cast<T>(1 - options_.label_smoothing);
    const auto add = static_cast<T>(options_.label_smoothing / 2);
    compare_pairs(pass, [=](T x, T target) {
      const T t = keep * target + add;
      const T both = T(1) + (weight - T(1)) * t;  // of -log p and -log(1 - p) together
      const T tail = std::exp(-std::abs(x));
      const T minus_log_p = (x < T(0) ? -x : T(0)) + std::log1p(tail);
      const T p = x < T(0) ? tail / (T(1) + tail) : T(1) / (T(1) + tail);
      return PairLoss<T>{both * minus_log_p + (T(1) - t) * x, (T(1) - t) - both * (T(1) - p),
                         keep * ((weight - T(1)) * minus_log_p - x)};
    });
  }

 private:
  const Options options_;
};

const LossRegistration<BinaryCrossEntropy> kRegistration{"BinaryCrossEntropy"};

}  // namespace
}  // namespace strata::plugins
