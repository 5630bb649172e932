// Dense, Flatten, ReLU, Softmax and Dropout, where the conformance harness and PyTorch's numbers do
// not look.
#include "framework/plugin/layer.h"
#include "tests/plugins/plugin_test.h"

namespace strata::test {
namespace {

using Values = std::vector<double>;

TEST(Dense, WorksOnTheLastAxis) {
  OneLayer layer("Dense", {{"units", 7}}, {3, 4}, 2);
  EXPECT_EQ(layer.plan.outputs[0], (Shape{3, 7}));
  EXPECT_EQ(layer.plan.parameters[0].shape, (Shape{7, 4}));
  EXPECT_EQ(layer.plan.flops, 3 * 7 * (2 * 4 + 1));
  // The same as three samples of four features each.
  OneLayer flat("Dense", {{"units", 7}}, {4}, 6);
  LayerRun<double> a(layer.layer_case, true), b(flat.layer_case, true);
  ASSERT_TRUE(a.forward().ok() && b.forward().ok());
  EXPECT_EQ(a.outputs[0].values(), b.outputs[0].values());
}

TEST(Dense, SaysWhatInitializersAndTheCheckerNeed) {
  OneLayer layer("Dense", {{"units", 5}}, {8}, 2);
  EXPECT_TRUE(layer.plan.has_trait("bias"));
  EXPECT_TRUE(layer.plan.parameters[0].decay);
  EXPECT_FALSE(layer.plan.parameters[1].decay);
  EXPECT_EQ(layer.plan.parameters[0].initializer->entry->name(), "GlorotUniform");
  EXPECT_EQ(layer.plan.parameters[1].fan_in, 8) << "a bias has the fan_in of its weights";
  EXPECT_EQ(layer.plan.parameters[1].fan_out, 5);
  EXPECT_FALSE(OneLayer("Dense", {{"units", 5}, {"bias", false}}, {8}, 2).plan.has_trait("bias"));
}

TEST(Dense, RefusesWhatCannotBe) {
  EXPECT_EQ(try_create(STRATA_LAYER, "Dense", {{"units", 0}}).error().message,
            "`units` must be at least 1, not 0");
  EXPECT_EQ(refusal(create(STRATA_LAYER, "Dense", {{"units", 3}}), {output({})}),
            "Dense needs at least one axis, and the input is a single number ([])");
  EXPECT_EQ(
      refusal(create(STRATA_LAYER, "Dense", {{"units", std::int64_t{1} << 46}}), {output({1024})}),
      "the shape has too many elements");
}

TEST(Dense, LargeBiasGradientsStayAccurateInF32) {
  OneLayer layer("Dense", {{"units", 70}}, {1}, 50000);
  for (double& x : layer.layer_case.d_output_values[0]) x = 0.1f;
  LayerRun<float> run(layer.layer_case, true);
  ASSERT_TRUE(run.forward().ok() && run.backward().ok());
  for (const float sum : run.d_parameters[1].span()) EXPECT_NEAR(sum, 5000.0000745, 5e-3);
}

TEST(Flatten, IsAView) {
  OneLayer layer("Flatten", {}, {28, 28}, 2);
  EXPECT_EQ(layer.plan.outputs[0], Shape{784});
  EXPECT_TRUE(layer.plan.has(STRATA_VIEW));
}

TEST(ReLU, PassesNaNOn) {
  OneLayer layer("ReLU", {}, {3}, 1);
  layer.layer_case.input_values[0] = {-1, std::nan(""), 2};
  LayerRun<float> run(layer.layer_case, true);
  ASSERT_TRUE(run.forward().ok());
  EXPECT_EQ(run.outputs[0].data()[0], 0);
  EXPECT_TRUE(std::isnan(run.outputs[0].data()[1]));
  EXPECT_EQ(run.outputs[0].data()[2], 2);
}

TEST(Softmax, IsStableAndSumsToOneAlongTheLastAxis) {
  OneLayer layer("Softmax", {}, {2, 3}, 1);
  layer.layer_case.input_values[0] = {1e4, -1e4, 1e4, -3e38, -3e38, -3e38};
  LayerRun<float> run(layer.layer_case, false);
  ASSERT_TRUE(run.forward().ok());
  const Values expected = {0.5, 0, 0.5, 1.0 / 3, 1.0 / 3, 1.0 / 3};
  EXPECT_THAT(run.outputs[0].values(), IsNear(expected, 1e-7));
  EXPECT_TRUE(layer.plan.has_trait("softmax"));
}

TEST(Dropout, DropsTheShareThatWasAskedForAndScalesTheRest) {
  constexpr std::int64_t kCount = 200000;
  OneLayer layer("Dropout", {{"rate", 0.2}}, {kCount}, 1);
  for (double& x : layer.layer_case.input_values[0]) x = 1;
  LayerRun<float> run(layer.layer_case, true);
  ASSERT_TRUE(run.forward().ok());
  std::int64_t dropped = 0;
  for (const float y : run.outputs[0].span()) {
    if (y == 0) {
      ++dropped;
    } else {
      ASSERT_FLOAT_EQ(y, 1.25f);
    }
  }
  const double deviation = std::sqrt(0.2 * 0.8 / kCount);
  EXPECT_NEAR(static_cast<double>(dropped) / kCount, 0.2, 4 * deviation);
}

TEST(Dropout, DoesNothingInInferenceOrAtRateZero) {
  for (const auto& [rate, training] : {std::pair{0.9, false}, std::pair{0.0, true}}) {
    OneLayer layer("Dropout", {{"rate", rate}}, {1000}, 3);
    LayerRun<double> run(layer.layer_case, training);
    ASSERT_TRUE(run.forward().ok());
    EXPECT_EQ(run.outputs[0].values(), layer.layer_case.input_values[0]);
  }
}

// An element's fate is a function of its place and of the key: a larger batch begins with the same
// mask.
TEST(Dropout, TheMaskDoesNotDependOnTheBatch) {
  OneLayer small("Dropout", {}, {5000}, 2), large("Dropout", {}, {5000}, 9);
  for (auto* layer : {&small, &large}) {
    for (double& x : layer->layer_case.input_values[0]) x = 1;
  }
  LayerRun<float> a(small.layer_case, true), b(large.layer_case, true),
      other(small.layer_case, true);
  other.key = {11, 14};
  ASSERT_TRUE(a.forward().ok() && b.forward().ok() && other.forward().ok());
  const Values start(b.outputs[0].data(), b.outputs[0].data() + 10000);
  EXPECT_EQ(a.outputs[0].values(), start);
  EXPECT_NE(a.outputs[0].values(), other.outputs[0].values());
}

TEST(Dropout, RefusesToDropEverything) {
  EXPECT_EQ(try_create(STRATA_LAYER, "Dropout", {{"rate", 1.0}}).error().message,
            "`rate` must be from 0 to 1 (not included), not 1.0");
}

}  // namespace
}  // namespace strata::test
