// MyPlugin: the mean of the largest values. A metric to begin from.
#include <algorithm>

#include "framework/plugin/metric.h"

namespace {

using namespace strata;

class MyPlugin final : public Metric {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema.doc("The mean over samples of a prediction's largest value.")
        .example("MyPlugin(logits)")
        .inputs({"prediction"});
  }

  explicit MyPlugin(const Options&) {}

  MetricPlan infer(const std::vector<Input>& inputs) const {
    if (inputs[0].dtype != STRATA_REAL) throw PluginError("the prediction has no real numbers");
    return MetricPlan().accumulator(2).result("my_plugin");  // a sum, and how many samples
  }

  // prediction: [batch, n]; batches come in order, on one thread
  template <class T>
  void update(const MetricPass<T>& pass) const {
    const std::int64_t n = pass.shape(0).elements();
    for (std::int64_t sample = 0; sample < pass.batch(); ++sample) {
      const T* values = pass.input(0) + sample * n;
      pass.accumulator()[0] += static_cast<double>(*std::max_element(values, values + n));
    }
    pass.accumulator()[1] += static_cast<double>(pass.batch());
  }

  void results(const double* accumulator, double* results) const {
    results[0] = accumulator[1] > 0 ? accumulator[0] / accumulator[1] : 0;
  }
};

const MetricRegistration<MyPlugin> kRegistration{"MyPlugin"};

}  // namespace

STRATA_PLUGIN("my_plugin", "1.0");
