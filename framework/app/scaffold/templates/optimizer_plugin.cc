// MyPlugin: gradient descent with momentum. An optimizer to begin from.
#include "framework/plugin/optimizer.h"

namespace {

using namespace strata;

class MyPlugin final : public Optimizer {
 public:
  struct Options {
    double lr = 0.01;
    double momentum = 0.9;
  };

  static void describe(Schema<Options>& schema) {
    schema.doc("Steps against a running sum of gradients.").example("MyPlugin(lr = 0.1)");
    schema.option("lr", &Options::lr).min(0).doc("learning rate, before the schedule's factor");
    schema.option("momentum", &Options::momentum)
        .min(0)
        .below(1)
        .doc("how much of the last step's direction is kept");
  }

  explicit MyPlugin(const Options& options) : momentum_(options.momentum) {}

  // Begin as zeros, are saved under these names.
  std::vector<std::string> slots() const { return {"momentum_buffer"}; }

  // A slice of one parameter; called from many threads.
  template <class T>
  void update(const UpdatePass<T>& pass) const {
    const T rate = static_cast<T>(pass.learning_rate()), momentum = static_cast<T>(momentum_);
    T* weights = pass.weights();
    T* buffer = pass.slot(0);
    const T* gradient = pass.gradient();
    for (std::int64_t i = 0; i < pass.count(); ++i) {
      buffer[i] = momentum * buffer[i] + gradient[i];
      weights[i] -= rate * buffer[i];
    }
  }

 private:
  const double momentum_;
};

const OptimizerRegistration<MyPlugin> kRegistration{"MyPlugin"};

}  // namespace

STRATA_PLUGIN("my_plugin", "1.0");
