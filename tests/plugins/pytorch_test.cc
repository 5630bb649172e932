// The library against PyTorch's numbers: tests/fixtures/layers.json and library.json.
#include <map>

#include "framework/plugin/testing/optimizer_run.h"
#include "tests/plugins/plugin_test.h"

namespace strata::test {
namespace {

using Values = std::vector<double>;

// Cases of one kind, from both files.
const std::vector<Json>& cases(const std::string& kind) {
  static const auto all = [] {
    std::map<std::string, std::vector<Json>> found;
    for (const char* file : {"tests/fixtures/layers.json", "tests/fixtures/library.json"}) {
      const Json json = read_json(file);
      for (const char* list : {"layers", "losses", "metrics", "schedules"}) {
        if (!json.contains(list)) continue;
        for (const Json& one : json[list]) found[list].push_back(one);
      }
      found["optimizers"].push_back(json["optimizers"]);
    }
    return found;
  }();
  return all.at(kind);
}

Values values(const Json& tensor) { return tensor["values"].get<Values>(); }

// The list of a case, or its only member.
std::vector<Json> several(const Json& fixture, const std::string& name) {
  if (!fixture.contains(name + "s")) return {fixture[name]};
  return fixture[name + "s"].get<std::vector<Json>>();
}

Json options_of(const Json& fixture) {
  return fixture.contains("options") ? fixture["options"] : Json::object();
}

Shape per_sample(const Json& tensor) {
  const auto dims = tensor["shape"].get<std::vector<std::int64_t>>();
  return Shape(dims.begin() + 1, dims.end());
}

class LayerFixture : public testing::TestWithParam<std::size_t> {};

TEST_P(LayerFixture, AgreesInF64) {
  const Json& fixture = cases("layers")[GetParam()];
  SCOPED_TRACE(fixture["name"].get<std::string>());
  const InstancePtr instance = create(STRATA_LAYER, fixture["layer"], fixture["options"]);
  const auto tensors = several(fixture, "input"), outputs = several(fixture, "output"),
             d_outputs = several(fixture, "d_output"), d_inputs = several(fixture, "d_input");
  std::vector<Shape> shapes;
  std::vector<Input> inputs;
  for (const Json& tensor : tensors) {
    shapes.push_back(per_sample(tensor));
    inputs.push_back({"x", shapes.back(), STRATA_REAL, false, 0});
  }
  const auto plan = infer(*instance, inputs);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  LayerCase layer_case(*instance, *plan, shapes, tensors[0]["shape"][0]);
  ASSERT_EQ(plan->outputs.size(), outputs.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) layer_case.input_values[i] = values(tensors[i]);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    EXPECT_EQ(plan->outputs[i], per_sample(outputs[i]));
    layer_case.d_output_values[i] = values(d_outputs[i]);
  }
  ASSERT_EQ(fixture["parameters"].size(), plan->parameters.size());
  for (std::size_t p = 0; p < plan->parameters.size(); ++p)
    layer_case.parameter_values[p] = values(fixture["parameters"][plan->parameters[p].name]);
  ASSERT_EQ(fixture["state"].size(), plan->states.size());
  if (fixture.contains("start_state")) {
    for (std::size_t k = 0; k < plan->states.size(); ++k)
      layer_case.state_values[k] = values(fixture["start_state"][plan->states[k].name]);
  }

  LayerRun<double> run(layer_case, /*is_training=*/true);
  ASSERT_TRUE(run.forward().ok());
  for (std::size_t i = 0; i < outputs.size(); ++i)
    EXPECT_THAT(run.outputs[i].values(), IsNear(values(outputs[i]), 1e-9));
  for (std::size_t s = 0; s < plan->states.size(); ++s) {
    EXPECT_THAT(run.states[s].values(),
                IsNear(values(fixture["state"][plan->states[s].name]), 1e-9));
  }
  ASSERT_TRUE(run.backward().ok());
  for (std::size_t i = 0; i < d_inputs.size(); ++i)
    EXPECT_THAT(run.d_inputs[i].values(), IsNear(values(d_inputs[i]), 1e-9));
  for (std::size_t p = 0; p < plan->parameters.size(); ++p) {
    EXPECT_THAT(run.d_parameters[p].values(),
                IsNear(values(fixture["d_parameters"][plan->parameters[p].name]), 1e-9));
  }
  if (!fixture.contains("inference_output")) return;
  for (std::size_t s = 0; s < run.states.size(); ++s)
    layer_case.state_values[s] = run.states[s].values();
  LayerRun<double> inference(layer_case, /*is_training=*/false);
  ASSERT_TRUE(inference.forward().ok());
  EXPECT_THAT(inference.outputs[0].values(), IsNear(values(fixture["inference_output"]), 1e-9));
}

INSTANTIATE_TEST_SUITE_P(PyTorch, LayerFixture,
                         testing::Range(std::size_t{0}, cases("layers").size()));

class LossFixture : public testing::TestWithParam<std::size_t> {};

TEST_P(LossFixture, AgreesInF64) {
  const Json& fixture = cases("losses")[GetParam()];
  SCOPED_TRACE(fixture["name"].get<std::string>());
  const InstancePtr loss = create(STRATA_LOSS, fixture["loss"], options_of(fixture));
  const auto batch = fixture["prediction"]["shape"][0].get<double>();
  const Json& target = fixture["target"]["values"];
  const bool labels = target[0].is_number_integer();
  const LossResult result = evaluate<double>(
      loss, per_sample(fixture["prediction"]), values(fixture["prediction"]),
      labels ? target.get<std::vector<std::int32_t>>() : std::vector<std::int32_t>{},
      labels ? Values{} : target.get<Values>(), 1 / batch);
  ASSERT_TRUE(result.status.ok());
  double mean = 0;
  for (const double value : result.losses) mean += value / batch;
  EXPECT_NEAR(mean, fixture["value"].get<double>(), 1e-12 * std::max(1.0, mean));
  EXPECT_THAT(result.gradient, IsNear(values(fixture["d_prediction"]), 1e-12));
}

INSTANTIATE_TEST_SUITE_P(PyTorch, LossFixture,
                         testing::Range(std::size_t{0}, cases("losses").size()));

// Of two batches that the samples are cut into.
TEST(Metrics, AgreeWithTheirDefinitions) {
  for (const Json& fixture : cases("metrics")) {
    SCOPED_TRACE(fixture["metric"].dump() + fixture["options"].dump());
    const InstancePtr metric = create(STRATA_METRIC, fixture["metric"], fixture["options"]);
    const Shape shape = per_sample(fixture["prediction"]);
    const Json& target = fixture["target"]["values"];
    const bool labels = target[0].is_number_integer();
    const auto classes = std::max<std::int64_t>(2, shape[0]);
    const auto plan =
        infer(*metric, {output(shape), labels ? label(classes) : strata::test::target(shape)});
    ASSERT_TRUE(plan.ok()) << plan.error().message;
    const Values scores = values(fixture["prediction"]), aims = target.get<Values>();
    const auto numbers = target.get<std::vector<std::int32_t>>();
    const std::int64_t batch = fixture["prediction"]["shape"][0], width = shape.elements();
    Values accumulator(static_cast<std::size_t>(plan->accumulator)),
        results(plan->results.size(), -1);
    const strata_shape shapes[] = {plugin_internal::from_shape(shape),
                                   plugin_internal::from_shape(labels ? Shape{} : shape)};
    const std::int64_t cut = batch / 3;
    for (const auto& [first, count] : {std::pair{std::int64_t{0}, cut}, {cut, batch - cut}}) {
      const void* inputs[] = {
          scores.data() + first * width,
          labels ? static_cast<const void*>(numbers.data() + first) : aims.data() + first * width};
      strata_metric_pass pass{};
      pass.struct_size = sizeof pass;
      pass.dtype = STRATA_F64;
      pass.batch = count;
      pass.shapes = shapes;
      pass.inputs = inputs;
      pass.accumulator = accumulator.data();
      ASSERT_TRUE(
          call_plugin(metric->functions<strata_metric>().update, metric->raw(), &pass).ok());
    }
    ASSERT_TRUE(call_plugin(metric->functions<strata_metric>().results, metric->raw(),
                            static_cast<const double*>(accumulator.data()), results.data())
                    .ok());
    EXPECT_THAT(results, IsNear(fixture["results"].get<Values>(), 1e-12));
  }
}

TEST(Schedules, AgreeWithPyTorch) {
  for (const Json& fixture : cases("schedules")) {
    SCOPED_TRACE(fixture["schedule"].dump() + fixture["options"].dump());
    const InstancePtr schedule = create(STRATA_SCHEDULE, fixture["schedule"], fixture["options"]);
    const auto& table = schedule->functions<strata_schedule>();
    const std::int64_t total = fixture["total"], per_epoch = fixture["per_epoch"];
    const auto figures = fixture.value("figures", Values{});
    ASSERT_EQ(table.state_count != nullptr, !figures.empty());
    Values state(figures.empty() ? 0
                                 : static_cast<std::size_t>(table.state_count(schedule->raw())));
    Values factors;
    for (std::int64_t step = 0; step < total; ++step) {
      if (!figures.empty() && step > 0 && step % per_epoch == 0) {
        const std::int64_t epoch = step / per_epoch;
        const strata_observation seen{sizeof seen, fixture["higher_is_better"].get<bool>(), epoch,
                                      figures[static_cast<std::size_t>(epoch - 1)], state.data()};
        ASSERT_TRUE(call_plugin(table.observe, schedule->raw(), &seen).ok());
      }
      factors.push_back(figures.empty() ? table.factor(schedule->raw(), step, total, per_epoch)
                                        : table.factor_after(schedule->raw(), state.data(), step,
                                                             total, per_epoch));
    }
    EXPECT_THAT(factors, IsNear(fixture["factors"].get<Values>(), 1e-12));
  }
}

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

void follow(const Json& problem) {
  const auto a = problem["a"]["values"].get<Values>(), b = problem["b"]["values"].get<Values>();
  ASSERT_GE(problem["cases"].size(), 6u);
  for (const Json& fixture : problem["cases"]) {
    SCOPED_TRACE(fixture.dump().substr(0, 100));
    const InstancePtr optimizer =
        create(STRATA_OPTIMIZER, fixture["optimizer"], fixture["options"]);
    const auto start = problem["start"]["values"].get<Values>();
    const auto n = static_cast<std::int64_t>(start.size());
    conformance::OptimizerRun<double> run(*optimizer, {0, 2, n});
    run.weights.set(start);
    std::int64_t step = 0;
    for (const Json& expected : fixture["trajectory"]) {
      run.gradient.set(least_squares_gradient(a, b, run.weights.values()));
      ASSERT_TRUE(run.step(++step, fixture["options"]["lr"].get<double>(), true).ok());
      ASSERT_THAT(run.weights.values(), IsNear(expected.get<Values>(), 1e-9))
          << "after step " << step;
    }
    EXPECT_EQ(step, 20);
  }
}

TEST(Optimizers, FollowPyTorchForTwentySteps) {
  for (const Json& problem : cases("optimizers")) follow(problem);
}

}  // namespace
}  // namespace strata::test
