// Layers, losses and optimizers against PyTorch's numbers: tests/fixtures/layers.json.
#include "tests/plugins/plugin_test.h"

namespace strata::test {
namespace {

using Values = std::vector<double>;

const Json& fixtures() {
  static const Json json = read_json("tests/fixtures/layers.json");
  return json;
}

Shape per_sample(const Json& tensor) {
  const auto dims = tensor["shape"].get<std::vector<std::int64_t>>();
  return Shape(dims.begin() + 1, dims.end());
}

class LayerFixture : public testing::TestWithParam<std::size_t> {};

TEST_P(LayerFixture, AgreesInF64) {
  const Json& fixture = fixtures()["layers"][GetParam()];
  SCOPED_TRACE(fixture["name"].get<std::string>());
  OneLayer layer(fixture["layer"], fixture["options"], per_sample(fixture["input"]),
                 fixture["input"]["shape"][0]);
  layer.layer_case.input_values[0] = fixture["input"]["values"].get<Values>();
  layer.layer_case.d_output_values[0] = fixture["d_output"]["values"].get<Values>();
  for (std::size_t p = 0; p < layer.plan.parameters.size(); ++p) {
    layer.layer_case.parameter_values[p] =
        fixture["parameters"][layer.plan.parameters[p].name]["values"].get<Values>();
  }
  ASSERT_EQ(fixture["parameters"].size(), layer.plan.parameters.size());
  ASSERT_EQ(fixture["state"].size(), layer.plan.states.size());

  LayerRun<double> run(layer.layer_case, /*is_training=*/true);
  ASSERT_TRUE(run.forward().ok());
  EXPECT_THAT(run.outputs[0].values(), IsNear(fixture["output"]["values"].get<Values>(), 1e-9));
  for (std::size_t s = 0; s < layer.plan.states.size(); ++s) {
    EXPECT_THAT(run.states[s].values(),
                IsNear(fixture["state"][layer.plan.states[s].name]["values"].get<Values>(), 1e-9));
  }
  ASSERT_TRUE(run.backward().ok());
  EXPECT_THAT(run.d_inputs[0].values(), IsNear(fixture["d_input"]["values"].get<Values>(), 1e-9));
  for (std::size_t p = 0; p < layer.plan.parameters.size(); ++p) {
    EXPECT_THAT(
        run.d_parameters[p].values(),
        IsNear(fixture["d_parameters"][layer.plan.parameters[p].name]["values"].get<Values>(),
               1e-9));
  }
  if (!fixture.contains("inference_output")) return;
  for (std::size_t s = 0; s < run.states.size(); ++s)
    layer.layer_case.state_values[s] = run.states[s].values();
  LayerRun<double> inference(layer.layer_case, /*is_training=*/false);
  ASSERT_TRUE(inference.forward().ok());
  EXPECT_THAT(inference.outputs[0].values(),
              IsNear(fixture["inference_output"]["values"].get<Values>(), 1e-9));
}

INSTANTIATE_TEST_SUITE_P(PyTorch, LayerFixture,
                         testing::Range(std::size_t{0}, fixtures()["layers"].size()));

class LossFixture : public testing::TestWithParam<std::size_t> {};

TEST_P(LossFixture, AgreesInF64) {
  const Json& fixture = fixtures()["losses"][GetParam()];
  SCOPED_TRACE(fixture["name"].get<std::string>());
  const InstancePtr loss = create(STRATA_LOSS, fixture["loss"]);
  const auto batch = fixture["prediction"]["shape"][0].get<double>();
  const bool labels = fixture["loss"] == "CrossEntropy";
  const LossResult result = evaluate<double>(
      loss, per_sample(fixture["prediction"]), fixture["prediction"]["values"].get<Values>(),
      labels ? fixture["target"]["values"].get<std::vector<std::int32_t>>()
             : std::vector<std::int32_t>{},
      labels ? Values{} : fixture["target"]["values"].get<Values>(), 1 / batch);
  ASSERT_TRUE(result.status.ok());
  double mean = 0;
  for (const double value : result.losses) mean += value / batch;
  EXPECT_NEAR(mean, fixture["value"].get<double>(), 1e-12 * std::max(1.0, mean));
  EXPECT_THAT(result.gradient, IsNear(fixture["d_prediction"]["values"].get<Values>(), 1e-12));
}

INSTANTIATE_TEST_SUITE_P(PyTorch, LossFixture,
                         testing::Range(std::size_t{0}, fixtures()["losses"].size()));

// Gradient of |A w - b|² / (2 m).
Values least_squares_gradient(const Values& a, const Values& b, const Values& w) {
  const std::size_t n = w.size(), m = b.size();
  Values gradient(n, 0);
  for (std::size_t row = 0; row < m; ++row) {
    double residual = -b[row];
    for (std::size_t i = 0; i < n; ++i) residual += a[row * n + i] * w[i];
    for (std::size_t i = 0; i < n; ++i)
      gradient[i] += a[row * n + i] * residual / static_cast<double>(m);
  }
  return gradient;
}

TEST(Optimizers, FollowPyTorchForTwentySteps) {
  const Json& problem = fixtures()["optimizers"];
  const auto a = problem["a"]["values"].get<Values>(), b = problem["b"]["values"].get<Values>();
  ASSERT_GE(problem["cases"].size(), 6u);
  for (const Json& fixture : problem["cases"]) {
    SCOPED_TRACE(fixture.dump().substr(0, 100));
    const InstancePtr optimizer =
        create(STRATA_OPTIMIZER, fixture["optimizer"], fixture["options"]);
    const auto& table = optimizer->functions<strata_optimizer>();
    const auto start = problem["start"]["values"].get<Values>();
    const auto n = static_cast<std::int64_t>(start.size());
    Buffer<double> weights(n), gradient(n);
    weights.set(start);
    std::deque<Buffer<double>> slots;
    std::vector<void*> slot_pointers;
    for (std::int64_t s = 0; s < table.slot_count(optimizer->raw()); ++s) {
      slots.emplace_back(n).fill(0);
      slot_pointers.push_back(slots.back().data());
    }
    std::int64_t step = 0;
    for (const Json& expected : fixture["trajectory"]) {
      gradient.set(least_squares_gradient(a, b, weights.values()));
      strata_update_pass pass{};
      pass.struct_size = sizeof pass;
      pass.dtype = STRATA_F64;
      pass.count = n;
      pass.learning_rate = fixture["options"]["lr"].get<double>();
      pass.step = ++step;
      pass.apply_decay = 1;
      pass.weights = weights.data();
      pass.gradient = gradient.data();
      pass.slots = slot_pointers.data();
      ASSERT_TRUE(call_plugin(table.update, optimizer->raw(), &pass).ok());
      ASSERT_THAT(weights.values(), IsNear(expected.get<Values>(), 1e-9)) << "after step " << step;
    }
    EXPECT_EQ(step, 20);
  }
}

}  // namespace
}  // namespace strata::test
