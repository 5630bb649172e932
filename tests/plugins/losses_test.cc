// CrossEntropy, MeanSquaredError and Accuracy: extremes, and what they refuse.
#include "tests/plugins/plugin_test.h"

namespace strata::test {
namespace {

using testing::HasSubstr;
using Values = std::vector<double>;

TEST(CrossEntropy, IsStableForLogitsOfTenThousand) {
  const InstancePtr loss = create(STRATA_LOSS, "CrossEntropy");
  const Values logits = {1e4, -1e4, 0, 1e4, -1e4, 0, -1e4, -1e4, -1e4};
  const LossResult f32 = evaluate<float>(loss, {3}, logits, {0, 1, 2}),
                   f64 = evaluate<double>(loss, {3}, logits, {0, 1, 2});
  EXPECT_EQ(f64.losses, Values({0, 2e4, std::log(3.0)}));
  EXPECT_THAT(f32.losses, IsNear(f64.losses, 1e-7));
  const Values gradient = {0, 0, 0, 1, -1, 0, 1.0 / 3, 1.0 / 3, 1.0 / 3 - 1};
  EXPECT_THAT(f64.gradient, IsNear(gradient, 1e-15));
  EXPECT_THAT(f32.gradient, IsNear(gradient, 1e-7));
}

TEST(CrossEntropy, PassesNaNOn) {
  const InstancePtr loss = create(STRATA_LOSS, "CrossEntropy");
  for (const std::size_t place : {0, 1, 2}) {
    Values logits = {1, 2, 3};
    logits[place] = std::nan("");
    EXPECT_TRUE(std::isnan(evaluate<float>(loss, {3}, logits, {1}).losses[0])) << place;
  }
}

TEST(CrossEntropy, FromProbabilitiesIsTheSameAsSoftmaxWithin) {
  const Values logits = {0.3, -1.2, 2.5, 0.1};
  double sum = 0;
  for (const double x : logits) sum += std::exp(x);
  Values probabilities;
  for (const double x : logits) probabilities.push_back(std::exp(x) / sum);
  for (std::int32_t label = 0; label < 4; ++label) {
    const auto a = evaluate<double>(create(STRATA_LOSS, "CrossEntropy"), {4}, logits, {label});
    const auto b = evaluate<double>(create(STRATA_LOSS, "CrossEntropy", {{"from_logits", false}}),
                                    {4}, probabilities, {label});
    EXPECT_NEAR(a.losses[0], b.losses[0], 1e-14);
    EXPECT_NEAR(b.gradient[static_cast<std::size_t>(label)],
                -1 / probabilities[static_cast<std::size_t>(label)], 1e-12);
  }
}

TEST(CrossEntropy, AProbabilityOfZeroCountsAsTheSmallest) {
  const InstancePtr loss = create(STRATA_LOSS, "CrossEntropy", {{"from_logits", false}});
  const auto result = evaluate<float>(loss, {2}, {0, 1}, {0});
  EXPECT_NEAR(result.losses[0], -std::log(1e-7), 1e-5);
  EXPECT_EQ(result.gradient, Values({0, 0}));
}

TEST(CrossEntropy, ALabelThatIsNoClassIsAnErrorOfTheData) {
  const InstancePtr loss = create(STRATA_LOSS, "CrossEntropy");
  for (const std::int32_t bad : {3, -1, 255}) {
    const auto result = evaluate<float>(loss, {3}, {1, 2, 3, 4, 5, 6}, {2, bad});
    ASSERT_FALSE(result.status.ok());
    EXPECT_EQ(result.status.error().code, ExitCode::kData);
    EXPECT_EQ(result.status.error().message,
              fmt::format("label {} of sample 1 of the batch is no class: there are 3, from 0 to 2",
                          bad));
  }
}

TEST(CrossEntropy, RefusesWhatCannotBe) {
  const InstancePtr loss = create(STRATA_LOSS, "CrossEntropy");
  EXPECT_EQ(refusal(loss, {output({10}), label(10)}), "accepted");
  EXPECT_EQ(refusal(loss, {output({12}), label(10)}), "accepted");
  EXPECT_EQ(refusal(loss, {output({28, 28}), label(10)}),
            "CrossEntropy needs one value per class, and `logits` has the shape [28, 28]");
  EXPECT_EQ(refusal(loss, {output({5}), label(10)}),
            "`label` has 10 classes, and `logits` has only 5 values");
  EXPECT_EQ(refusal(loss, {output({1}), label(2)}),
            "CrossEntropy needs at least two classes, and `logits` has one value");
  EXPECT_EQ(refusal(loss, {output({10}), target({10})}), "accepted");  // a share per class
  EXPECT_EQ(refusal(loss, {output({10}), target({9})}),
            "`target` has a share for each of 9 classes, and `logits` has 10 values");
}

TEST(CrossEntropy, TellsTheCheckerThatItAppliesSoftmax) {
  const std::vector<Input> inputs = {output({10}), label(10)};
  EXPECT_TRUE(infer(*create(STRATA_LOSS, "CrossEntropy"), inputs)->has_trait("applies-softmax"));
  EXPECT_FALSE(infer(*create(STRATA_LOSS, "CrossEntropy", {{"from_logits", false}}), inputs)
                   ->has_trait("applies-softmax"));
}

TEST(MeanSquaredError, AveragesOverASamplesElements) {
  const InstancePtr loss = create(STRATA_LOSS, "MeanSquaredError");
  const auto result = evaluate<double>(loss, {2}, {1, 2, 3, 4}, {}, {0, 0, 3, 6}, 0.5);
  EXPECT_EQ(result.losses, Values({2.5, 2}));
  EXPECT_EQ(result.gradient, Values({0.5, 1, 0, -1}));
}

TEST(MeanSquaredError, ComparesOneValueWithAClassNumber) {
  const InstancePtr loss = create(STRATA_LOSS, "MeanSquaredError");
  EXPECT_EQ(refusal(loss, {output({1}), label(2)}), "accepted");
  const auto result = evaluate<float>(loss, {1}, {0.5, 3}, {1, 1});
  EXPECT_EQ(result.losses, Values({0.25, 4}));
  EXPECT_EQ(result.gradient, Values({-1, 4}));
}

TEST(MeanSquaredError, RefusesWhatCannotBe) {
  const InstancePtr loss = create(STRATA_LOSS, "MeanSquaredError");
  EXPECT_EQ(refusal(loss, {output({3}, "y"), target({4})}),
            "`y` has the shape [3], and `target` has [4]");
  EXPECT_EQ(refusal(loss, {output({10}, "y"), label(10)}),
            "a class number such as `label` can be compared with a prediction of shape [1], and "
            "`y` has [10]");
  EXPECT_EQ(refusal(loss, {output({3}, "y"), target({3}, STRATA_U8)}),
            "MeanSquaredError needs real numbers, and `target` holds bytes");
}

double accuracy(const Shape& shape, const Values& scores, const std::vector<std::int32_t>& labels) {
  const InstancePtr metric = create(STRATA_METRIC, "Accuracy");
  Buffer<float> input(static_cast<std::int64_t>(scores.size()));
  input.set(scores);
  const strata_shape shapes[] = {plugin_internal::from_shape(shape),
                                 plugin_internal::from_shape({})};
  const void* inputs[] = {input.data(), labels.data()};
  double accumulator[2] = {};
  strata_metric_pass pass{sizeof pass, STRATA_F32, static_cast<std::int64_t>(labels.size()),
                          shapes,      inputs,     accumulator};
  EXPECT_TRUE(call_plugin(metric->functions<strata_metric>().update, metric->raw(), &pass).ok());
  double result = -1;
  EXPECT_TRUE(call_plugin(metric->functions<strata_metric>().results, metric->raw(),
                          static_cast<const double*>(accumulator), &result)
                  .ok());
  return result;
}

TEST(Accuracy, TheLargestValueWinsAndTheFirstOfEquals) {
  EXPECT_EQ(accuracy({3}, {1, 3, 2, 5, 5, 0, -1, -2, -1}, {1, 0, 2}), 2.0 / 3);
  EXPECT_EQ(accuracy({3}, {5, 5, 0}, {1}), 0);
}

TEST(Accuracy, OneValueIsALogitOfClassOne) {
  EXPECT_EQ(accuracy({1}, {0.5, -0.5, 0, 2}, {1, 0, 0, 0}), 0.75);
}

TEST(Accuracy, ASampleWithANaNIsWrong) {
  EXPECT_EQ(accuracy({2}, {std::nan(""), 1, 0, std::nan(""), 0, 1}, {1, 0, 1}), 1.0 / 3);
  EXPECT_EQ(accuracy({1}, {std::nan(""), 1}, {0, 1}), 0.5);
}

TEST(Accuracy, RefusesWhatCannotBe) {
  const InstancePtr metric = create(STRATA_METRIC, "Accuracy");
  EXPECT_EQ(refusal(metric, {output({5}), label(10)}),
            "`label` has 10 classes, and `logits` has only 5 values");
  EXPECT_EQ(refusal(metric, {output({1}), label(3)}),
            "`label` has 3 classes, and `logits` has only 1 value");
  EXPECT_EQ(refusal(metric, {output({1}), label(2)}), "accepted");
  EXPECT_THAT(refusal(metric, {output({10}), target({10})}),
              HasSubstr("a class number per sample"));
}

}  // namespace
}  // namespace strata::test
