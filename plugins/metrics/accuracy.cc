// Accuracy: the share of samples whose largest value is that of the right class.
#include <cmath>

#include "framework/plugin/metric.h"

namespace strata::plugins {
namespace {

class Accuracy final : public Metric {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "The share of samples whose class is predicted right: the largest value wins, the "
            "first one of equals.\n"
            "With a single value, class 1 is predicted where it is above 0 (a logit). A sample "
            "with a NaN is wrong.")
        .example("Accuracy(logits, label)")
        .inputs({"logits", "label"});
  }

  explicit Accuracy(const Options&) {}

  MetricPlan infer(const std::vector<Input>& inputs) const {
    const Input& scores = inputs.at(0);
    const Input& label = inputs.at(1);
    if (scores.dtype != STRATA_REAL || scores.shape.rank() != 1) {
      throw PluginError(text("Accuracy needs one value per class, and `", scores.name,
                             "` has the shape ", scores.shape.text()));
    }
    if (label.dtype != STRATA_I32 || label.shape.rank() != 0) {
      throw PluginError(text("Accuracy compares with a class number per sample, and `", label.name,
                             "` is not one (its shape is ", label.shape.text(), ")"));
    }
    const std::int64_t classes = scores.shape[0] == 1 ? 2 : scores.shape[0];
    if (label.classes > classes) {
      throw PluginError(text("`", label.name, "` has ", label.classes, " classes, and `",
                             scores.name, "` has only ", scores.shape[0],
                             scores.shape[0] == 1 ? " value" : " values"));
    }
    return MetricPlan().accumulator(2).result("accuracy");  // right, all
  }

  // scores: [batch, classes]; label: [batch]
  template <class T>
  void update(const MetricPass<T>& pass) const {
    const std::int64_t classes = pass.shape(0)[0];
    std::int64_t right = 0;
    for (std::int64_t sample = 0; sample < pass.batch(); ++sample) {
      right += predicted(pass.input(0) + sample * classes, classes) == pass.labels(1)[sample];
    }
    pass.accumulator()[0] += static_cast<double>(right);
    pass.accumulator()[1] += static_cast<double>(pass.batch());
  }

  void results(const double* accumulator, double* results) const {
    results[0] = accumulator[1] > 0 ? accumulator[0] / accumulator[1] : 0;
  }

 private:
  // The class, or -1 where a value is NaN.
  template <class T>
  static std::int64_t predicted(const T* scores, std::int64_t classes) {
    if (classes == 1) return std::isnan(scores[0]) ? -1 : scores[0] > T(0);
    std::int64_t best = 0;
    for (std::int64_t i = 0; i < classes; ++i) {
      if (std::isnan(scores[i])) return -1;
      if (scores[i] > scores[best]) best = i;
    }
    return best;
  }
};

const MetricRegistration<Accuracy> kRegistration{"Accuracy"};

}  // namespace
}  // namespace strata::plugins
