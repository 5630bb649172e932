// MyPlugin: values times a number. A transform to begin from.
#include "framework/plugin/transform.h"

namespace {

using namespace strata;

class MyPlugin final : public Transform {
 public:
  struct Options {
    double factor = 0.5;
  };

  static void describe(Schema<Options>& schema) {
    schema.doc("Multiplies the first field's values.").example("MyPlugin(2.0)");
    schema.option("factor", &Options::factor).doc("what values are multiplied by");
  }

  explicit MyPlugin(const Options& options) : factor_(options.factor) {}

  // All fields that come out, changed or not, in order.
  DataPlan infer(const std::vector<Field>& fields) const {
    if (fields.empty() || fields[0].dtype != STRATA_REAL)
      throw PluginError("MyPlugin wants real numbers as the first field");
    DataPlan plan;
    for (const Field& field : fields) plan.field(field);
    return plan;
  }

  template <class T>
  void apply(const TransformPass<T>& pass) const {
    const std::int64_t count = pass.count() * pass.shape(0).elements();
    const T* in = pass.template input<T>(0);
    T* out = pass.template output<T>(0);
    for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<T>(factor_) * in[i];
  }

 private:
  const double factor_;
};

const TransformRegistration<MyPlugin> kRegistration{"MyPlugin"};

}  // namespace

STRATA_PLUGIN("my_plugin", "1.0");
