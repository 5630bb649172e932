// Initializers' distributions, schedules' formulas, and what optimizers do besides PyTorch's
// arithmetic.
#include "framework/plugin/services.h"
#include "tests/plugins/plugin_test.h"

namespace strata::test {
namespace {

using Values = std::vector<double>;

Values fill(const std::string& name, const Json& options, std::int64_t fan_in, std::int64_t fan_out,
            std::int64_t count = 200000) {
  const InstancePtr initializer = create(STRATA_INITIALIZER, name, options);
  Buffer<double> out(count);
  const strata_shape shape = plugin_internal::from_shape({count});
  strata_initializer_pass pass{
      sizeof pass, &shape, fan_in, fan_out, {1, 2}, count, out.data(), &serial_services(), nullptr};
  EXPECT_TRUE(
      call_plugin(initializer->functions<strata_initializer>().fill, initializer->raw(), &pass)
          .ok());
  return out.values();
}

struct Moments {
  explicit Moments(const Values& values) {
    const auto n = static_cast<double>(values.size());
    for (const double x : values) mean += x / n;
    for (const double x : values) {
      variance += (x - mean) * (x - mean) / n;
      fourth += std::pow(x - mean, 4) / n;
      largest = std::max(largest, std::abs(x));
    }
    kurtosis = fourth / (variance * variance);
  }
  double mean = 0, variance = 0, fourth = 0, kurtosis = 0, largest = 0;
};

struct Uniform {
  std::string name;
  Json options;
  double bound;
};

TEST(Initializers, UniformOnesFillTheirRangeEvenly) {
  const std::int64_t in = 300, out = 100;
  for (const Uniform& u : {Uniform{"GlorotUniform", Json::object(), std::sqrt(6.0 / 400)},
                           Uniform{"GlorotUniform", {{"scale", 2.5}}, 2.5 * std::sqrt(6.0 / 400)},
                           Uniform{"HeUniform", Json::object(), std::sqrt(6.0 / 300)},
                           Uniform{"KaimingUniform", Json::object(), std::sqrt(6.0 / 300)},
                           Uniform{"KaimingUniform", {{"a", std::sqrt(5.0)}}, 1 / std::sqrt(300.0)},
                           Uniform{"FanInUniform", Json::object(), 1 / std::sqrt(300.0)}}) {
    const Moments m(fill(u.name, u.options, in, out));
    EXPECT_NEAR(m.mean, 0, 0.01 * u.bound) << u.name;
    EXPECT_NEAR(m.variance, u.bound * u.bound / 3, 0.01 * u.bound * u.bound) << u.name;
    EXPECT_LE(m.largest, u.bound) << u.name;
    EXPECT_GT(m.largest, 0.999 * u.bound) << u.name;
    EXPECT_NEAR(m.kurtosis, 1.8, 0.02) << u.name;
  }
}

TEST(Initializers, NormalOnesHaveTheirVarianceAndTails) {
  for (const Uniform& u : {Uniform{"GlorotNormal", Json::object(), std::sqrt(2.0 / 400)},
                           Uniform{"HeNormal", Json::object(), std::sqrt(2.0 / 300)},
                           Uniform{"HeNormal", {{"scale", 0.01}}, 0.01 * std::sqrt(2.0 / 300)}}) {
    const Moments m(fill(u.name, u.options, 300, 100));
    EXPECT_NEAR(m.mean, 0, 0.01 * u.bound) << u.name;
    EXPECT_NEAR(m.variance, u.bound * u.bound, 0.015 * u.bound * u.bound) << u.name;
    EXPECT_NEAR(m.kurtosis, 3, 0.06) << u.name;
    EXPECT_GT(m.largest, 3.5 * u.bound) << u.name << " is not cut off";
  }
}

TEST(Initializers, ConstantsAreConstant) {
  EXPECT_EQ(fill("Zeros", Json::object(), 3, 4, 3), Values({0, 0, 0}));
  EXPECT_EQ(fill("Ones", Json::object(), 3, 4, 3), Values({1, 1, 1}));
  EXPECT_EQ(fill("Constant", {{"value", -0.25}}, 3, 4, 2), Values({-0.25, -0.25}));
  EXPECT_FALSE(default_call(*registry().find(STRATA_INITIALIZER, "Constant"), registry()).ok());
}

double factor(const Json& options, std::int64_t step, std::int64_t total) {
  const InstancePtr schedule = create(STRATA_SCHEDULE, "Cosine", options);
  return schedule->functions<strata_schedule>().factor(schedule->raw(), step, total, 10);
}

TEST(Cosine, GoesDownHalfACosine) {
  EXPECT_DOUBLE_EQ(factor(Json::object(), 0, 100), 1);
  EXPECT_NEAR(factor(Json::object(), 25, 100), (1 + std::sqrt(0.5)) / 2, 1e-15);
  EXPECT_NEAR(factor(Json::object(), 50, 100), 0.5, 1e-15);
  EXPECT_NEAR(factor(Json::object(), 100, 100), 0, 1e-15);
  EXPECT_NEAR(factor({{"final", 0.2}}, 50, 100), 0.6, 1e-15);
  EXPECT_DOUBLE_EQ(factor({{"final", 0.2}}, 100, 100), 0.2);
}

TEST(Cosine, WarmsUpOnALineThatMeetsTheCosine) {
  EXPECT_DOUBLE_EQ(factor({{"warmup", 4}}, 0, 104), 0.2);
  EXPECT_DOUBLE_EQ(factor({{"warmup", 4}}, 3, 104), 0.8);
  EXPECT_DOUBLE_EQ(factor({{"warmup", 4}}, 4, 104), 1);
  EXPECT_NEAR(factor({{"warmup", 4}}, 54, 104), 0.5, 1e-15);
}

TEST(Cosine, StaysSaneWhereTheRunIsShorterThanTheWarmUp) {
  for (std::int64_t step = 0; step < 10; ++step) {
    EXPECT_GT(factor({{"warmup", 50}}, step, 10), 0);
    EXPECT_LE(factor({{"warmup", 50}}, step, 10), 1);
  }
}

// Weights after one step from 1 with a gradient of 0.
double one_step(const std::string& name, const Json& options, bool apply_decay,
                double gradient = 0) {
  const InstancePtr optimizer = create(STRATA_OPTIMIZER, name, options);
  double weight = 1, slots[2] = {};
  void* slot_pointers[] = {&slots[0], &slots[1]};
  strata_update_pass pass{};
  pass.struct_size = sizeof pass;
  pass.dtype = STRATA_F64;
  pass.count = 1;
  pass.learning_rate = 0.1;
  pass.step = 1;
  pass.apply_decay = apply_decay;
  pass.weights = &weight;
  pass.gradient = &gradient;
  pass.slots = slot_pointers;
  EXPECT_TRUE(
      call_plugin(optimizer->functions<strata_optimizer>().update, optimizer->raw(), &pass).ok());
  return weight;
}

TEST(Optimizers, DecayWeightsAndWhereAskedEverything) {
  const Json decay = {{"weight_decay", 0.5}}, all = {{"weight_decay", 0.5}, {"decay_all", true}};
  EXPECT_DOUBLE_EQ(one_step("SGD", decay, true), 1 - 0.1 * 0.5);
  EXPECT_DOUBLE_EQ(one_step("SGD", decay, false), 1);
  EXPECT_DOUBLE_EQ(one_step("SGD", all, false), 1 - 0.1 * 0.5);
  EXPECT_NEAR(one_step("Adam", decay, true), 0.9,
              1e-7);  // Adam's step is lr, whatever the gradient's size
  EXPECT_DOUBLE_EQ(one_step("Adam", decay, false), 1);
  EXPECT_NEAR(one_step("Adam", all, false), 0.9, 1e-7);
}

TEST(Adam, TheFirstStepIsTheLearningRate) {
  EXPECT_NEAR(one_step("Adam", Json::object(), true, 1e3), 0.9, 1e-10);
  EXPECT_NEAR(one_step("Adam", Json::object(), true, -1e-3), 1.1, 1e-5);
}

TEST(SGD, NesterovNeedsMomentum) {
  const auto refused = try_create(STRATA_OPTIMIZER, "SGD", {{"nesterov", true}});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ExitCode::kModel);
  EXPECT_EQ(refused.error().message, "`nesterov = true` needs a `momentum` above 0, and it is 0");
}

TEST(SGD, HasASlotOnlyWithMomentum) {
  const auto slots = [](const Json& options) {
    const InstancePtr sgd = create(STRATA_OPTIMIZER, "SGD", options);
    return sgd->functions<strata_optimizer>().slot_count(sgd->raw());
  };
  EXPECT_EQ(slots(Json::object()), 0);
  EXPECT_EQ(slots({{"momentum", 0.9}}), 1);
}

}  // namespace
}  // namespace strata::test
