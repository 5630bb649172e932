// Adam: steps scaled by running averages of the gradient and its square (Kingma and Ba, 2015,
// arXiv:1412.6980), with the arithmetic of PyTorch's torch.optim.Adam.
#include <cmath>

#include "plugins/support/descent.h"

namespace strata::plugins {
namespace {

class Adam final : public Optimizer {
 public:
  struct Options {
    double lr = 1e-3;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double eps = 1e-8;
    double weight_decay = 0;
    bool decay_all = false;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Scales each weight's step by running averages of its gradient and of the gradient's "
            "square.\n"
            "g = gradient + weight_decay * w; m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 "
            "- beta2) * g²; "
            "w = w - lr * m̂ / (√v̂ + eps), with m̂ = m / (1 - beta1^step) and v̂ = v / (1 - "
            "beta2^step).")
        .example("Adam(lr = 1e-3)");
    schema.option("lr", &Options::lr).min(0).doc("learning rate, before the schedule's factor");
    schema.option("beta1", &Options::beta1)
        .min(0)
        .below(1)
        .doc("weight of the old average of the gradient");
    schema.option("beta2", &Options::beta2)
        .min(0)
        .below(1)
        .doc("weight of the old average of the squared gradient");
    schema.option("eps", &Options::eps).above(0).doc("added to the root of the squared average");
    schema.option("weight_decay", &Options::weight_decay)
        .min(0)
        .doc("added to the gradient: weight_decay * w; on weights, not on biases and norms");
    schema.option("decay_all", &Options::decay_all)
        .doc("apply weight decay to biases and norms too");
    schema.hint_for("learning_rate", "it is called `lr` here")
        .hint_for("betas", "they are called `beta1` and `beta2` here")
        .hint_for("beta_1", "it is called `beta1` here")
        .hint_for("beta_2", "it is called `beta2` here")
        .hint_for("epsilon", "it is called `eps` here");
  }

  explicit Adam(const Options& options) : options_(options) {}

  std::vector<std::string> slots() const { return {"exp_avg", "exp_avg_sq"}; }

  template <class T>
  void update(const UpdatePass<T>& pass) const {
    const auto step = static_cast<double>(pass.step());
    const double correction1 = 1 - std::pow(options_.beta1, step);
    const double correction2 = 1 - std::pow(options_.beta2, step);
    const auto keep1 = static_cast<T>(options_.beta1), take1 = static_cast<T>(1 - options_.beta1);
    const auto keep2 = static_cast<T>(options_.beta2), take2 = static_cast<T>(1 - options_.beta2);
    const auto rate = static_cast<T>(pass.learning_rate() / correction1);
    const auto root = static_cast<T>(1 / std::sqrt(correction2));
    const auto eps = static_cast<T>(options_.eps);
    const T decay = decay_of(options_, pass);
    const std::int64_t count = pass.count();
    // Nothing overlaps, and the constants stay in registers: this loop must vectorise, it is a
    // third of a step.
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
      w[i] -= rate * (m / (std::sqrt(v) * root + eps));
    }
  }

 private:
  const Options options_;
};

const OptimizerRegistration<Adam> kRegistration{"Adam"};

}  // namespace
}  // namespace strata::plugins
