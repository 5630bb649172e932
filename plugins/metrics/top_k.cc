// TopK: the share of samples whose class is among those of the k largest values (Russakovsky et
// al., ImageNet, 2015, arXiv:1409.0575).
#include <cmath>

#include "framework/plugin/metric.h"
#include "plugins/support/class_scores.h"

namespace strata::plugins {
namespace {

class TopK final : public Metric {
 public:
  struct Options {
    std::int64_t k = 5;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "The share of samples whose class is among those of the k largest values.\n"
            "Of equal values the first ones count as larger. A sample with a NaN is wrong.")
        .example("TopK(logits, label, k = 3)")
        .inputs({"logits", "label"});
    schema.option("k", &Options::k).min(1).doc("how many guesses there are");
  }

  explicit TopK(const Options& options) : k_(options.k) {}

  MetricPlan infer(const std::vector<Input>& inputs) const {
    const std::int64_t classes = check_class_scores("TopK", inputs);
    if (inputs[0].shape[0] == 1)
      throw PluginError(text("TopK needs one value per class, and `", inputs[0].name, "` has one"));
    if (k_ > classes) {
      throw PluginError(
          text("the ", k_, " largest of ", classes, " values are asked for: `k` is too large"));
    }
    return MetricPlan().accumulator(2).result(text("top", k_, "_accuracy"));  // right, all
  }

  // scores: [batch, classes]; label: [batch]
  template <class T>
  void update(const MetricPass<T>& pass) const {
    const std::int64_t classes = pass.shape(0)[0];
    check_labels(pass.labels(1), pass.batch(), classes);
    for (std::int64_t sample = 0; sample < pass.batch(); ++sample) {
      const T* scores = pass.input(0) + sample * classes;
      const std::int64_t label = pass.labels(1)[sample];
      std::int64_t before = 0;
      bool good = true;
      for (std::int64_t c = 0; c < classes; ++c) {
        before += scores[c] > scores[label] || (c < label && scores[c] == scores[label]);
        good = good && !std::isnan(scores[c]);
      }
      pass.accumulator()[0] += good && before < k_ ? 1 : 0;
    }
    pass.accumulator()[1] += static_cast<double>(pass.batch());
  }

  void results(const double* accumulator, double* results) const {
    results[0] = accumulator[1] > 0 ? accumulator[0] / accumulator[1] : 0;
  }

 private:
  const std::int64_t k_;
};

const MetricRegistration<TopK> kRegistration{"TopK"};

}  // namespace
}  // namespace strata::plugins
