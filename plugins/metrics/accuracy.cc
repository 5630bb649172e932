// Accuracy: the share of samples whose largest value is that of the right class.
#include "framework/plugin/metric.h"
#include "plugins/support/class_scores.h"

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
    check_class_scores("Accuracy", inputs);
    return MetricPlan().accumulator(2).result("accuracy");  // right, all
  }

  // scores: [batch, classes]; label: [batch]
  template <class T>
  void update(const MetricPass<T>& pass) const {
    const std::int64_t classes = pass.shape(0)[0];
    std::int64_t right = 0;
    for (std::int64_t sample = 0; sample < pass.batch(); ++sample) {
      right += predicted_class(pass.input(0) + sample * classes, classes) == pass.labels(1)[sample];
    }
    pass.accumulator()[0] += static_cast<double>(right);
    pass.accumulator()[1] += static_cast<double>(pass.batch());
  }

  void results(const double* accumulator, double* results) const {
    results[0] = accumulator[1] > 0 ? accumulator[0] / accumulator[1] : 0;
  }
};

const MetricRegistration<Accuracy> kRegistration{"Accuracy"};

}  // namespace
}  // namespace strata::plugins
