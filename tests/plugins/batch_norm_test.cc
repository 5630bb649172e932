// BatchNorm: its conventions, its limits, and its accuracy where numbers are awkward. PyTorch's:
// pytorch_test.cc.
#include "tests/plugins/plugin_test.h"

namespace strata::test {
namespace {

using testing::HasSubstr;
using Values = std::vector<double>;

TEST(BatchNorm, AgreesWithKerasOverSeveralSteps) {
  const Json keras = read_json("tests/fixtures/batchnorm_keras.json");
  OneLayer layer("BatchNorm",
                 {{"decay", keras["decay"]},
                  {"eps", keras["eps"]},
                  {"running_variance", keras["running_variance"]}},
                 {5}, 8);
  layer.layer_case.parameter_values = {keras["weight"]["values"].get<Values>(),
                                       keras["bias"]["values"].get<Values>()};
  for (const Json& step : keras["steps"]) {
    layer.layer_case.input_values[0] = step["input"]["values"].get<Values>();
    layer.layer_case.d_output_values[0] = step["d_output"]["values"].get<Values>();
    LayerRun<double> run(layer.layer_case, /*is_training=*/true);
    ASSERT_TRUE(run.forward().ok());
    EXPECT_THAT(run.outputs[0].values(), IsNear(step["output"]["values"].get<Values>(), 1e-9));
    EXPECT_THAT(run.states[0].values(),
                IsNear(step["running_mean"]["values"].get<Values>(), 1e-12));
    EXPECT_THAT(run.states[1].values(), IsNear(step["running_var"]["values"].get<Values>(), 1e-12));
    ASSERT_TRUE(run.backward().ok());
    EXPECT_THAT(run.d_inputs[0].values(), IsNear(step["d_input"]["values"].get<Values>(), 1e-9));
    EXPECT_THAT(run.d_parameters[0].values(),
                IsNear(step["d_weight"]["values"].get<Values>(), 1e-9));
    EXPECT_THAT(run.d_parameters[1].values(), IsNear(step["d_bias"]["values"].get<Values>(), 1e-9));
    layer.layer_case.state_values = {run.states[0].values(), run.states[1].values()};
  }
  OneLayer inference("BatchNorm", {{"eps", keras["eps"]}}, {5},
                     keras["inference"]["input"]["shape"][0]);
  inference.layer_case.parameter_values = layer.layer_case.parameter_values;
  inference.layer_case.state_values = layer.layer_case.state_values;
  inference.layer_case.input_values[0] = keras["inference"]["input"]["values"].get<Values>();
  LayerRun<double> run(inference.layer_case, /*is_training=*/false);
  ASSERT_TRUE(run.forward().ok());
  EXPECT_THAT(run.outputs[0].values(),
              IsNear(keras["inference"]["output"]["values"].get<Values>(), 1e-9));
}

TEST(BatchNorm, RunningVarianceIsUnbiasedOrBiasedAsAsked) {
  for (const auto& [convention, expected] :
       {std::pair{"unbiased", 2.0}, std::pair{"biased", 1.0}}) {
    OneLayer layer("BatchNorm", {{"running_variance", convention}, {"decay", 0.75}}, {1}, 2);
    layer.layer_case.input_values[0] = {3, 5};  // mean 4, squares 1 and 1
    LayerRun<double> run(layer.layer_case, /*is_training=*/true);
    ASSERT_TRUE(run.forward().ok());
    EXPECT_DOUBLE_EQ(run.states[0].data()[0], 0.75 * 0 + 0.25 * 4);
    EXPECT_DOUBLE_EQ(run.states[1].data()[0], 0.75 * 1 + 0.25 * expected) << convention;
  }
}

TEST(BatchNorm, ADecayOfOneKeepsTheRunningStatistics) {
  OneLayer layer("BatchNorm", {{"decay", 1.0}}, {3}, 4);
  LayerRun<double> run(layer.layer_case, /*is_training=*/true);
  ASSERT_TRUE(run.forward().ok());
  EXPECT_EQ(run.states[0].values(), Values({0, 0, 0}));
  EXPECT_EQ(run.states[1].values(), Values({1, 1, 1}));
}

TEST(BatchNorm, OneValuePerChannelIsAnErrorInTrainingAndFineInInference) {
  OneLayer layer("BatchNorm", {}, {4}, 1);
  LayerRun<float> training(layer.layer_case, /*is_training=*/true);
  const Status status = training.forward();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ExitCode::kModel);
  EXPECT_EQ(status.error().message,
            "BatchNorm needs at least two values per channel to train, and a batch of 1 sample of "
            "shape [4] has 1");
  EXPECT_THAT(status.error().hint, HasSubstr("batch_size"));
  EXPECT_EQ(training.states[1].values(), Values(4, 1.0)) << "the refused batch left its mark";

  LayerRun<float> inference(layer.layer_case, /*is_training=*/false);
  ASSERT_TRUE(inference.forward().ok());
  EXPECT_TRUE(conformance::all_finite(inference.outputs[0].values()));
}

TEST(BatchNorm, OneImageHasValuesEnough) {
  OneLayer layer("BatchNorm", {}, {3, 4, 4}, 1);
  LayerRun<double> run(layer.layer_case, /*is_training=*/true);
  EXPECT_TRUE(run.forward().ok());
}

TEST(BatchNorm, NormalizesImagesByChannel) {
  constexpr std::int64_t kBatch = 6, kChannels = 5, kPositions = 35;
  OneLayer layer("BatchNorm", {{"scale", false}, {"shift", false}}, {kChannels, 5, 7}, kBatch);
  LayerRun<double> run(layer.layer_case, /*is_training=*/true);
  ASSERT_TRUE(run.forward().ok());
  for (std::int64_t c = 0; c < kChannels; ++c) {
    double sum = 0, squares = 0;
    for (std::int64_t n = 0; n < kBatch; ++n) {
      for (std::int64_t i = 0; i < kPositions; ++i) {
        const double y = run.outputs[0].data()[(n * kChannels + c) * kPositions + i];
        sum += y;
        squares += y * y;
      }
    }
    EXPECT_NEAR(sum / (kBatch * kPositions), 0, 1e-12);
    EXPECT_NEAR(squares / (kBatch * kPositions), 1, 1e-4);  // eps
  }
}

// [channels, length] of one position each is the same as [features].
TEST(BatchNorm, ChannelsOfOnePositionAreFeatures) {
  OneLayer features("BatchNorm", {}, {70}, 9), channels("BatchNorm", {}, {70, 1}, 9);
  LayerRun<float> a(features.layer_case, true), b(channels.layer_case, true);
  ASSERT_TRUE(a.forward().ok() && b.forward().ok() && a.backward().ok() && b.backward().ok());
  EXPECT_TRUE(conformance::same_bits(a.d_inputs[0], b.d_inputs[0]));
}

// E[x²] - E[x]² would leave nothing of this variance in f32.
TEST(BatchNorm, KeepsItsAccuracyFarFromZero) {
  OneLayer layer("BatchNorm", {{"scale", false}, {"shift", false}, {"eps", 1e-12}}, {1}, 1024);
  for (std::size_t i = 0; i < 1024; ++i)
    layer.layer_case.input_values[0][i] = 8192 + static_cast<double>(i % 4);
  LayerRun<float> run(layer.layer_case, /*is_training=*/true);
  ASSERT_TRUE(run.forward().ok());
  const double deviation = std::sqrt(1.25);
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(run.outputs[0].data()[i], (i - 1.5) / deviation, 1e-5);
}

TEST(BatchNorm, SumsOfManySamplesStayAccurateInF32) {
  constexpr std::int64_t kBatch = 200000;
  OneLayer layer("BatchNorm", {{"decay", 0.0}, {"running_variance", "biased"}}, {1}, kBatch);
  double mean = 0, variance = 0;
  for (const double x : layer.layer_case.input_values[0]) mean += x / kBatch;
  for (const double x : layer.layer_case.input_values[0])
    variance += (x - mean) * (x - mean) / kBatch;
  LayerRun<float> run(layer.layer_case, /*is_training=*/true);
  ASSERT_TRUE(run.forward().ok());
  EXPECT_NEAR(run.states[0].data()[0], mean, 1e-6);
  EXPECT_NEAR(run.states[1].data()[0], variance, 1e-6 * variance);
}

TEST(BatchNorm, AConstantFeatureStaysFinite) {
  OneLayer layer("BatchNorm", {}, {2}, 8);
  for (double& x : layer.layer_case.input_values[0]) x = 7;
  LayerRun<float> run(layer.layer_case, /*is_training=*/true);
  ASSERT_TRUE(run.forward().ok());
  for (std::size_t i = 0; i < 16; ++i) {
    EXPECT_FLOAT_EQ(run.outputs[0].data()[i],
                    static_cast<float>(layer.layer_case.parameter_values[1][i % 2]));
  }
  ASSERT_TRUE(run.backward().ok());
  EXPECT_TRUE(conformance::all_finite(run.d_inputs[0].values()));
}

TEST(BatchNorm, TellsTheCheckerAboutItself) {
  OneLayer layer("BatchNorm", {}, {4}, 2);
  EXPECT_TRUE(layer.plan.has(STRATA_BATCH_STATISTICS));
  EXPECT_TRUE(layer.plan.has_trait("cancels-bias"));
  ASSERT_EQ(layer.plan.parameters.size(), 2u);
  EXPECT_EQ(layer.plan.parameters[0].name, "weight");
  EXPECT_FALSE(layer.plan.parameters[0].decay);
  EXPECT_EQ(layer.plan.parameters[0].initializer->entry->name(), "Ones");
  EXPECT_EQ(layer.plan.states[1].name, "running_var");
  EXPECT_EQ(layer.plan.states[1].initial, 1);
  EXPECT_EQ(refusal(layer.instance, {output({})}),
            "BatchNorm takes [features], [channels, length] or [channels, height, width], not []");
}

}  // namespace
}  // namespace strata::test
