// MyPlugin: a straight line down. A schedule to begin from.
#include <algorithm>

#include "framework/plugin/schedule.h"

namespace {

using namespace strata;

class MyPlugin final : public Schedule {
 public:
  struct Options {
    double final_factor = 0;
  };

  static void describe(Schema<Options>& schema) {
    schema.doc("Lowers the learning rate along a straight line.").example("MyPlugin(final = 0.1)");
    schema.option("final", &Options::final_factor)
        .min(0)
        .max(1)
        .doc("the factor at the end of the run");
  }

  explicit MyPlugin(const Options& options) : final_(options.final_factor) {}

  // step counts from 0
  double factor(std::int64_t step, std::int64_t total_steps, std::int64_t) const {
    const double t =
        static_cast<double>(step) / static_cast<double>(std::max<std::int64_t>(1, total_steps));
    return 1 + (final_ - 1) * std::clamp(t, 0.0, 1.0);
  }

 private:
  const double final_;
};

const ScheduleRegistration<MyPlugin> kRegistration{"MyPlugin"};

}  // namespace

STRATA_PLUGIN("my_plugin", "1.0");
