// The learning-rate range test (Smith, 2017, arXiv:1506.01186): a short training in which the rate
// grows by a constant factor from step to step, on weights that nobody keeps. Where the loss falls
// fastest a rate trains well; where it starts to rise, rates are too large.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/graph/program.h"

namespace strata {

inline constexpr std::size_t kFewestRateSteps = 20;  // that say anything

struct LearningRateOptions {
  int threads = 0;  // 0: all
  double from = 1e-7, to = 10;
  std::int64_t steps = 200;  // at most: the test ends where the loss has grown fourfold
  std::string weights;       // a run folder or weights file to start from; empty: the initializers
};

struct LearningRateStep {
  double rate = 0;
  double loss = 0;    // of the step's samples
  double smooth = 0;  // exponential mean of the losses, without the bias of its beginning
};

struct LearningRateRange {
  std::vector<LearningRateStep> steps;
  bool diverged = false;           // the loss grew fourfold, or was no finite number any more
  double fall = 0;                 // of the smooth loss: from its highest to its lowest after that
  double noise = 0;                // deviation of single steps' losses around what they follow
  std::optional<double> steepest;  // the rate where the smooth loss falls fastest
  std::optional<double> lowest;    // the rate where it is lowest
};

// Needs data and a train section. The schedule has no part in it. Writes nothing.
Result<LearningRateRange> learning_rate_range(const Program& program,
                                              const LearningRateOptions& options);

// Where the smooth losses fall fastest over the logarithm of the rate, and where they are lowest.
// Nothing where they never fall, or by no more than noise or rounding would make them.
void suggest_rates(LearningRateRange& range);

}  // namespace strata
