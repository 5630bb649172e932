// Step: the learning rate drops by a factor at equal intervals, as PyTorch's StepLR and Caffe's
// "step".
#include <cmath>

#include "plugins/support/warm_up.h"

namespace strata::plugins {
namespace {

class Step final : public Schedule {
 public:
  struct Options {
    std::int64_t every = 10;
    double gamma = 0.1;
    std::string unit = "epochs";
    std::int64_t warmup = 0;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Multiplies the learning rate by `gamma` every so many epochs or steps.\n"
            "gamma^⌊epoch / every⌋, with epochs counted from 0.")
        .example("Step(30, gamma = 0.1)");
    schema.option("every", &Options::every).min(1).doc("epochs, or steps, between two drops");
    schema.option("gamma", &Options::gamma).above(0).max(1).doc("what each drop multiplies by");
    describe_unit(schema);
    describe_warm_up(schema);
    schema.hint_for("step_size", "it is called `every` here")
        .hint_for("drop", "it is called `gamma` here");
  }

  explicit Step(const Options& options) : options_(options) {}

  double factor(std::int64_t step, std::int64_t, std::int64_t steps_per_epoch) const {
    const std::int64_t drops = elapsed(options_.unit, step, steps_per_epoch) / options_.every;
    return warm_up(step, options_.warmup) * std::pow(options_.gamma, static_cast<double>(drops));
  }

 private:
  const Options options_;
};

const ScheduleRegistration<Step> kRegistration{"Step"};

}  // namespace
}  // namespace strata::plugins
