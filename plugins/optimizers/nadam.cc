// NAdam: Adam with Nesterov's momentum (Dozat, ICLR workshop 2016), with the arithmetic and the
// momentum schedule of PyTorch's torch.optim.NAdam.
#include "plugins/support/descent.h"

namespace strata::plugins {
namespace {

class NAdam final : public Optimizer {
 public:
  struct Options {
    double lr = 2e-3;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double eps = 1e-8;
    double momentum_decay = 4e-3;
    double weight_decay = 0;
    bool decay_all = false;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Adam that looks ahead along its momentum, as Nesterov's does.\n"
            "g = gradient + weight_decay * w; m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 "
            "- beta2) * g²; w = w - lr * (μ' * m / (1 - Π μ * μ') + (1 - μ) * g / (1 - Π μ)) / (√v̂ "
            "+ eps), where μ of step t is beta1 * (1 - 0.96^(t * momentum_decay) / 2), μ' that of "
            "the next step, Π μ the product up to now, and v̂ = v / (1 - beta2^step).")
        .example("NAdam(lr = 2e-3)");
    describe_rate(schema);
    describe_betas(schema, kFirstBeta, kSecondBeta);
    describe_eps(schema, "added to the root of the squared average");
    schema.option("momentum_decay", &Options::momentum_decay)
        .min(0)
        .doc("how fast the momentum rises from half of beta1 to beta1");
    describe_decay(schema, Decay::kInGradient);
  }

  explicit NAdam(const Options& options) : options_(options) {}

  std::vector<std::string> slots() const { return {"exp_avg", "exp_avg_sq"}; }

  template <class T>
  void update(const UpdatePass<T>& pass) const {
    const double now = momentum(pass.step()), next = momentum(pass.step() + 1);
    const double product = momentum_product(pass.step());
    const double correction2 = 1 - std::pow(options_.beta2, static_cast<double>(pass.step()));
    const auto keep1 = static_cast<T>(options_.beta1), take1 = static_cast<T>(1 - options_.beta1);
    const auto keep2 = static_cast<T>(options_.beta2), take2 = static_cast<T>(1 - options_.beta2);
    const auto of_gradient = static_cast<T>(pass.learning_rate() * (1 - now) / (1 - product));
    const auto of_average = static_cast<T>(pass.learning_rate() * next / (1 - product * next));
    const auto root = static_cast<T>(1 / std::sqrt(correction2));
    const auto eps = static_cast<T>(options_.eps);
    const T decay = decay_of(options_, pass);
    const std::int64_t count = pass.count();
    T* __restrict w = pass.weights();
    T* __restrict average = pass.slot(0);
    T* __restrict square = pass.slot(1);
    const T* __restrict gradient = pass.gradient();
    for (std::int64_t i = 0; i < count; ++i) {
      const T g = gradient[i] + decay * w[i];
      const T m = keep1 * average[i] + take1 * g;
      const T v = keep2 * square[i] + take2 * (g * g);
      average[i] = m;
      square[i] = v;
      w[i] -= (of_gradient * g + of_average * m) / (std::sqrt(v) * root + eps);
    }
  }

 private:
  double momentum(std::int64_t step) const {
    const double exponent = static_cast<double>(step) * options_.momentum_decay;
    return options_.beta1 * (1 - 0.5 * std::pow(0.96, exponent));
  }
  // Of steps 1 to `step`. What is left of it after some hundred steps no longer matters beside 1.
  double momentum_product(std::int64_t step) const {
    double product = 1;
    for (std::int64_t i = 1; i <= step && product > 1e-18; ++i) product *= momentum(i);
    return product;
  }

  const Options options_;
};

const OptimizerRegistration<NAdam> kRegistration{"NAdam"};

}  // namespace
}  // namespace strata::plugins
