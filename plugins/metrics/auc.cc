// AUC: the area under the curve of true over false positives, which is the probability that a
// positive sample scores above a negative one (Hanley and McNeil, 1982), from counts in bins as in
// Keras.
#include <algorithm>
#include <cmath>

#include "framework/plugin/metric.h"
#include "plugins/support/class_scores.h"

namespace strata::plugins {
namespace {

class AUC final : public Metric {
 public:
  struct Options {
    std::int64_t of_class = 1;
    bool from_logits = true;
    std::int64_t bins = 10000;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "How likely a sample of a class scores above one of another class: the area under the "
            "ROC curve.\n"
            "For two classes, from one value or two, or for one class of several against the rest. "
            "Probabilities of the class are counted in bins of equal width; two samples in one bin "
            "count as half right, which is all that the figure can be off by. 0.5 where there are "
            "no samples of the class, or no others.")
        .example("AUC(logits, label)")
        .inputs({"logits", "label"});
    schema.option("of_class", &Options::of_class).min(0).doc("the class that should score high");
    schema.option("from_logits", &Options::from_logits)
        .doc("whether the model ends in logits; false where it ends in Sigmoid or Softmax");
    schema.option("bins", &Options::bins)
        .min(2)
        .max(1e6)
        .doc("how many steps probabilities are counted in");
    schema.hint_for("num_thresholds", "it is called `bins` here")
        .hint_for("curve", "it is the area under the ROC curve");
  }

  explicit AUC(const Options& options) : options_(options) {}

  MetricPlan infer(const std::vector<Input>& inputs) const {
    const std::int64_t classes = check_class_scores("AUC", inputs);
    if (options_.of_class >= classes) {
      throw PluginError(text("there is no class ", options_.of_class, ": `", inputs[0].name,
                             "` has ", classes, ", from 0 to ", classes - 1));
    }
    return MetricPlan()
        .accumulator(2 * options_.bins)  // the others, the class
        .result(classes == 2 ? "auc" : text("auc_", options_.of_class));
  }

  // scores: [batch, classes]; label: [batch]
  template <class T>
  void update(const MetricPass<T>& pass) const {
    const std::int64_t values = pass.shape(0)[0];
    check_labels(pass.labels(1), pass.batch(), values == 1 ? 2 : values);
    for (std::int64_t sample = 0; sample < pass.batch(); ++sample) {
      const std::int64_t label = pass.labels(1)[sample] == options_.of_class;
      const double p = probability(pass.input(0) + sample * values, values);
      // A NaN counts as wrong: lowest for a positive sample, highest for a negative one.
      const double place = std::isnan(p) ? (label ? 0.0 : 1.0) : std::clamp(p, 0.0, 1.0);
      const auto bin = std::min(
          options_.bins - 1, static_cast<std::int64_t>(place * static_cast<double>(options_.bins)));
      pass.accumulator()[label * options_.bins + bin] += 1;
    }
  }

  void results(const double* accumulator, double* results) const {
    const double* negative = accumulator;
    const double* positive = accumulator + options_.bins;
    double below = 0, all_positive = 0, right = 0;  // negative samples below, pairs in order
    for (std::int64_t bin = 0; bin < options_.bins; ++bin) {
      right += positive[bin] * (below + negative[bin] / 2);
      below += negative[bin];
      all_positive += positive[bin];
    }
    results[0] = below > 0 && all_positive > 0 ? right / (below * all_positive) : 0.5;
  }

 private:
  template <class T>
  double probability(const T* scores, std::int64_t values) const {
    if (values == 1) {
      const auto score = static_cast<double>(scores[0]);
      const double p = options_.from_logits ? 1 / (1 + std::exp(-score)) : score;
      return options_.of_class == 1 ? p : 1 - p;
    }
    const auto score = static_cast<double>(scores[options_.of_class]);
    if (!options_.from_logits) return score;
    double sum = 0;
    for (std::int64_t c = 0; c < values; ++c)
      sum += std::exp(static_cast<double>(scores[c]) - score);
    return 1 / sum;
  }

  const Options options_;
};

const MetricRegistration<AUC> kRegistration{"AUC"};

}  // namespace
}  // namespace strata::plugins
