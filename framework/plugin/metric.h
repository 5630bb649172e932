// How to write a metric: doubles accumulated over the batches of an epoch, and figures made from
// them at its end.
//
//   MetricPlan infer(const std::vector<Input>& inputs) const { return
//   MetricPlan().accumulator(2).result("accuracy"); } template <class T> void update(const
//   MetricPass<T>& pass) const;           // adds to pass.accumulator() void results(const double*
//   accumulator, double* results) const; const MetricRegistration<Accuracy>
//   kRegistration{"Accuracy"};
//
// Depends on the standard library alone.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "framework/plugin/pass.h"
#include "framework/plugin/registration.h"

namespace strata {

class MetricPlan {
 public:
  MetricPlan& accumulator(std::int64_t doubles) { return doubles_ = doubles, *this; }
  // Snake case: shows as train.accuracy and val.accuracy.
  MetricPlan& result(std::string name, bool higher_is_better = true) {
    return results_.emplace_back(std::move(name), higher_is_better), *this;
  }
  void write(strata_plan* plan) const {
    plan->set_accumulator(plan->host, doubles_);
    for (const auto& [name, higher] : results_) plan->add_result(plan->host, name.c_str(), higher);
  }

 private:
  std::int64_t doubles_ = 0;
  std::vector<std::pair<std::string, bool>> results_;
};

template <class T>
class MetricPass {
 public:
  explicit MetricPass(const strata_metric_pass* raw) : raw_(raw) {}
  std::int64_t batch() const { return raw_->batch; }
  Shape shape(int i) const { return plugin_internal::to_shape(raw_->shapes[i]); }  // per sample
  const T* input(int i) const { return static_cast<const T*>(raw_->inputs[i]); }
  const std::int32_t* labels(int i) const {
    return static_cast<const std::int32_t*>(raw_->inputs[i]);
  }
  double* accumulator() const { return raw_->accumulator; }

 private:
  const strata_metric_pass* raw_;
};

class Metric {};

namespace [[gnu::visibility("hidden")]] plugin_internal {

template <class M>
int metric_infer(const void* instance, const strata_input* inputs, std::int64_t count,
                 strata_plan* plan, strata_error* error) {
  return guarded(
      error, [&] { static_cast<const M*>(instance)->infer(to_inputs(inputs, count)).write(plan); });
}
template <class M>
int metric_update(const void* instance, const strata_metric_pass* pass, strata_error* error) {
  return guarded(error, [&] {
    const M& metric = *static_cast<const M*>(instance);
    if (pass->dtype == STRATA_F32) {
      metric.update(MetricPass<float>(pass));
    } else {
      metric.update(MetricPass<double>(pass));
    }
  });
}
template <class M>
int metric_results(const void* instance, const double* accumulator, double* results,
                   strata_error* error) {
  return guarded(error, [&] { static_cast<const M*>(instance)->results(accumulator, results); });
}
template <class M>
inline constexpr strata_metric kMetricFunctions{sizeof(strata_metric), &metric_infer<M>,
                                                &metric_update<M>, &metric_results<M>};

}  // namespace gnu::visibility("hidden")]]plugin_internal

template <class M>
using MetricRegistration =
    plugin_internal::Registered<M, STRATA_METRIC, plugin_internal::kMetricFunctions<M>>;

}  // namespace strata
