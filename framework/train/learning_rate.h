// The learning rate of each step.
#pragma once

#include <cstdint>

#include "framework/graph/program.h"

namespace strata {

class LearningRate {
 public:
  LearningRate(const TrainSettings& train, std::int64_t steps_per_epoch)
      : train_(train), steps_per_epoch_(steps_per_epoch) {}

  // Of the step after `step`, in a run of `total` steps.
  double at(std::int64_t step, std::int64_t total) const;

 private:
  const TrainSettings& train_;
  std::int64_t steps_per_epoch_;
};

}  // namespace strata
