// Constant: the learning rate stays as the optimizer says.
#include "framework/plugin/schedule.h"

namespace strata::plugins {
namespace {

class ConstantSchedule final : public Schedule {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema.doc("Leaves the learning rate as it is: the factor is 1 at every step.")
        .example("Constant");
  }

  explicit ConstantSchedule(const Options&) {}

  double factor(std::int64_t, std::int64_t, std::int64_t) const { return 1; }
};

const ScheduleRegistration<ConstantSchedule> kRegistration{"Constant"};

}  // namespace
}  // namespace strata::plugins
