// The checks of losses and metrics: values of the model (real) against targets (real values, or
// class numbers).
#include "framework/plugin/pass.h"
#include "framework/plugin/services.h"
#include "framework/plugin/testing/checker.h"

namespace strata::conformance {
namespace {

constexpr std::int64_t kBatch = 9;

// Inputs that a loss or metric may be called with, and their values for kBatch samples.
struct TargetCase {
  std::string name;
  std::vector<Input> inputs;
  std::vector<std::vector<double>> values;

  Input& add(const Shape& shape, strata_dtype dtype, bool is_target, std::int64_t classes = 0) {
    inputs.push_back({is_target ? "target" : "prediction", shape, dtype, is_target, classes});
    std::vector<double> drawn = sample_values(kBatch * shape.elements(), 40 + inputs.size());
    if (classes > 0) {
      for (std::size_t i = 0; i < drawn.size(); ++i)
        drawn[i] = static_cast<double>((7 * i + 3) % static_cast<std::size_t>(classes));
    }
    values.push_back(std::move(drawn));
    return inputs.back();
  }
};

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

// The case's first `samples` values as buffers of the types that a pass has.
template <class T>
struct TargetBuffers {
  TargetBuffers(const TargetCase& c, std::int64_t first, std::int64_t samples) {
    for (std::size_t i = 0; i < c.inputs.size(); ++i) {
      const std::int64_t elements = c.inputs[i].shape.elements();
      const std::span<const double> values =
          std::span(c.values[i])
              .subspan(static_cast<std::size_t>(first * elements),
                       static_cast<std::size_t>(samples * elements));
      if (c.inputs[i].dtype == STRATA_I32) {
        labels.emplace_back(samples).set(values);
        pointers.push_back(labels.back().data());
        gradients.emplace_back(0);
      } else {
        reals.emplace_back(samples * elements).set(values);
        pointers.push_back(reals.back().data());
        gradients.emplace_back(samples * elements);
      }
      shapes.push_back(plugin_internal::from_shape(c.inputs[i].shape));
    }
  }
  bool intact() const {
    const auto good = [](const auto& b) { return b.intact(); };
    return std::all_of(labels.begin(), labels.end(), good) &&
           std::all_of(reals.begin(), reals.end(), good) &&
           std::all_of(gradients.begin(), gradients.end(), good);
  }
  std::deque<Buffer<std::int32_t>> labels;
  std::deque<Buffer<T>> reals, gradients;  // gradients: one per input, empty for class numbers
  std::vector<const void*> pointers;
  std::vector<strata_shape> shapes;
};

template <class T>
struct LossRun {
  LossRun(const TargetCase& c, std::int64_t first = 0, std::int64_t samples = kBatch)
      : target_case(c), batch(samples), buffers(c, first, samples), losses(samples) {}

  // Gradients are wanted for real inputs that are no targets.
  Status evaluate(const Instance& loss, bool want_gradients,
                  const strata_services& services = serial_services()) {
    std::vector<void*> d_inputs;
    for (std::size_t i = 0; i < target_case.inputs.size(); ++i) {
      const bool wanted = want_gradients && !target_case.inputs[i].is_target;
      buffers.gradients[i].fill_poison();
      d_inputs.push_back(wanted ? buffers.gradients[i].data() : nullptr);
    }
    losses.fill_poison();
    strata_loss_pass raw{};
    raw.struct_size = sizeof raw;
    raw.dtype = dtype_of<T>();
    raw.batch = batch;
    raw.shapes = buffers.shapes.data();
    raw.inputs = buffers.pointers.data();
    raw.losses = losses.data();
    raw.d_inputs = want_gradients ? d_inputs.data() : nullptr;
    raw.scale = scale;
    raw.services = &services;
    const std::int64_t before = allocations ? allocations() : 0;
    Status done = call_plugin(loss.functions<strata_loss>().evaluate, loss.raw(), &raw);
    if (allocations && done.ok()) allocated += allocations() - before;
    return done;
  }
  double objective() const {
    double sum = 0;
    for (const double loss : losses.span()) sum += scale * loss;
    return sum;
  }

  const TargetCase& target_case;
  std::int64_t batch;
  TargetBuffers<T> buffers;
  Buffer<double> losses;
  double scale = 0.375;
  std::int64_t (*allocations)() = nullptr;
  std::int64_t allocated = 0;
};

void check_loss_gradients(Checker& checker, const Instance& loss, const TargetCase& c,
                          const LossRun<double>& run) {
  LossRun<double> probe(c);
  std::size_t real = 0;
  for (std::size_t b = 0; b < c.inputs.size(); ++b) {
    if (c.inputs[b].dtype != STRATA_REAL) continue;
    Buffer<double>& buffer = probe.buffers.reals[real++];
    if (c.inputs[b].is_target) continue;
    for (const std::int64_t i : spread(buffer.size(), 60)) {
      double& x = buffer.data()[i];
      const double before = x, found = run.buffers.gradients[b].data()[i];
      const double numeric = derivative(
          [&](double value) {
            x = value;
            (void)probe.evaluate(loss, /*want_gradients=*/false).ok();
            return probe.objective();
          },
          before);
      x = before;
      if (!checker.expect(derivative_agrees(found, numeric, std::abs(run.objective())),
                          "the gradient of input {} is {} at element {}, and differences say {}", b,
                          found, i, numeric)) {
        return;
      }
    }
  }
}

void check_loss_case(Checker& checker, const Instance& loss, const TargetCase& c) {
  LossRun<double> run(c);
  run.allocations = checker.options.allocations;
  if (!checker.expect_ok(run.evaluate(loss, true), "evaluate")) return;
  checker.expect(all_finite(run.losses.values()), "a loss is not finite, or not written");
  checker.expect(run.buffers.intact() && run.losses.intact(), "writes outside of its buffers");
  checker.expect(run.allocated == 0, "allocates memory {} times", run.allocated);
  for (std::size_t b = 0; b < c.inputs.size(); ++b) {
    if (c.inputs[b].is_target) continue;
    checker.expect(all_finite(run.buffers.gradients[b].values()),
                   "the gradient of input {} is not finite, or added to what was there", b);
  }
  check_loss_gradients(checker, loss, c, run);

  LossRun<double> plain(c), backwards(c);
  (void)plain.evaluate(loss, false).ok();
  (void)backwards.evaluate(loss, true, serial_services(/*backwards=*/true)).ok();
  checker.expect(same_bits(run.losses, plain.losses),
                 "losses are others where no gradient is wanted");
  checker.expect(same_bits(run.losses, backwards.losses),
                 "losses are others when tasks come last to first");
  for (std::int64_t sample = 0; sample < kBatch; ++sample) {
    LossRun<double> alone(c, sample, 1);
    (void)alone.evaluate(loss, true).ok();
    if (!checker.expect(
            deviation(alone.losses.values(), run.losses.values().size() > 0
                                                 ? std::vector<double>{run.losses.data()[sample]}
                                                 : std::vector<double>{}) < 1e-12,
            "the loss of sample {} depends on the others of its batch", sample)) {
      break;
    }
  }
  LossRun<float> rough(c);
  if (!checker.expect_ok(rough.evaluate(loss, true), "evaluate in f32")) return;
  checker.expect(deviation(rough.losses.values(), run.losses.values()) < 1e-4,
                 "losses differ between f32 and f64");
  for (std::size_t b = 0; b < c.inputs.size(); ++b) {
    if (c.inputs[b].is_target) continue;
    checker.expect(
        deviation(rough.buffers.gradients[b].values(), run.buffers.gradients[b].values()) < 1e-4,
        "the gradient of input {} differs between f32 and f64", b);
  }
  on_each_pool([&](int threads) {
    LossRun<float> pooled(c);
    (void)pooled.evaluate(loss, true, host_services()).ok();
    checker.expect(same_bits(pooled.losses, rough.losses), "losses are others on {} threads",
                   threads);
  });
}

template <class T>
std::vector<double> accumulate(Checker& checker, const Instance& metric, const InferredPlan& plan,
                               const TargetCase& c, const std::vector<std::int64_t>& cuts) {
  Buffer<double> accumulator(plan.accumulator);
  accumulator.fill(0);
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    TargetBuffers<T> buffers(c, cuts[i], cuts[i + 1] - cuts[i]);
    strata_metric_pass raw{};
    raw.struct_size = sizeof raw;
    raw.dtype = dtype_of<T>();
    raw.batch = cuts[i + 1] - cuts[i];
    raw.shapes = buffers.shapes.data();
    raw.inputs = buffers.pointers.data();
    raw.accumulator = accumulator.data();
    checker.expect_ok(call_plugin(metric.functions<strata_metric>().update, metric.raw(), &raw),
                      "update");
    checker.expect(buffers.intact(), "writes outside of its buffers");
  }
  checker.expect(accumulator.intact(), "writes outside of its accumulator");
  Buffer<double> results(static_cast<std::int64_t>(plan.results.size()));
  checker.expect_ok(call_plugin(metric.functions<strata_metric>().results, metric.raw(),
                                static_cast<const double*>(accumulator.data()), results.data()),
                    "results");
  checker.expect(results.intact(), "writes more results than it declared");
  checker.expect(all_finite(results.values()), "a result is not finite, or not written");
  return results.values();
}

void check_metric_case(Checker& checker, const Instance& metric, const InferredPlan& plan,
                       const TargetCase& c) {
  checker.expect(!plan.results.empty(), "has no results");
  checker.expect(plan.accumulator > 0, "accumulates nothing");
  for (const auto& result : plan.results) {
    checker.expect(is_snake_case(result.name), "the result `{}` is not in snake_case", result.name);
  }
  const auto whole = accumulate<double>(checker, metric, plan, c, {0, kBatch});
  checker.expect(
      deviation(accumulate<double>(checker, metric, plan, c, {0, 1, 4, kBatch}), whole) < 1e-12,
      "results depend on how samples are cut into batches");
  checker.expect(deviation(accumulate<float>(checker, metric, plan, c, {0, kBatch}), whole) < 1e-4,
                 "results differ between f32 and f64");
}

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

}  // namespace

void check_loss(Checker& checker) {
  check_all_cases(checker, [&](const Instance& loss, const InferredPlan&, const TargetCase& c) {
    check_loss_case(checker, loss, c);
  });
}

void check_metric(Checker& checker) {
  check_all_cases(checker,
                  [&](const Instance& metric, const InferredPlan& plan, const TargetCase& c) {
                    check_metric_case(checker, metric, plan, c);
                  });
}

}  // namespace strata::conformance
