// RMSprop: steps divided by a running root of the squared gradient (Tieleman and Hinton, Coursera
// lecture 6e, 2012; centred as in Graves, 2013, arXiv:1308.0850), as PyTorch's torch.optim.RMSprop.
#include "plugins/support/descent.h"

namespace strata::plugins {
namespace {

class RMSprop final : public Optimizer {
 public:
  struct Options {
    double lr = 0.01;
    double rho = 0.99;
    double eps = 1e-8;
    double momentum = 0;
    bool centered = false;
    double weight_decay = 0;
    bool decay_all = false;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Divides each weight's gradient by the root of a running average of its square.\n"
            "g = gradient + weight_decay * w; v = rho * v + (1 - rho) * g²; m = momentum * m + g / "
            "(√v + eps); w = w - lr * m. With `centered`, v is the average's variance, the square "
            "of the running mean of g taken off.")
        .example("RMSprop(lr = 1e-3, rho = 0.9)");
    describe_rate(schema);
    schema.option("rho", &Options::rho).min(0).below(1).doc(kSecondBeta);
    describe_eps(schema, "added to the root; PyTorch's 1e-8, Keras has 1e-7");
    schema.option("momentum", &Options::momentum)
        .min(0)
        .below(1)
        .doc("how much of the last step's direction is kept");
    schema.option("centered", &Options::centered)
        .doc("divide by the deviation instead of the root mean square");
    describe_decay(schema, Decay::kInGradient);
    schema.hint_for("alpha", "it is called `rho` here");
  }

  explicit RMSprop(const Options& options) : options_(options) {}

  std::vector<std::string> slots() const {
    std::vector<std::string> slots;
    slots.push_back(options_.centered ? "variance" : "square_avg");
    if (options_.centered) slots.push_back("grad_avg");
    if (options_.momentum > 0) slots.push_back("momentum_buffer");
    return slots;
  }

  template <class T>
  void update(const UpdatePass<T>& pass) const {
    const auto rate = static_cast<T>(pass.learning_rate());
    const auto keep = static_cast<T>(options_.rho), take = static_cast<T>(1 - options_.rho);
    const auto eps = static_cast<T>(options_.eps), momentum = static_cast<T>(options_.momentum);
    const T decay = decay_of(options_, pass);
    const std::int64_t count = pass.count();
    T* __restrict w = pass.weights();
    T* __restrict square = pass.slot(0);
    T* __restrict mean = options_.centered ? pass.slot(1) : nullptr;
    T* __restrict buffer = options_.momentum > 0 ? pass.slot(options_.centered ? 2 : 1) : nullptr;
    const T* __restrict gradient = pass.gradient();
    for (std::int64_t i = 0; i < count; ++i) {
      const T g = gradient[i] + decay * w[i];
      if (mean) {
        // Equal to the average square less the squared average, without taking one from the other.
        const T distance = g - mean[i];
        square[i] = keep * (square[i] + take * (distance * distance));
        mean[i] += take * distance;
      } else {
        square[i] = keep * square[i] + take * (g * g);
      }
      const T direction = g / (std::sqrt(square[i]) + eps);
      if (buffer) {
        buffer[i] = momentum * buffer[i] + direction;
        w[i] -= rate * buffer[i];
      } else {
        w[i] -= rate * direction;
      }
    }
  }

 private:
  const Options options_;
};

const OptimizerRegistration<RMSprop> kRegistration{"RMSprop"};

}  // namespace
}  // namespace strata::plugins
