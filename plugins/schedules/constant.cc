// Constant: the learning rate stays as the optimizer says, after a warm-up where one is asked for.
#include "plugins/support/warm_up.h"

namespace strata::plugins {
namespace {

class ConstantSchedule final : public Schedule {
 public:
  struct Options {
    std::int64_t warmup = 0;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc("Leaves the learning rate as it is: the factor is 1 at every step after the warm-up.")
        .example("Constant");
    describe_warm_up(schema);
  }

  explicit ConstantSchedule(const Options& options) : warmup_(options.warmup) {}

  double factor(std::int64_t step, std::int64_t, std::int64_t) const {
    return warm_up(step, warmup_);
  }

 private:
  const std::int64_t warmup_;
};

const ScheduleRegistration<ConstantSchedule> kRegistration{"Constant"};

}  // namespace
}  // namespace strata::plugins
