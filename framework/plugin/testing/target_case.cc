// Which inputs losses and metrics are tried with.
#include "framework/plugin/testing/target_case.h"

namespace strata::conformance {
namespace {

std::vector<TargetCase> candidates(const strata_schema& schema) {
  std::vector<TargetCase> out;
  const std::int64_t others = std::max<std::int64_t>(1, schema.input_count - 1);
  for (const Shape& shape :
       {Shape{5}, Shape{1}, Shape{2}, Shape{300}, Shape{3, 4}, Shape{2, 3, 4}}) {
    const std::int64_t classes = std::max<std::int64_t>(2, shape[0]);
    TargetCase labels{shape.text() + " against class numbers", {}, {}};
    TargetCase targets{shape.text() + " against values", {}, {}};
    TargetCase outputs{shape.text() + " against another output", {}, {}};
    for (TargetCase* c : {&labels, &targets, &outputs}) c->add(shape, STRATA_REAL, false);
    for (std::int64_t i = 0; i < others; ++i) {
      labels.add({}, STRATA_I32, true, classes);
      targets.add(shape, STRATA_REAL, true);
      outputs.add(shape, STRATA_REAL, false);
    }
    for (TargetCase* c : {&labels, &targets, &outputs}) out.push_back(std::move(*c));
  }
  return out;
}

}  // namespace

void check_all_cases(
    Checker& checker,
    const std::function<void(const Instance&, const InferredPlan&, const TargetCase&)>& check) {
  for (const InstancePtr& instance : instances(checker)) {
    int accepted = 0;
    for (const TargetCase& c : candidates(checker.entry.schema())) {
      checker.context = print_call(instance->call()) + " on " + c.name;
      const auto plan = infer(*instance, c.inputs);
      if (!plan) {
        checker.expect(plan.error().code == ExitCode::kModel && !plan.error().message.empty(),
                       "refuses its inputs without a sentence for the user: {}",
                       plan.error().message);
        continue;
      }
      ++accepted;
      checker.begin(checker.context);
      check(*instance, *plan, c);
    }
    checker.context = print_call(instance->call());
    checker.expect(accepted > 0, "accepts none of the inputs tried");
  }
}

}  // namespace strata::conformance
