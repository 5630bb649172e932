// Exponential: the learning rate shrinks by a factor each epoch or step, as PyTorch's
// ExponentialLR.
#include <cmath>

#include "plugins/support/warm_up.h"

namespace strata::plugins {
namespace {

class Exponential final : public Schedule {
 public:
  struct Options {
    double gamma = 0.95;
    std::string unit = "epochs";
    std::int64_t warmup = 0;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Multiplies the learning rate by `gamma` after every epoch or step.\n"
            "gamma^epoch, with epochs counted from 0.")
        .example("Exponential(0.97)");
    schema.option("gamma", &Options::gamma)
        .above(0)
        .max(1)
        .doc("what it is multiplied by each time");
    describe_unit(schema);
    describe_warm_up(schema);
    schema.hint_for("decay_rate", "it is called `gamma` here");
  }

  explicit Exponential(const Options& options) : options_(options) {}

  double factor(std::int64_t step, std::int64_t, std::int64_t steps_per_epoch) const {
    const auto times = static_cast<double>(elapsed(options_.unit, step, steps_per_epoch));
    return warm_up(step, options_.warmup) * std::pow(options_.gamma, times);
  }

 private:
  const Options options_;
};

const ScheduleRegistration<Exponential> kRegistration{"Exponential"};

}  // namespace
}  // namespace strata::plugins
