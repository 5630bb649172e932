// Adagrad: steps divided by the root of the sum of all squared gradients so far (Duchi, Hazan and
// Singer, JMLR 12, 2011), with the arithmetic of PyTorch's torch.optim.Adagrad.
#include "plugins/support/descent.h"

namespace strata::plugins {
namespace {

class Adagrad final : public Optimizer {
 public:
  struct Options {
    double lr = 0.01;
    double initial_accumulator = 0;
    double eps = 1e-10;
    double weight_decay = 0;
    bool decay_all = false;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Divides each weight's step by the root of the sum of all its squared gradients so "
            "far.\n"
            "g = gradient + weight_decay * w; s = s + g²; w = w - lr * g / (√s + eps), where s "
            "begins with `initial_accumulator`.")
        .example("Adagrad(lr = 0.01, initial_accumulator = 0.1)");
    describe_rate(schema);
    schema.option("initial_accumulator", &Options::initial_accumulator)
        .min(0)
        .doc("where the sum of squares begins; Keras begins at 0.1");
    describe_eps(schema, "added to the root of the sum");
    describe_decay(schema, Decay::kInGradient);
    schema.hint_for("initial_accumulator_value", "it is called `initial_accumulator` here")
        .hint_for("lr_decay", "a schedule lowers the learning rate: schedule = Exponential(0.9)");
  }

  explicit Adagrad(const Options& options) : options_(options) {}

  std::vector<std::string> slots() const { return {"sum"}; }  // without the initial value

  template <class T>
  void update(const UpdatePass<T>& pass) const {
    const auto rate = static_cast<T>(pass.learning_rate()), eps = static_cast<T>(options_.eps);
    const auto initial = static_cast<T>(options_.initial_accumulator);
    const T decay = decay_of(options_, pass);
    const std::int64_t count = pass.count();
    T* __restrict w = pass.weights();
    T* __restrict sum = pass.slot(0);
    const T* __restrict gradient = pass.gradient();
    for (std::int64_t i = 0; i < count; ++i) {
      const T g = gradient[i] + decay * w[i];
      sum[i] += g * g;
      w[i] -= rate * (g / (std::sqrt(sum[i] + initial) + eps));
    }
  }

 private:
  const Options options_;
};

const OptimizerRegistration<Adagrad> kRegistration{"Adagrad"};

}  // namespace
}  // namespace strata::plugins
