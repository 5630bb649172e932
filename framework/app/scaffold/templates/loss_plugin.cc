// MyPlugin: the squared difference, averaged over a sample's elements. A loss to begin from.
#include "framework/plugin/loss.h"

namespace {

using namespace strata;

class MyPlugin final : public Loss {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema.doc("The mean over a sample's elements of (prediction - target)².")
        .example("MyPlugin(prediction, target)")
        .inputs({"prediction", "target"});
  }

  explicit MyPlugin(const Options&) {}

  LossPlan infer(const std::vector<Input>& inputs) const {
    for (const Input& input : inputs) {
      if (input.dtype != STRATA_REAL)
        throw PluginError(text("`", input.name, "` has no real numbers"));
    }
    if (!(inputs[0].shape == inputs[1].shape)) {
      throw PluginError(text("the prediction has the shape ", inputs[0].shape.text(),
                             ", and the target ", inputs[1].shape.text()));
    }
    return {};
  }

  // prediction, target: [batch, n]
  template <class T>
  void evaluate(const LossPass<T>& pass) const {
    const std::int64_t n = pass.shape(0).elements();
    const T* prediction = pass.input(0);
    const T* target = pass.input(1);
    T* d_prediction = pass.d_input(0);
    T* d_target = pass.d_input(1);
    const T factor = static_cast<T>(2 * pass.scale() / static_cast<double>(n));
    pass.tiles(pass.batch(), 64, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t sample = begin; sample < end; ++sample) {
        double sum = 0;
        for (std::int64_t i = sample * n; i < (sample + 1) * n; ++i) {
          const T difference = prediction[i] - target[i];
          sum += static_cast<double>(difference) * static_cast<double>(difference);
          if (d_prediction) d_prediction[i] = factor * difference;
          if (d_target) d_target[i] = -factor * difference;
        }
        pass.losses()[sample] = sum / static_cast<double>(n);
      }
    });
  }
};

const LossRegistration<MyPlugin> kRegistration{"MyPlugin"};

}  // namespace

STRATA_PLUGIN("my_plugin", "1.0");
