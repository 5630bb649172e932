// ConfusionMatrix: how many samples of each class are predicted to be of each class, rows being the
// right classes, as in scikit-learn and torchmetrics.
#include "framework/plugin/metric.h"
#include "plugins/support/class_scores.h"

namespace strata::plugins {
namespace {

class ConfusionMatrix final : public Metric {
 public:
  struct Options {
    bool normalize = false;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "How many samples of each class are predicted to be of each class.\n"
            "The figure confusion_i_j counts samples of class i that are taken for class j; with "
            "`normalize`, as a share of the samples of class i. For at most 32 classes. Samples "
            "with a NaN are in no column.")
        .example("ConfusionMatrix(logits, label)")
        .inputs({"logits", "label"});
    schema.option("normalize", &Options::normalize)
        .doc("divide by the number of samples of the row's class");
  }

  explicit ConfusionMatrix(const Options& options) : normalize_(options.normalize) {}

  MetricPlan infer(const std::vector<Input>& inputs) const {
    const std::int64_t classes = check_class_scores("ConfusionMatrix", inputs);
    if (classes > kMost) {
      throw PluginError(
          text("a matrix of ", classes, " × ", classes,
               " figures is asked for, and ConfusionMatrix is for at most ", kMost, " classes"),
          "Recall(average = \"per_class\") has one figure per class");
    }
    MetricPlan plan;
    plan.accumulator(1 + classes * (classes + 1));  // classes; per class its row and its samples
    for (std::int64_t i = 0; i < classes; ++i) {
      for (std::int64_t j = 0; j < classes; ++j) plan.result(text("confusion_", i, "_", j), i == j);
    }
    return plan;
  }

  // scores: [batch, classes]; label: [batch]
  template <class T>
  void update(const MetricPass<T>& pass) const {
    const std::int64_t values = pass.shape(0)[0], classes = values == 1 ? 2 : values;
    check_labels(pass.labels(1), pass.batch(), classes);
    pass.accumulator()[0] = static_cast<double>(classes);
    for (std::int64_t sample = 0; sample < pass.batch(); ++sample) {
      double* row = pass.accumulator() + 1 + pass.labels(1)[sample] * (classes + 1);
      const std::int64_t predicted = predicted_class(pass.input(0) + sample * values, values);
      if (predicted >= 0) row[predicted] += 1;
      row[classes] += 1;
    }
  }

  void results(const double* accumulator, double* results) const {
    const auto classes = static_cast<std::int64_t>(accumulator[0]);
    for (std::int64_t i = 0; i < classes; ++i) {
      const double* row = accumulator + 1 + i * (classes + 1);
      const double divisor = normalize_ && row[classes] > 0 ? row[classes] : 1;
      for (std::int64_t j = 0; j < classes; ++j) results[i * classes + j] = row[j] / divisor;
    }
  }

 private:
  static constexpr std::int64_t kMost = 32;
  const bool normalize_;
};

const MetricRegistration<ConfusionMatrix> kRegistration{"ConfusionMatrix"};

}  // namespace
}  // namespace strata::plugins
