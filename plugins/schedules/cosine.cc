// Cosine: half a cosine from the full learning rate down (Loshchilov and Hutter, 2017,
// arXiv:1608.03983, without restarts), after a linear warm-up (Goyal et al., 2017,
// arXiv:1706.02677).
#include <algorithm>
#include <cmath>

#include "framework/plugin/schedule.h"

namespace strata::plugins {
namespace {

class Cosine final : public Schedule {
 public:
  struct Options {
    std::int64_t warmup = 0;
    double final_factor = 0;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Lowers the learning rate along half a cosine, after a linear rise over the first "
            "`warmup` steps.\n"
            "With steps counted from 0: (step + 1) / (warmup + 1) while step < warmup; then "
            "final + (1 - final) * (1 + cos(π t)) / 2, where t = (step - warmup) / (steps - "
            "warmup).")
        .example("Cosine(warmup = 100)");
    schema.option("warmup", &Options::warmup)
        .min(0)
        .doc("steps of linear rise; fewer than the run has");
    schema.option("final", &Options::final_factor)
        .min(0)
        .max(1)
        .doc("the factor that the end of the run comes close to");
  }

  explicit Cosine(const Options& options) : options_(options) {}

  double factor(std::int64_t step, std::int64_t total_steps, std::int64_t) const {
    const auto warmup = static_cast<double>(options_.warmup);
    const auto now = static_cast<double>(step);
    if (step < options_.warmup) return (now + 1) / (warmup + 1);
    constexpr double kPi = 3.14159265358979323846;
    const double length = std::max(1.0, static_cast<double>(total_steps) - warmup);
    const double t = std::clamp((now - warmup) / length, 0.0, 1.0);
    return options_.final_factor + (1 - options_.final_factor) * (1 + std::cos(kPi * t)) / 2;
  }

 private:
  const Options options_;
};

const ScheduleRegistration<Cosine> kRegistration{"Cosine"};

}  // namespace
}  // namespace strata::plugins
