// ReduceOnPlateau: the learning rate drops where a figure has not got better for some epochs, with
// the rules of PyTorch's ReduceLROnPlateau.
#include <cmath>

#include "plugins/support/warm_up.h"

namespace strata::plugins {
namespace {

class ReduceOnPlateau final : public Schedule {
 public:
  struct Options {
    double gamma = 0.1;
    std::int64_t patience = 10;
    double threshold = 1e-4;
    bool relative = true;
    std::int64_t cooldown = 0;
    double least = 0;
    std::optional<std::string> monitor;
    std::int64_t warmup = 0;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Multiplies the learning rate by `gamma` where a figure has not got better for more "
            "than `patience` epochs.\n"
            "The figure is looked at after every epoch, and whether more or less of it is better "
            "is the figure's own. What it remembers is in the run's checkpoints.")
        .example("ReduceOnPlateau(gamma = 0.5, patience = 3)");
    schema.option("gamma", &Options::gamma).above(0).below(1).doc("what each drop multiplies by");
    schema.option("patience", &Options::patience)
        .min(0)
        .doc("epochs that may pass without a better figure; the next one is a drop");
    schema.option("threshold", &Options::threshold)
        .min(0)
        .doc("by how much a figure has to be better than the best one to count");
    schema.option("relative", &Options::relative)
        .doc("whether `threshold` is a share of the best figure; false: the difference itself");
    schema.option("cooldown", &Options::cooldown)
        .min(0)
        .doc("epochs after a drop that are not counted");
    schema.option("least", &Options::least).min(0).max(1).doc("the factor never falls below this");
    schema.option("monitor", &Options::monitor)
        .doc("the figure, such as \"val.loss\"; none: that of the setting `monitor`");
    describe_warm_up(schema);
    schema.hint_for("factor", "it is called `gamma` here")
        .hint_for("min_lr", "it is called `least` here, and is a share of the optimizer's `lr`")
        .hint_for("min_delta", "it is called `threshold` here")
        .hint_for("mode", "every figure knows whether more of it is better")
        .hint_for("threshold_mode", "it is called `relative` here: true or false");
  }

  explicit ReduceOnPlateau(const Options& options) : options_(options) {}

  std::int64_t state_count() const { return kStateCount; }
  std::string monitored() const { return options_.monitor.value_or(""); }

  double factor(const double* state, std::int64_t step, std::int64_t, std::int64_t) const {
    return warm_up(step, options_.warmup) * (state[kSeen] > 0 ? state[kFactor] : 1.0);
  }

  void observe(const Observation& seen) const {
    double* state = seen.state();
    if (state[kSeen] == 0) state[kFactor] = 1;
    state[kSeen] += 1;
    if (is_better(seen, state)) {
      state[kHasBest] = 1;
      state[kBest] = seen.figure();
      state[kBad] = 0;
    } else {
      state[kBad] += 1;
    }
    if (state[kCooldown] > 0) {
      state[kCooldown] -= 1;
      state[kBad] = 0;
    }
    if (state[kBad] <= static_cast<double>(options_.patience)) return;
    state[kFactor] = std::max(state[kFactor] * options_.gamma, options_.least);
    state[kCooldown] = static_cast<double>(options_.cooldown);
    state[kBad] = 0;
  }

 private:
  enum State { kSeen, kFactor, kHasBest, kBest, kBad, kCooldown, kStateCount };

  // A figure that is no number is never better.
  bool is_better(const Observation& seen, const double* state) const {
    const double now = seen.figure(), best = state[kBest];
    if (std::isnan(now)) return false;
    if (state[kHasBest] == 0) return true;
    if (options_.relative) {
      return seen.higher_is_better() ? now > best * (1 + options_.threshold)
                                     : now < best * (1 - options_.threshold);
    }
    return seen.higher_is_better() ? now > best + options_.threshold
                                   : now < best - options_.threshold;
  }

  const Options options_;
};

const ScheduleRegistration<ReduceOnPlateau> kRegistration{"ReduceOnPlateau"};

}  // namespace
}  // namespace strata::plugins
