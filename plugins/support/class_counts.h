// What Precision, Recall and F1 share: how often each class is predicted, is right, and is both,
// and which figures are made from that.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "framework/plugin/metric.h"
#include "plugins/support/class_scores.h"

namespace strata::plugins {

struct ClassCount {
  double both, predicted, actual;  // samples
};

inline double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

// Self::kName is its name, Self::kResult what it reports, Self::of(ClassCount) its value for a
// class.
template <class Self>
class ClassCounts : public Metric {
 public:
  struct Options {
    std::string average = "macro";
    std::optional<std::int64_t> of_class;
  };

  static void describe_options(Schema<Options>& schema) {
    schema.option("average", &Options::average)
        .choices({"macro", "micro", "per_class"})
        .doc(
            "\"macro\": the mean over the classes that occur; \"micro\": all samples together; "
            "\"per_class\": a figure for each class");
    schema.option("of_class", &Options::of_class)
        .min(0)
        .doc("the figure of this class alone, such as 1 for the positive one of two");
    schema.hint_for("class_id", "it is called `of_class` here")
        .hint_for("pos_label", "it is called `of_class` here")
        .hint_for("num_classes", "the number of classes is that of the model's values");
    schema.inputs({"logits", "label"});
  }

  explicit ClassCounts(const Options& options) : options_(options) {}

  MetricPlan infer(const std::vector<Input>& inputs) const {
    const std::int64_t classes = check_class_scores(Self::kName, inputs);
    if (options_.of_class && *options_.of_class >= classes) {
      throw PluginError(text("there is no class ", *options_.of_class, ": `", inputs[0].name,
                             "` has ", classes, ", from 0 to ", classes - 1));
    }
    MetricPlan plan;
    plan.accumulator(1 + 3 * classes);  // the number of classes, then the counts of each
    if (options_.of_class) return plan.result(text(Self::kResult, "_", *options_.of_class));
    if (options_.average != "per_class") return plan.result(Self::kResult);
    for (std::int64_t c = 0; c < classes; ++c) plan.result(text(Self::kResult, "_", c));
    return plan;
  }

  // scores: [batch, classes]; label: [batch]
  template <class T>
  void update(const MetricPass<T>& pass) const {
    const std::int64_t values = pass.shape(0)[0], classes = values == 1 ? 2 : values;
    check_labels(pass.labels(1), pass.batch(), classes);
    pass.accumulator()[0] = static_cast<double>(classes);
    auto* counts = pass.accumulator() + 1;
    for (std::int64_t sample = 0; sample < pass.batch(); ++sample) {
      const std::int64_t label = pass.labels(1)[sample];
      const std::int64_t predicted = predicted_class(pass.input(0) + sample * values, values);
      counts[3 * label + 2] += 1;
      if (predicted >= 0) counts[3 * predicted + 1] += 1;
      if (predicted == label) counts[3 * label] += 1;
    }
  }

  void results(const double* accumulator, double* results) const {
    const auto classes = static_cast<std::int64_t>(accumulator[0]);
    const auto count = [&](std::int64_t c) {
      const double* counts = accumulator + 1 + 3 * c;
      return ClassCount{counts[0], counts[1], counts[2]};
    };
    if (options_.of_class) {
      results[0] = classes > 0 ? Self::of(count(*options_.of_class)) : 0;
      return;
    }
    if (options_.average == "per_class") {
      for (std::int64_t c = 0; c < classes; ++c) results[c] = Self::of(count(c));
      return;
    }
    ClassCount all{};
    double sum = 0, occurring = 0;
    for (std::int64_t c = 0; c < classes; ++c) {
      const ClassCount one = count(c);
      all = {all.both + one.both, all.predicted + one.predicted, all.actual + one.actual};
      sum += Self::of(one);
      occurring += one.predicted + one.actual > 0;
    }
    results[0] = options_.average == "micro" ? Self::of(all) : share(sum, occurring);
  }

 private:
  const Options options_;
};

}  // namespace strata::plugins
