// AdamW: Adam with weight decay that the averages do not see (Loshchilov and Hutter, 2019,
// arXiv:1711.05101), with the arithmetic of PyTorch's torch.optim.AdamW.
#include "plugins/support/descent.h"

namespace strata::plugins {
namespace {

class AdamW final : public Optimizer {
 public:
  struct Options {
    double lr = 1e-3;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double eps = 1e-8;
    double weight_decay = 0.01;
    bool decay_all = false;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Adam, with weights that shrink by themselves instead of through the gradient.\n"
            "w = w - lr * weight_decay * w; m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - "
            "beta2) * g²; w = w - lr * m̂ / (√v̂ + eps), with m̂ = m / (1 - beta1^step) and v̂ = v "
            "/ (1 - beta2^step).")
        .example("AdamW(lr = 1e-3, weight_decay = 0.05)");
    describe_rate(schema);
    describe_betas(schema, kFirstBeta, kSecondBeta);
    describe_eps(schema, "added to the root of the squared average");
    describe_decay(schema, Decay::kApart);
  }

  explicit AdamW(const Options& options) : options_(options) {}

  std::vector<std::string> slots() const { return {"exp_avg", "exp_avg_sq"}; }

  template <class T>
  void update(const UpdatePass<T>& pass) const {
    const auto step = static_cast<double>(pass.step());
    const auto keep1 = static_cast<T>(options_.beta1), take1 = static_cast<T>(1 - options_.beta1);
    const auto keep2 = static_cast<T>(options_.beta2), take2 = static_cast<T>(1 - options_.beta2);
    const auto rate = static_cast<T>(pass.learning_rate() / (1 - std::pow(options_.beta1, step)));
    const auto root = static_cast<T>(1 / std::sqrt(1 - std::pow(options_.beta2, step)));
    const auto eps = static_cast<T>(options_.eps);
    const T shrink = T(1) - static_cast<T>(pass.learning_rate()) * decay_of(options_, pass);
    const std::int64_t count = pass.count();
    T* __restrict w = pass.weights();
    T* __restrict average = pass.slot(0);
    T* __restrict square = pass.slot(1);
    const T* __restrict gradient = pass.gradient();
    for (std::int64_t i = 0; i < count; ++i) {
      const T g = gradient[i];
      const T m = keep1 * average[i] + take1 * g;
      const T v = keep2 * square[i] + take2 * (g * g);
      average[i] = m;
      square[i] = v;
      w[i] = w[i] * shrink - rate * (m / (std::sqrt(v) * root + eps));
    }
  }

 private:
  const Options options_;
};

const OptimizerRegistration<AdamW> kRegistration{"AdamW"};

}  // namespace
}  // namespace strata::plugins
