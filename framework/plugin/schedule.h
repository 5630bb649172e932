// How to write a learning-rate schedule: a factor of the optimizer's `lr`, as a function of the
// step.
//
//   double factor(std::int64_t step, std::int64_t total_steps, std::int64_t steps_per_epoch) const;
//   // step from 0 const ScheduleRegistration<Cosine> kRegistration{"Cosine"};
//
// Depends on the standard library alone.
#pragma once

#include <limits>

#include "framework/plugin/registration.h"

namespace strata {

class Schedule {};

namespace [[gnu::visibility("hidden")]] plugin_internal {

template <class S>
double schedule_factor(const void* instance, std::int64_t step, std::int64_t total,
                       std::int64_t per_epoch) {
  try {
    return static_cast<const S*>(instance)->factor(step, total, per_epoch);
  } catch (...) {
    return std::numeric_limits<double>::quiet_NaN();  // the run stops there
  }
}
template <class S>
inline constexpr strata_schedule kScheduleFunctions{sizeof(strata_schedule), &schedule_factor<S>};

}  // namespace gnu::visibility("hidden")]]plugin_internal

template <class S>
using ScheduleRegistration =
    plugin_internal::Registered<S, STRATA_SCHEDULE, plugin_internal::kScheduleFunctions<S>>;

}  // namespace strata
