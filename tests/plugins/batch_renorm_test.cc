// BatchRenorm: what it has in common with BatchNorm, and where it leaves it. The paper's formulas:
// pytorch_test.cc, against tests/pytorch/batch_renorm.py.
#include "tests/plugins/plugin_test.h"

namespace strata::test {
namespace {

using Values = std::vector<double>;

const Json kAtOnce = {{"r_ramp", {0, 0}}, {"d_ramp", {0, 0}}};

TEST(BatchRenorm, BeginsAsBatchNormToTheLastBit) {
  for (const Shape& shape : {Shape{70}, Shape{3, 5, 4}}) {
    OneLayer renorm("BatchRenorm", {}, shape, 9), norm("BatchNorm", {}, shape, 9);
    renorm.layer_case.d_output_values = norm.layer_case.d_output_values;
    LayerRun<float> a(renorm.layer_case, true), b(norm.layer_case, true);
    ASSERT_TRUE(a.forward().ok() && b.forward().ok());
    EXPECT_TRUE(conformance::same_bits(a.outputs[0], b.outputs[0]));
    ASSERT_TRUE(a.backward().ok() && b.backward().ok());
    EXPECT_TRUE(conformance::same_bits(a.d_inputs[0], b.d_inputs[0]));
    EXPECT_TRUE(conformance::same_bits(a.d_parameters[0], b.d_parameters[0]));
    EXPECT_TRUE(conformance::same_bits(a.d_parameters[1], b.d_parameters[1]));
    for (int s : {0, 1}) EXPECT_EQ(a.states[s].values(), b.states[s].values());
  }
}

// Where nothing is clipped, training normalizes as inference does with the statistics of before.
TEST(BatchRenorm, TrainsOnWhatInferenceSees) {
  OneLayer renorm("BatchRenorm", kAtOnce, {5, 6}, 4);
  renorm.layer_case.state_values = {{0.2, -0.1, 0, 0.3, -0.4}, {1.5, 0.8, 1, 2, 1.2}, {12}};
  LayerRun<double> training(renorm.layer_case, true), inference(renorm.layer_case, false);
  ASSERT_TRUE(training.forward().ok() && inference.forward().ok());
  EXPECT_THAT(training.outputs[0].values(), IsNear(inference.outputs[0].values(), 1e-12));
  EXPECT_EQ(training.states[2].values(), Values{13});
  EXPECT_EQ(inference.states[2].values(), Values{12});
}

// With r and d held, y is BatchNorm with a weight r times as large: so are the input's gradients,
// and those of BatchNorm are checked against differences.
TEST(BatchRenorm, GradientsHoldTheCorrectionsConstant) {
  OneLayer renorm("BatchRenorm", kAtOnce, {3}, 8), norm("BatchNorm", {}, {3}, 8);
  renorm.layer_case.state_values = {{0.5, -9, 0.1}, {0.7, 1e-3, 90}, {0}};
  LayerRun<double> probe(renorm.layer_case, true);
  ASSERT_TRUE(probe.forward().ok());
  const Values r = probe.saved[2].values(), d = probe.saved[3].values();
  EXPECT_NE(r[0], 1);
  EXPECT_EQ(r[1], 3);
  EXPECT_EQ(r[2], 1.0 / 3);
  EXPECT_EQ(d[1], 5);
  ASSERT_TRUE(probe.backward().ok());
  norm.layer_case.d_output_values = renorm.layer_case.d_output_values;
  norm.layer_case.parameter_values = renorm.layer_case.parameter_values;
  for (std::size_t c = 0; c < 3; ++c) norm.layer_case.parameter_values[0][c] *= r[c];
  LayerRun<double> held(norm.layer_case, true);
  ASSERT_TRUE(held.forward().ok() && held.backward().ok());
  EXPECT_THAT(probe.d_inputs[0].values(), IsNear(held.d_inputs[0].values(), 1e-12));
  for (std::size_t c = 0; c < 3; ++c) {
    const double d_weight = held.d_parameters[0].data()[c], d_bias = held.d_parameters[1].data()[c];
    EXPECT_NEAR(probe.d_parameters[0].data()[c], d_weight * r[c] + d_bias * d[c], 1e-12);
    EXPECT_NEAR(probe.d_parameters[1].data()[c], d_bias, 1e-12);
  }
}

TEST(BatchRenorm, LimitsRiseOverTheirRamps) {
  OneLayer layer("BatchRenorm", {{"r_ramp", {10, 20}}, {"d_ramp", {4, 4}}, {"r_max", 5}}, {1}, 4);
  const auto limits = [&](double batches) {
    layer.layer_case.state_values = {{-1e6}, {1e-20}, {batches}};
    LayerRun<double> run(layer.layer_case, true);
    EXPECT_TRUE(run.forward().ok());
    return std::pair(run.saved[2].data()[0], run.saved[3].data()[0]);
  };
  EXPECT_EQ(limits(0), std::pair(1.0, 0.0));
  EXPECT_EQ(limits(3), std::pair(1.0, 0.0));
  EXPECT_EQ(limits(4), std::pair(1.0, 5.0));
  EXPECT_EQ(limits(10), std::pair(1.0, 5.0));
  EXPECT_EQ(limits(15), std::pair(3.0, 5.0));
  EXPECT_EQ(limits(20), std::pair(5.0, 5.0));
  EXPECT_EQ(limits(1e6), std::pair(5.0, 5.0));
}

TEST(BatchRenorm, TellsTheCheckerAboutItself) {
  OneLayer layer("BatchRenorm", {}, {4}, 1);
  EXPECT_TRUE(layer.plan.has(STRATA_BATCH_STATISTICS));
  EXPECT_TRUE(layer.plan.has_trait("cancels-bias"));
  ASSERT_EQ(layer.plan.states.size(), 3u);
  EXPECT_EQ(layer.plan.states[2].name, "num_batches_tracked");
  LayerRun<float> run(layer.layer_case, /*is_training=*/true);
  const Status status = run.forward();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message,
            "BatchRenorm needs at least two values per channel to train, and a batch of 1 sample "
            "of shape [4] has 1");
  EXPECT_EQ(run.states[2].values(), Values{0}) << "the refused batch was counted";
  EXPECT_EQ(
      refusal(layer.instance, {output({1, 2, 3, 4})}),
      "BatchRenorm takes [features], [channels, length] or [channels, height, width], not [1, 2, "
      "3, 4]");
}

TEST(BatchRenorm, RefusesRampsThatAreNone) {
  const auto refused = [](const Json& options) {
    const auto made = try_create(STRATA_LAYER, "BatchRenorm", options);
    return made ? "accepted" : made.error().message;
  };
  EXPECT_EQ(refused({{"r_ramp", {500}}}), "`r_ramp` takes two numbers, [begin, end], and has 1");
  EXPECT_EQ(refused({{"d_ramp", {500, 400}}}),
            "`d_ramp` ends at batch 400, before it begins at 500");
  EXPECT_EQ(refused({{"d_ramp", {0, 20000000}}}),
            "`d_ramp` ends at batch 20000000, and batches are counted up to 16777216");
  EXPECT_EQ(refused({{"r_ramp", {3, 3}}}), "accepted");
}

}  // namespace
}  // namespace strata::test
