// LAMB: Adam's direction, as far in each layer as the layer's weights are large (You et al., 2020,
// arXiv:1904.00962, algorithm 2), for large batches.
#include "plugins/support/descent.h"

namespace strata::plugins {
namespace {

class LAMB final : public Optimizer {
 public:
  struct Options {
    double lr = 1e-3;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double eps = 1e-6;
    double weight_decay = 0.01;
    bool decay_all = false;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Adam's direction with steps that are in proportion to the length of each parameter, "
            "for "
            "large batches.\n"
            "m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g²; r = m̂ / (√v̂ + "
            "eps) + weight_decay * w, with m̂ = m / (1 - beta1^step) and v̂ = v / (1 - "
            "beta2^step); w = w - lr * ‖w‖ / ‖r‖ * r, with lengths over a whole weight matrix or "
            "bias. A length of 0 counts as a ratio of 1.")
        .example("LAMB(lr = 2e-3, weight_decay = 0.01)");
    describe_rate(schema);
    describe_betas(schema, kFirstBeta, kSecondBeta);
    describe_eps(schema, "added to the root of the squared average");
    schema.option("weight_decay", &Options::weight_decay)
        .min(0)
        .doc("added to the direction: weight_decay * w; on weights, not on biases and norms");
    schema.option("decay_all", &Options::decay_all)
        .doc("apply weight decay to biases and norms too");
  }

  explicit LAMB(const Options& options) : options_(options) {}

  std::vector<std::string> slots() const { return {"exp_avg", "exp_avg_sq"}; }

  // direction() may be where the gradient is: no __restrict on either.
  template <class T>
  void direct(const UpdatePass<T>& pass) const {
    const auto step = static_cast<double>(pass.step());
    const auto keep1 = static_cast<T>(options_.beta1), take1 = static_cast<T>(1 - options_.beta1);
    const auto keep2 = static_cast<T>(options_.beta2), take2 = static_cast<T>(1 - options_.beta2);
    const auto scale = static_cast<T>(1 / (1 - std::pow(options_.beta1, step)));
    const auto root = static_cast<T>(1 / std::sqrt(1 - std::pow(options_.beta2, step)));
    const auto eps = static_cast<T>(options_.eps);
    const T decay = decay_of(options_, pass);
    const T* __restrict w = pass.weights();
    T* __restrict average = pass.slot(0);
    T* __restrict square = pass.slot(1);
    const T* gradient = pass.gradient();
    T* direction = pass.direction();
    const std::int64_t count = pass.count();
    for (std::int64_t i = 0; i < count; ++i) {
      const T g = gradient[i];
      const T m = keep1 * average[i] + take1 * g;
      const T v = keep2 * square[i] + take2 * (g * g);
      average[i] = m;
      square[i] = v;
      direction[i] = m * scale / (std::sqrt(v) * root + eps) + decay * w[i];
    }
  }

  template <class T>
  void update(const UpdatePass<T>& pass) const {
    const bool both = pass.weight_norm() > 0 && pass.direction_norm() > 0;
    const double ratio = both ? pass.weight_norm() / pass.direction_norm() : 1.0;
    const auto rate = static_cast<T>(pass.learning_rate() * ratio);
    T* __restrict w = pass.weights();
    const T* __restrict direction = pass.direction();
    const std::int64_t count = pass.count();
    for (std::int64_t i = 0; i < count; ++i) w[i] -= rate * direction[i];
  }

 private:
  const Options options_;
};

const OptimizerRegistration<LAMB> kRegistration{"LAMB"};

}  // namespace
}  // namespace strata::plugins
