// Polynomial: the learning rate goes down along a power of what is left of the run, a straight line
// for power 1, as PyTorch's PolynomialLR, Keras' PolynomialDecay and Caffe's "poly".
#include <cmath>

#include "plugins/support/warm_up.h"

namespace strata::plugins {
namespace {

class Polynomial final : public Schedule {
 public:
  struct Options {
    double power = 1;
    double final_factor = 0;
    std::int64_t warmup = 0;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Lowers the learning rate along a power of what is left of the run: a line for power "
            "1.\n"
            "With steps counted from 0: final + (1 - final) * (1 - t)^power, where t = (step - "
            "warmup) / (steps - warmup).")
        .example("Polynomial(power = 2, warmup = 100)");
    schema.option("power", &Options::power).above(0).doc("1 is a straight line");
    schema.option("final", &Options::final_factor)
        .min(0)
        .max(1)
        .doc("the factor that the end of the run comes close to");
    describe_warm_up(schema);
    schema.hint_for("end_learning_rate", "`final` is the end's share of the optimizer's lr")
        .hint_for("total_iters", "it ends with the run");
  }

  explicit Polynomial(const Options& options) : options_(options) {}

  double factor(std::int64_t step, std::int64_t total_steps, std::int64_t) const {
    const double left = 1 - progress(step, total_steps, options_.warmup);
    return warm_up(step, options_.warmup) *
           (options_.final_factor + (1 - options_.final_factor) * std::pow(left, options_.power));
  }

 private:
  const Options options_;
};

const ScheduleRegistration<Polynomial> kRegistration{"Polynomial"};

}  // namespace
}  // namespace strata::plugins
