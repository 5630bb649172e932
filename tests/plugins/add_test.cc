// Add, where the conformance harness does not look: what the sum is, and what is said of shapes
// that differ.
#include "framework/plugin/layer.h"
#include "tests/plugins/plugin_test.h"

namespace strata::test {
namespace {

TEST(Add, SumsAllItsValues) {
  const InstancePtr add = create(STRATA_LAYER, "Add");
  const std::vector<Shape> shapes(3, Shape{2});
  const auto plan = infer(*add, {output({2}, "a"), output({2}, "b"), output({2}, "c")});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->outputs[0], Shape{2});
  EXPECT_EQ(plan->flops, 4);
  LayerCase layer_case(*add, *plan, shapes, 1);
  layer_case.input_values = {{1, 2}, {10, 20}, {100, 200}};
  layer_case.d_output_values = {{5, 7}};
  LayerRun<double> run(layer_case, true);
  ASSERT_TRUE(run.forward().ok());
  EXPECT_EQ(run.outputs[0].values(), (std::vector<double>{111, 222}));
}

TEST(Add, SaysWhichShapesDifferAndWhatMendsThem) {
  const InstancePtr add = create(STRATA_LAYER, "Add");
  const auto error = [&](const Shape& a, const Shape& b) {
    const auto plan = infer(*add, {output(a, "main"), output(b, "skip")});
    return plan ? Error{} : plan.error();
  };
  EXPECT_EQ(error({8}, {4}).message,
            "Add needs values of one shape: `main` is [8], and `skip` is [4]");
  EXPECT_EQ(error({8}, {4}).hint,
            "a Dense(8) on the other branch gives it the same number of features");
  EXPECT_EQ(error({16}, {4, 4}).hint, "bring both to one rank first, with Flatten for example");
  EXPECT_EQ(error({3, 8, 8}, {3, 4, 4}).hint,
            "both branches have to use the same strides and padding");
  EXPECT_EQ(error({3, 8, 8}, {4, 8, 8}).code, ExitCode::kModel);
}

}  // namespace
}  // namespace strata::test
