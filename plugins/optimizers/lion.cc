// Lion: steps of one size along the sign of a momentum (Chen et al., 2023, arXiv:2302.06675,
// Algorithm 2).
#include "plugins/support/descent.h"

namespace strata::plugins {
namespace {

class Lion final : public Optimizer {
 public:
  struct Options {
    double lr = 1e-4;
    double beta1 = 0.9;
    double beta2 = 0.99;
    double weight_decay = 0;
    bool decay_all = false;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Moves every weight by the learning rate, along the sign of a momentum.\n"
            "c = beta1 * m + (1 - beta1) * g; w = w - lr * (sign(c) + weight_decay * w); m = beta2 "
            "* m + (1 - beta2) * g. It wants a learning rate three to ten times smaller than "
            "Adam's, and a weight decay as many times larger.")
        .example("Lion(lr = 1e-4, weight_decay = 0.1)");
    describe_rate(schema);
    describe_betas(schema, "weight of the momentum against the gradient in the step's direction",
                   "weight of the old momentum in the new one");
    describe_decay(schema, Decay::kApart);
  }

  explicit Lion(const Options& options) : options_(options) {}

  std::vector<std::string> slots() const { return {"exp_avg"}; }

  template <class T>
  void update(const UpdatePass<T>& pass) const {
    const auto rate = static_cast<T>(pass.learning_rate());
    const auto keep1 = static_cast<T>(options_.beta1), take1 = static_cast<T>(1 - options_.beta1);
    const auto keep2 = static_cast<T>(options_.beta2), take2 = static_cast<T>(1 - options_.beta2);
    const T shrink = T(1) - rate * decay_of(options_, pass);
    const std::int64_t count = pass.count();
    T* __restrict w = pass.weights();
    T* __restrict average = pass.slot(0);
    const T* __restrict gradient = pass.gradient();
    for (std::int64_t i = 0; i < count; ++i) {
      const T g = gradient[i];
      const T direction = keep1 * average[i] + take1 * g;
      average[i] = keep2 * average[i] + take2 * g;
      const T below = direction < T(0) ? T(-1) : direction;  // 0 and NaN are passed on
      const T sign = direction > T(0) ? T(1) : below;
      w[i] = w[i] * shrink - rate * sign;
    }
  }

 private:
  const Options options_;
};

const OptimizerRegistration<Lion> kRegistration{"Lion"};

}  // namespace
}  // namespace strata::plugins
