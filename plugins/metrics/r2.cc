// R2: the coefficient of determination, 1 - Σ (target - prediction)² / Σ (target - mean)², averaged
// over outputs as scikit-learn's r2_score does.
#include "framework/plugin/metric.h"
#include "plugins/support/compare.h"

namespace strata::plugins {
namespace {

class R2 final : public Metric {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "The share of the target's variance that the prediction explains: 1 is perfect, 0 is "
            "as "
            "good as the mean.\n"
            "1 - Σ (target - prediction)² / Σ (target - mean of the targets)², averaged over the "
            "values of a sample. A target that never changes counts as 1 where it is met, else "
            "as 0.")
        .example("R2(prediction, target)")
        .inputs({"prediction", "target"});
  }

  explicit R2(const Options&) {}

  MetricPlan infer(const std::vector<Input>& inputs) const {
    check_comparable("R2", inputs);
    // Values per sample, samples; then per value the target's mean, Σ (target - mean)² and Σ
    // error².
    return MetricPlan().accumulator(2 + 3 * inputs[0].shape.elements()).result("r2");
  }

  // Means and squares by Welford's recurrence (1962).
  template <class T>
  void update(const MetricPass<T>& pass) const {
    const std::int64_t n = pass.shape(0).elements();
    double* accumulator = pass.accumulator();
    accumulator[0] = static_cast<double>(n);
    each_pair(pass, pass.batch() * n, [&](std::int64_t i, double prediction, double target) {
      if (i % n == 0) accumulator[1] += 1;
      double* sums = accumulator + 2 + 3 * (i % n);
      const double before = target - sums[0];
      sums[0] += before / accumulator[1];
      sums[1] += before * (target - sums[0]);
      sums[2] += (prediction - target) * (prediction - target);
    });
  }

  void results(const double* accumulator, double* results) const {
    const auto n = static_cast<std::int64_t>(accumulator[0]);
    results[0] = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const double* sums = accumulator + 2 + 3 * i;
      // Of targets that are all alike; 0, or a NaN that is passed on, where there is no error.
      const double constant = sums[2] > 0 ? 1.0 : sums[1] + sums[2];
      const double unexplained = sums[1] > 0 ? sums[2] / sums[1] : constant;
      results[0] += (1 - unexplained) / static_cast<double>(n);
    }
  }
};

const MetricRegistration<R2> kRegistration{"R2"};

}  // namespace
}  // namespace strata::plugins
