// What schedules share: a linear warm-up (Goyal et al., 2017, arXiv:1706.02677), and counting in
// epochs or steps.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "framework/plugin/schedule.h"

namespace strata::plugins {

template <class Options>
void describe_warm_up(Schema<Options>& schema) {
  schema.template option<std::int64_t>("warmup", &Options::warmup)
      .min(0)
      .doc(
          "steps of linear rise at the start; the factor is multiplied by (step + 1) / (warmup + "
          "1)");
}

// What the factor is multiplied by at `step` (from 0).
inline double warm_up(std::int64_t step, std::int64_t warmup) {
  return step < warmup ? static_cast<double>(step + 1) / static_cast<double>(warmup + 1) : 1.0;
}

template <class Options>
void describe_unit(Schema<Options>& schema) {
  schema.template option<std::string>("unit", &Options::unit)
      .choices({"epochs", "steps"})
      .doc("what it counts in");
}

// Whole epochs, or steps, that are over.
inline std::int64_t elapsed(const std::string& unit, std::int64_t step,
                            std::int64_t steps_per_epoch) {
  return unit == "steps" ? step : step / std::max<std::int64_t>(1, steps_per_epoch);
}

// How far the run is after its warm-up, from 0 to 1.
inline double progress(std::int64_t step, std::int64_t total_steps, std::int64_t warmup) {
  const double length = std::max(1.0, static_cast<double>(total_steps - warmup));
  return std::clamp(static_cast<double>(step - warmup) / length, 0.0, 1.0);
}

}  // namespace strata::plugins
