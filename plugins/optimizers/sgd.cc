// SGD: stochastic gradient descent with momentum (Polyak, 1964; Nesterov's form as in Sutskever et
// al., ICML 2013), with the arithmetic of PyTorch's torch.optim.SGD.
#include "plugins/support/descent.h"

namespace strata::plugins {
namespace {

class SGD final : public Optimizer {
 public:
  struct Options {
    double lr = 0.01;
    double momentum = 0;
    bool nesterov = false;
    double weight_decay = 0;
    bool decay_all = false;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Steps against the gradient, with momentum where asked for.\n"
            "g = gradient + weight_decay * w; m = momentum * m + g; w = w - lr * m, or with "
            "nesterov "
            "w = w - lr * (g + momentum * m).")
        .example("SGD(lr = 0.1, momentum = 0.9, nesterov = true, weight_decay = 5e-4)");
    schema.option("lr", &Options::lr).min(0).doc("learning rate, before the schedule's factor");
    schema.option("momentum", &Options::momentum)
        .min(0)
        .below(1)
        .doc("how much of the last step's direction is kept");
    schema.option("nesterov", &Options::nesterov)
        .doc("look ahead along the momentum; needs momentum above 0");
    schema.option("weight_decay", &Options::weight_decay)
        .min(0)
        .doc("added to the gradient: weight_decay * w; on weights, not on biases and norms");
    schema.option("decay_all", &Options::decay_all)
        .doc("apply weight decay to biases and norms too");
    schema.hint_for("learning_rate", "it is called `lr` here");
  }

  explicit SGD(const Options& options) : options_(options) {
    if (options.nesterov && options.momentum == 0) {
      throw PluginError("`nesterov = true` needs a `momentum` above 0, and it is 0",
                        "add momentum = 0.9");
    }
  }

  std::vector<std::string> slots() const {
    return options_.momentum > 0 ? std::vector<std::string>{"momentum_buffer"}
                                 : std::vector<std::string>{};
  }

  template <class T>
  void update(const UpdatePass<T>& pass) const {
    const auto rate = static_cast<T>(pass.learning_rate());
    const T decay = decay_of(options_, pass);
    const auto momentum = static_cast<T>(options_.momentum);
    const std::int64_t count = pass.count();
    T* __restrict w = pass.weights();
    const T* __restrict gradient = pass.gradient();
    if (options_.momentum == 0) {
      for (std::int64_t i = 0; i < count; ++i) w[i] -= rate * (gradient[i] + decay * w[i]);
      return;
    }
    T* __restrict buffer = pass.slot(0);
    const T now = options_.nesterov ? T(1) : T(0), kept = options_.nesterov ? momentum : T(1);
    for (std::int64_t i = 0; i < count; ++i) {
      const T g = gradient[i] + decay * w[i];
      const T m = momentum * buffer[i] + g;
      buffer[i] = m;
      w[i] -= rate * (now * g + kept * m);
    }
  }

 private:
  const Options options_;
};

const OptimizerRegistration<SGD> kRegistration{"SGD"};

}  // namespace
}  // namespace strata::plugins
