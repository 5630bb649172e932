// MultiStep: the learning rate drops by a factor at given epochs, as PyTorch's MultiStepLR and
// Caffe's "multistep".
#include <cmath>
#include <vector>

#include "plugins/support/warm_up.h"

namespace strata::plugins {
namespace {

class MultiStep final : public Schedule {
 public:
  struct Options {
    std::vector<std::int64_t> milestones;
    double gamma = 0.1;
    std::string unit = "epochs";
    std::int64_t warmup = 0;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Multiplies the learning rate by `gamma` at each of some epochs or steps.\n"
            "gamma to the number of milestones that are not after the epoch, counted from 0.")
        .example("MultiStep([80, 120], gamma = 0.1)");
    schema.option("milestones", &Options::milestones)
        .required()
        .min(1)
        .doc("the epochs, or steps, that are over at each drop");
    schema.option("gamma", &Options::gamma).above(0).max(1).doc("what each drop multiplies by");
    describe_unit(schema);
    describe_warm_up(schema);
    schema.hint_for("boundaries", "they are called `milestones` here");
  }

  explicit MultiStep(const Options& options) : options_(options) {}

  double factor(std::int64_t step, std::int64_t, std::int64_t steps_per_epoch) const {
    const std::int64_t now = elapsed(options_.unit, step, steps_per_epoch);
    const auto drops = std::count_if(options_.milestones.begin(), options_.milestones.end(),
                                     [=](std::int64_t milestone) { return milestone <= now; });
    return warm_up(step, options_.warmup) * std::pow(options_.gamma, static_cast<double>(drops));
  }

 private:
  const Options options_;
};

const ScheduleRegistration<MultiStep> kRegistration{"MultiStep"};

}  // namespace
}  // namespace strata::plugins
