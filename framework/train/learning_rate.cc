// Schedules by the step alone, and schedules with a state.
#include "framework/train/learning_rate.h"

#include <algorithm>

#include "framework/plugin/services.h"

namespace strata {
namespace {

const strata_schedule& functions(const TrainSettings& train) {
  return train.schedule->functions<strata_schedule>();
}

std::string followed_by(const TrainSettings& train) {
  if (!train.schedule || !functions(train).monitored) return {};
  const char* name = functions(train).monitored(train.schedule->raw());
  return name ? name : "";
}

}  // namespace

LearningRate::LearningRate(const Program& program, bool validation, std::int64_t steps_per_epoch)
    : train_(program.train),
      steps_per_epoch_(steps_per_epoch),
      followed_(monitored_figure(program.train, validation, followed_by(program.train))) {}

std::vector<double> LearningRate::start() const {
  if (!train_.schedule || !functions(train_).state_count) return {};
  const std::int64_t count = functions(train_).state_count(train_.schedule->raw());
  return std::vector<double>(static_cast<std::size_t>(std::max<std::int64_t>(count, 0)), 0.0);
}

double LearningRate::at(std::int64_t step, std::int64_t total,
                        const std::vector<double>& state) const {
  const OptionValue* option = train_.optimizer->call().option("lr");
  const double base = option ? std::get<double>(option->data) : 0;
  if (!train_.schedule) return base;
  const Running running({&train_.schedule->entry(), "factor"});
  const strata_schedule& schedule = functions(train_);
  const void* self = train_.schedule->raw();
  return base * (state.empty()
                     ? schedule.factor(self, step, total, steps_per_epoch_)
                     : schedule.factor_after(self, state.data(), step, total, steps_per_epoch_));
}

Status LearningRate::observe(const EpochReport& report, std::vector<double>& state) const {
  if (state.empty()) return {};
  const strata_observation seen{sizeof seen, followed_.higher_is_better, report.epoch,
                                followed_.value(report), state.data()};
  return call_noted(*train_.schedule, "observe", functions(train_).observe, &seen);
}

}  // namespace strata
