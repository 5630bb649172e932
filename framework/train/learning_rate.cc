// The optimizer's `lr` times the schedule's factor.
#include "framework/train/learning_rate.h"

#include "framework/plugin/services.h"

namespace strata {

double LearningRate::at(std::int64_t step, std::int64_t total) const {
  const OptionValue* option = train_.optimizer->call().option("lr");
  const double base = option ? std::get<double>(option->data) : 0;
  if (!train_.schedule) return base;
  const Running running({&train_.schedule->entry(), "factor"});
  return base * train_.schedule->functions<strata_schedule>().factor(train_.schedule->raw(), step,
                                                                     total, steps_per_epoch_);
}

}  // namespace strata
