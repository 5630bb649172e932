// The checks of metrics.
#include "framework/plugin/testing/target_case.h"

namespace strata::conformance {
namespace {

template <class T>
std::vector<double> accumulate(Checker& checker, const Instance& metric, const InferredPlan& plan,
                               const TargetCase& c, const std::vector<std::int64_t>& cuts,
                               bool finite = true) {
  Buffer<double> accumulator(plan.accumulator);
  accumulator.fill(0);
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    TargetBuffers<T> buffers(c, cuts[i], cuts[i + 1] - cuts[i]);
    strata_metric_pass raw{};
    raw.struct_size = sizeof raw;
    raw.dtype = dtype_of<T>();
    raw.batch = cuts[i + 1] - cuts[i];
    raw.shapes = buffers.shapes.data();
    raw.inputs = buffers.pointers.data();
    raw.accumulator = accumulator.data();
    const Status done = call_plugin(metric.functions<strata_metric>().update, metric.raw(), &raw);
    checker.expect(buffers.intact() && accumulator.intact(), "writes outside of its buffers");
    if (!done && !finite) {
      checker.expect_sentence(done.error(), "refuses it");
      return {};
    }
    checker.expect_ok(done, "update");
  }
  checker.expect(accumulator.intact(), "writes outside of its accumulator");
  Buffer<double> results(static_cast<std::int64_t>(plan.results.size()));
  checker.expect_ok(call_plugin(metric.functions<strata_metric>().results, metric.raw(),
                                static_cast<const double*>(accumulator.data()), results.data()),
                    "results");
  checker.expect(results.intact(), "writes more results than it declared");
  checker.expect(!finite || all_finite(results.values()), "a result is not finite, or not written");
  return results.values();
}

void check_metric_case(Checker& checker, const Instance& metric, const InferredPlan& plan,
                       const TargetCase& c) {
  checker.expect(!plan.results.empty(), "has no results");
  checker.expect(plan.accumulator > 0, "accumulates nothing");
  for (const auto& result : plan.results) {
    checker.expect(is_snake_case(result.name), "the result `{}` is not in snake_case", result.name);
  }
  const auto whole = accumulate<double>(checker, metric, plan, c, {0, kBatch});
  checker.expect(
      deviation(accumulate<double>(checker, metric, plan, c, {0, 1, 4, kBatch}), whole) < 1e-12,
      "results depend on how samples are cut into batches");
  checker.expect(deviation(accumulate<float>(checker, metric, plan, c, {0, kBatch}), whole) < 1e-4,
                 "results differ between f32 and f64");
}

// Real predictions, then real targets, are all NaN. A figure of that may be anything but a better
// one than that of numbers.
void check_metric_nan(Checker& checker, const Instance& metric, const InferredPlan& plan,
                      const TargetCase& c) {
  const std::vector<std::int64_t> whole{0, kBatch}, parts{0, 1, 4, kBatch};
  const auto before = accumulate<float>(checker, metric, plan, c, whole);
  for (const bool targets : {false, true}) {
    TargetCase spoilt = c, one = c;
    bool any = false;
    for (std::size_t b = 0; b < c.inputs.size(); ++b) {
      if (c.inputs[b].dtype != STRATA_REAL || c.inputs[b].is_target != targets) continue;
      std::fill(spoilt.values[b].begin(), spoilt.values[b].end(), std::nan(""));
      one.values[b][one.values[b].size() / 2] = std::nan("");
      any = true;
    }
    if (!any) continue;
    const char* what = targets ? "target" : "prediction";
    const auto after = accumulate<float>(checker, metric, plan, spoilt, whole, false);
    if (after.empty()) {
      checker.saw_nan(NanHandling::kRefused);
      continue;
    }
    bool better = false, worse = false, shown = false;
    for (std::size_t r = 0; r < after.size(); ++r) {
      const bool up = plan.results[r].higher_is_better;
      shown = shown || !std::isfinite(after[r]);
      better = better || (up ? after[r] > before[r] : after[r] < before[r]);
      worse = worse || (up ? after[r] < before[r] : after[r] > before[r]);
    }
    const bool swallowed = !shown && better && !worse;
    checker.saw_nan(shown       ? NanHandling::kPropagated
                    : swallowed ? NanHandling::kSwallowed
                                : NanHandling::kCounted);
    checker.expect(!swallowed, "swallows NaN: where every {} is NaN, `{}` is {} and not {}", what,
                   plan.results[0].name, after[0], before[0]);
    const auto together = accumulate<float>(checker, metric, plan, one, whole, false);
    const auto apart = accumulate<float>(checker, metric, plan, one, parts, false);
    checker.expect(
        std::equal(together.begin(), together.end(), apart.begin(), apart.end(),
                   [](double a, double b) {
                     return std::isnan(a) ? std::isnan(b) : std::abs(a - b) <= 1e-9 * std::abs(a);
                   }),
        "results with a NaN among the {}s depend on how samples are cut into batches", what);
  }
}

}  // namespace

void check_metric(Checker& checker) {
  check_all_cases(checker,
                  [&](const Instance& metric, const InferredPlan& plan, const TargetCase& c) {
                    check_metric_case(checker, metric, plan, c);
                    checker.begin(checker.context + ", with NaN");
                    check_metric_nan(checker, metric, plan, c);
                  });
}

}  // namespace strata::conformance
