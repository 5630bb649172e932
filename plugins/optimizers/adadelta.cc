// Adadelta: steps whose size follows that of earlier steps (Zeiler, 2012, arXiv:1212.5701), with
// the arithmetic of PyTorch's torch.optim.Adadelta.
#include "plugins/support/descent.h"

namespace strata::plugins {
namespace {

class Adadelta final : public Optimizer {
 public:
  struct Options {
    double lr = 1;
    double rho = 0.9;
    double eps = 1e-6;
    double weight_decay = 0;
    bool decay_all = false;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Gives steps the size of earlier steps, and so needs no learning rate.\n"
            "g = gradient + weight_decay * w; v = rho * v + (1 - rho) * g²; d = √(u + eps) / √(v + "
            "eps) * g; u = rho * u + (1 - rho) * d²; w = w - lr * d.")
        .example("Adadelta(rho = 0.95)");
    describe_rate(schema);
    schema.option("rho", &Options::rho)
        .min(0)
        .below(1)
        .doc("weight of the old averages of squared gradients and squared steps");
    describe_eps(schema, "added to both averages; it sets the size of the first steps");
    describe_decay(schema, Decay::kInGradient);
  }

  explicit Adadelta(const Options& options) : options_(options) {}

  std::vector<std::string> slots() const { return {"square_avg", "acc_delta"}; }

  template <class T>
  void update(const UpdatePass<T>& pass) const {
    const auto rate = static_cast<T>(pass.learning_rate()), eps = static_cast<T>(options_.eps);
    const auto keep = static_cast<T>(options_.rho), take = static_cast<T>(1 - options_.rho);
    const T decay = decay_of(options_, pass);
    const std::int64_t count = pass.count();
    T* __restrict w = pass.weights();
    T* __restrict square = pass.slot(0);
    T* __restrict steps = pass.slot(1);
    const T* __restrict gradient = pass.gradient();
    for (std::int64_t i = 0; i < count; ++i) {
      const T g = gradient[i] + decay * w[i];
      const T v = keep * square[i] + take * (g * g);
      const T d = std::sqrt(steps[i] + eps) / std::sqrt(v + eps) * g;
      square[i] = v;
      steps[i] = keep * steps[i] + take * (d * d);
      w[i] -= rate * d;
    }
  }

 private:
  const Options options_;
};

const OptimizerRegistration<Adadelta> kRegistration{"Adadelta"};

}  // namespace
}  // namespace strata::plugins
