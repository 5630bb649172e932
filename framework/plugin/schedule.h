// How to write a learning-rate schedule: a factor of the optimizer's `lr`, as a function of the
// step.
//
//   double factor(std::int64_t step, std::int64_t total_steps, std::int64_t steps_per_epoch) const;
//   // step from 0
//   const ScheduleRegistration<Cosine> kRegistration{"Cosine"};
//
// One that follows a figure of the run (ReduceOnPlateau) keeps all it has to remember in a few
// doubles, which begin as zeros and are saved with the run:
//
//   std::int64_t state_count() const;
//   std::string monitored() const;                  // "val.loss"; empty: the run's own `monitor`
//   void observe(const Observation& seen) const;    // at the end of an epoch: moves seen.state()
//   on double factor(const double* state, std::int64_t step, std::int64_t total_steps,
//                 std::int64_t steps_per_epoch) const;
//
// Depends on the standard library alone.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "framework/plugin/registration.h"

namespace strata {

class Schedule {};

class Observation {
 public:
  explicit Observation(const strata_observation* raw) : raw_(raw) {}
  std::int64_t epoch() const { return raw_->epoch; }  // that is over, from 1
  double figure() const { return raw_->figure; }
  bool higher_is_better() const { return raw_->higher_is_better != 0; }
  double* state() const { return raw_->state; }

 private:
  const strata_observation* raw_;
};

namespace [[gnu::visibility("hidden")]] plugin_internal {

template <class S>
concept HasState = requires(const S& schedule) {
  schedule.state_count();
};

template <class S>
double schedule_factor(const void* instance, std::int64_t step, std::int64_t total,
                       std::int64_t per_epoch) {
  try {
    const S& schedule = *static_cast<const S*>(instance);
    if constexpr (HasState<S>) {
      const std::vector<double> state(static_cast<std::size_t>(schedule.state_count()));
      return schedule.factor(state.data(), step, total, per_epoch);
    } else {
      return schedule.factor(step, total, per_epoch);
    }
  } catch (...) {
    return std::numeric_limits<double>::quiet_NaN();  // the run stops there
  }
}
template <class S>
double schedule_factor_after(const void* instance, const double* state, std::int64_t step,
                             std::int64_t total, std::int64_t per_epoch) {
  try {
    return static_cast<const S*>(instance)->factor(state, step, total, per_epoch);
  } catch (...) {
    return std::numeric_limits<double>::quiet_NaN();
  }
}
template <class S>
std::int64_t schedule_state_count(const void* instance) {
  return static_cast<const S*>(instance)->state_count();
}
template <class S>
const char* schedule_monitored(const void* instance) {
  thread_local std::string name;
  try {
    name = static_cast<const S*>(instance)->monitored();
    return name.c_str();
  } catch (...) {
    return nullptr;
  }
}
template <class S>
int schedule_observe(const void* instance, const strata_observation* seen, strata_error* error) {
  return guarded(error, [&] { static_cast<const S*>(instance)->observe(Observation(seen)); });
}
template <class S>
constexpr strata_schedule schedule_functions() {
  strata_schedule table{};
  table.struct_size = sizeof table;
  table.factor = &schedule_factor<S>;
  if constexpr (HasState<S>) {
    table.state_count = &schedule_state_count<S>;
    table.monitored = &schedule_monitored<S>;
    table.observe = &schedule_observe<S>;
    table.factor_after = &schedule_factor_after<S>;
  }
  return table;
}
template <class S>
inline constexpr strata_schedule kScheduleFunctions = schedule_functions<S>();

}  // namespace gnu::visibility("hidden")]]plugin_internal

template <class S>
using ScheduleRegistration =
    plugin_internal::Registered<S, STRATA_SCHEDULE, plugin_internal::kScheduleFunctions<S>>;

}  // namespace strata
