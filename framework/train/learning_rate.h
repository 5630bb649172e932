// The learning rate of each step: the optimizer's `lr` times the schedule's factor.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/graph/program.h"
#include "framework/train/monitor.h"

namespace strata {

class LearningRate {
 public:
  LearningRate(const Program& program, bool validation, std::int64_t steps_per_epoch);

  // The state of a schedule that follows a figure of the run, before the first epoch; empty for
  // others.
  std::vector<double> start() const;
  // Of the step after `step`, in a run of `total` steps.
  double at(std::int64_t step, std::int64_t total, const std::vector<double>& state) const;
  // A whole epoch is over.
  Status observe(const EpochReport& report, std::vector<double>& state) const;

 private:
  const TrainSettings& train_;
  std::int64_t steps_per_epoch_;
  MonitoredFigure followed_;
};

}  // namespace strata
