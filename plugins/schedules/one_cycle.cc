// OneCycle: up to the full learning rate and down to almost nothing, once (Smith and Topin, 2018,
// arXiv:1708.07120), with the two phases of PyTorch's OneCycleLR.
#include <cmath>

#include "plugins/support/warm_up.h"

namespace strata::plugins {
namespace {

class OneCycle final : public Schedule {
 public:
  struct Options {
    double rise = 0.3;
    double start_divisor = 25;
    double final_divisor = 1e4;
    std::string shape = "cosine";
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Raises the learning rate to the optimizer's `lr` in the first part of the run, and "
            "lowers it to almost nothing.\n"
            "From 1 / start_divisor to 1 in the first `rise` of the steps, then down to 1 / "
            "(start_divisor * final_divisor) at the last one, along half a cosine each, or on "
            "lines. Its rise is its warm-up.")
        .example("OneCycle(rise = 0.2)");
    schema.option("rise", &Options::rise)
        .above(0)
        .below(1)
        .doc("the share of the steps before the top");
    schema.option("start_divisor", &Options::start_divisor)
        .min(1)
        .doc("how many times lower it starts");
    schema.option("final_divisor", &Options::final_divisor)
        .min(1)
        .doc("how many times lower than the start it ends");
    schema.option("shape", &Options::shape)
        .choices({"cosine", "linear"})
        .doc("how it goes from one to the other");
    schema.hint_for("max_lr", "the top is the optimizer's `lr`")
        .hint_for("pct_start", "it is called `rise` here")
        .hint_for("div_factor", "it is called `start_divisor` here")
        .hint_for("final_div_factor", "it is called `final_divisor` here")
        .hint_for("anneal_strategy", "it is called `shape` here")
        .hint_for("warmup", "the rise is the warm-up: `rise` is its share of the run");
  }

  explicit OneCycle(const Options& options) : options_(options) {}

  double factor(std::int64_t step, std::int64_t total_steps, std::int64_t) const {
    const double start = 1 / options_.start_divisor, end = start / options_.final_divisor;
    const double last = std::max(1.0, static_cast<double>(total_steps - 1));
    const double top = std::max(0.0, options_.rise * static_cast<double>(total_steps) - 1);
    const double now = static_cast<double>(step);
    if (now < top) return between(start, 1, now / top);
    return between(1, end, std::min(1.0, (now - top) / std::max(1e-9, last - top)));
  }

 private:
  double between(double from, double to, double t) const {
    constexpr double kPi = 3.14159265358979323846;
    if (options_.shape == "linear") return from + (to - from) * t;
    return to + (from - to) * (1 + std::cos(kPi * t)) / 2;
  }

  const Options options_;
};

const ScheduleRegistration<OneCycle> kRegistration{"OneCycle"};

}  // namespace
}  // namespace strata::plugins
