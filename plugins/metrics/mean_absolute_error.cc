// MeanAbsoluteError: the absolute difference, averaged over all values of all samples.
#include <cmath>

#include "framework/plugin/metric.h"
#include "plugins/support/compare.h"

namespace strata::plugins {
namespace {

class MeanAbsoluteError final : public Metric {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema.doc("The mean of |prediction - target| over all values.")
        .example("MeanAbsoluteError(prediction, target)")
        .inputs({"prediction", "target"});
  }

  explicit MeanAbsoluteError(const Options&) {}

  MetricPlan infer(const std::vector<Input>& inputs) const {
    check_comparable("MeanAbsoluteError", inputs);
    return MetricPlan().accumulator(2).result("mean_absolute_error",
                                              /*higher_is_better=*/false);  // sum, values
  }

  template <class T>
  void update(const MetricPass<T>& pass) const {
    const std::int64_t count = pass.batch() * pass.shape(0).elements();
    each_pair(pass, count, [&](std::int64_t, double prediction, double target) {
      const double difference = prediction - target;
      pass.accumulator()[0] += std::abs(difference);
    });
    pass.accumulator()[1] += static_cast<double>(count);
  }

  void results(const double* accumulator, double* results) const {
    results[0] = accumulator[1] > 0 ? accumulator[0] / accumulator[1] : 0;
  }
};

const MetricRegistration<MeanAbsoluteError> kRegistration{"MeanAbsoluteError"};

}  // namespace
}  // namespace strata::plugins
