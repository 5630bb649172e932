// The checks of layers: each case (options, shapes, batch) in training and in inference.
#include <algorithm>
#include <functional>

#include "framework/plugin/services.h"
#include "framework/plugin/testing/layer_run.h"

namespace strata::conformance {
namespace {

// A run's gradients: of inputs, then of parameters.
template <class T>
std::vector<std::vector<double>> gradients(const LayerRun<T>& run) {
  std::vector<std::vector<double>> out;
  for (std::size_t i = 0; i < run.d_inputs.size(); ++i) out.push_back(run.d_input(i).values());
  for (const auto& buffer : run.d_parameters) out.push_back(buffer.values());
  return out;
}

class LayerChecker {
 public:
  LayerChecker(Checker& checker, const LayerCase& layer_case, bool training)
      : checker_(checker), case_(layer_case), training_(training) {}

  // Everything but threads. Returns the states afterwards, empty where a pass failed.
  std::vector<std::vector<double>> check_all() {
    LayerRun<double> run(case_, training_);
    if (!check_passes(run)) return {};
    expected_ = gradients(run);
    check_numeric_gradients();
    check_accumulation();
    check_unwanted_gradients();
    check_precisions(run);
    check_in_place();
    check_key();
    check_task_order<double>();
    std::vector<std::vector<double>> states;
    for (const auto& state : run.states) states.push_back(state.values());
    return states;
  }

  // Another instance gives the same: `remade` has one that was made anew from the same options.
  void check_remade(const LayerCase& remade) {
    LayerRun<float> one(case_, training_), other(remade, training_);
    if (run_keeping_outputs(one) && run_keeping_outputs(other))
      expect_same(one, other, "in a new instance that has what was saved");
  }

  // For cases large enough to be cut into tasks.
  void check_threads() {
    check_pools<float>();
    check_pools<double>();
    check_task_order<float>();
  }

 private:
  const char* mode() const { return training_ ? "training" : "inference"; }
  bool overwrites() const { return case_.plan.has(STRATA_OVERWRITES); }

  template <class T>
  bool run_both(LayerRun<T>& run) {
    return checker_.expect_ok(run.forward(), fmt::format("forward in {}", mode())) &&
           checker_.expect_ok(run.backward(), fmt::format("backward in {}", mode()));
  }

  bool check_passes(LayerRun<double>& run) {
    if (checker_.options.allocations) {
      LayerRun<double> first(case_, training_);  // the host's own buffers grow in a first step
      (void)(first.forward().ok() && first.backward().ok());
      run.allocations = checker_.options.allocations;
    }
    if (!checker_.expect_ok(run.forward(), fmt::format("forward in {}", mode()))) return false;
    for (const auto& output : run.outputs) {
      checker_.expect(all_finite(output.values()),
                      "an output is not finite in {}: some of it is not written, or depends on "
                      "what nobody wrote",
                      mode());
    }
    for (std::size_t i = 0; i < run.states.size(); ++i) {
      checker_.expect(all_finite(run.states[i].values()), "a state is not finite in {}", mode());
      checker_.expect(training_ || run.states[i].values() == case_.state_values[i],
                      "inference changes the state `{}`", case_.plan.states[i].name);
    }
    if (!checker_.expect_ok(run.backward(), fmt::format("backward in {}", mode()))) return false;
    for (const auto& gradient : gradients(run)) {
      checker_.expect(all_finite(gradient),
                      "a gradient is not finite in {}: it depends on what the plan does not ask "
                      "for, or nobody wrote",
                      mode());
    }
    checker_.expect(run.guards_intact(), "writes outside of its buffers in {}", mode());
    checker_.expect(run.constants_intact(), "changes what it may only read in {}", mode());
    checker_.expect(run.allocated == 0, "allocates memory in {}: {} times", mode(), run.allocated);
    return true;
  }

  // Central differences of sum(d_output · output), at up to 40 places of each input and parameter.
  void check_numeric_gradients() {
    LayerRun<double> probe(case_, training_);
    const auto compare = [&](const std::string& name, LayerRun<double>::Buffers& buffers,
                             std::size_t b, const std::vector<double>& analytic) {
      for (const std::int64_t i : spread(buffers[b].size(), 40)) {
        double& x = buffers[b].data()[i];
        const double before = x;
        double size = 0;
        const double numeric = derivative(
            [&](double value) {
              x = value;
              for (std::size_t s = 0; s < probe.states.size(); ++s)
                probe.states[s].set(case_.state_values[s]);
              (void)probe.forward().ok();
              const double objective = probe.objective();
              size = std::max(size, std::abs(objective));
              return objective;
            },
            before);
        x = before;
        const double found = analytic[static_cast<std::size_t>(i)];
        if (!checker_.expect(derivative_agrees(found, numeric, size),
                             "the gradient of {} in {} is {} at element {}, and differences say {}",
                             name, mode(), found, i, numeric)) {
          return;
        }
      }
    };
    for (std::size_t b = 0; b < probe.inputs.size(); ++b) {
      if (case_.plan.has_trait("takes-indices") && b == 0) {
        checker_.expect(
            std::all_of(expected_[b].begin(), expected_[b].end(), [](double x) { return x == 0; }),
            "the gradient of indices is not 0 in {}", mode());
        continue;
      }
      compare(fmt::format("input {}", b), probe.inputs, b, expected_[b]);
    }
    for (std::size_t b = 0; b < probe.parameters.size(); ++b) {
      compare(fmt::format("`{}`", case_.plan.parameters[b].name), probe.parameters, b,
              expected_[probe.inputs.size() + b]);
    }
  }

  // Gradients of parameters are added to what is there; those of inputs too, unless asked to
  // overwrite.
  void check_accumulation() {
    constexpr double kBefore = 0.75;
    LayerRun<double> added(case_, training_);
    added.reset_gradients(kBefore);
    if (!run_both(added)) return;
    const auto found = gradients(added);
    for (std::size_t b = 0; b < found.size(); ++b) {
      std::vector<double> want = expected_[b];
      for (double& x : want) x += kBefore;
      checker_.expect(deviation(found[b], want) < 1e-12,
                      "gradient {} is not added to what was there in {}", b, mode());
    }
    if (!overwrites()) return;
    LayerRun<double> overwritten(case_, training_);
    std::fill(overwritten.accumulate.begin(), overwritten.accumulate.end(), std::uint8_t{0});
    for (auto& buffer : overwritten.d_inputs) buffer.fill_poison();
    if (!run_both(overwritten)) return;
    for (std::size_t b = 0; b < overwritten.d_inputs.size(); ++b) {
      checker_.expect(deviation(overwritten.d_inputs[b].values(), expected_[b]) < 1e-12,
                      "the gradient of input {} is not overwritten where the plan says so, in {}",
                      b, mode());
    }
  }

  // Without the gradients of inputs (the first layer of a model) those of parameters are the same.
  void check_unwanted_gradients() {
    LayerRun<double> run(case_, training_);
    std::fill(run.wanted.begin(), run.wanted.end(), false);
    if (!run_both(run)) return;
    for (std::size_t b = 0; b < run.d_parameters.size(); ++b) {
      checker_.expect(
          run.d_parameters[b].values() == expected_[run.d_inputs.size() + b],
          "the gradient of `{}` is another one where none is wanted for the inputs, in {}",
          case_.plan.parameters[b].name, mode());
    }
    checker_.expect(run.guards_intact(), "writes outside of its buffers in {}", mode());
  }

  void check_precisions(const LayerRun<double>& exact) {
    LayerRun<float> rough(case_, training_);
    if (!run_both(rough)) return;
    const auto fine = gradients(exact), coarse = gradients(rough);
    for (std::size_t b = 0; b < fine.size(); ++b) {
      const double gap = deviation(coarse[b], fine[b]);
      checker_.expect(gap < 1e-3, "gradient {} differs by {:.2g} between f32 and f64 in {}", b, gap,
                      mode());
    }
    // Backward poisoned outputs that it does not ask for.
    LayerRun<double> again(case_, training_);
    LayerRun<float> again32(case_, training_);
    (void)again.forward().ok();
    (void)again32.forward().ok();
    for (std::size_t b = 0; b < again.outputs.size(); ++b) {
      const double gap = deviation(again32.outputs[b].values(), again.outputs[b].values());
      checker_.expect(gap < 1e-4, "output {} differs by {:.2g} between f32 and f64 in {}", b, gap,
                      mode());
    }
    checker_.expect(rough.guards_intact(), "writes outside of its f32 buffers in {}", mode());
  }

  void check_in_place() {
    if (!case_.plan.has(STRATA_IN_PLACE)) return;
    checker_.expect(!case_.plan.has(STRATA_NEEDS_INPUT),
                    "in_place() and needs_input() exclude each other");
    LayerRun<double> apart(case_, training_), shared(case_, training_);
    shared.share_storage();
    std::fill(apart.accumulate.begin(), apart.accumulate.end(), std::uint8_t{0});
    std::fill(shared.accumulate.begin(), shared.accumulate.end(), std::uint8_t{0});
    (void)apart.forward().ok();
    if (!checker_.expect_ok(shared.forward(), "forward in place")) return;
    checker_.expect(same_bits(apart.output(0), shared.output(0)),
                    "forward in place gives something else in {}", mode());
    (void)apart.backward().ok();
    if (!checker_.expect_ok(shared.backward(), "backward in place")) return;
    checker_.expect(same_bits(apart.d_input(0), shared.d_input(0)),
                    "backward in place gives something else in {}", mode());
  }

  // Another key changes random layers in training, and nothing else.
  void check_key() {
    LayerRun<double> one(case_, training_), same(case_, training_), other(case_, training_);
    other.key = {111, 131};
    for (auto* run : {&one, &same, &other}) (void)run->forward().ok();
    bool equal = true, equal_with_other_key = true;
    for (std::size_t i = 0; i < one.outputs.size(); ++i) {
      equal = equal && same_bits(one.outputs[i], same.outputs[i]);
      equal_with_other_key = equal_with_other_key && same_bits(one.outputs[i], other.outputs[i]);
    }
    checker_.expect(equal, "the same call gives other outputs in {}", mode());
    const bool random = training_ && case_.plan.has_trait("random-mask");
    checker_.expect(random || equal_with_other_key, "depends on the random stream in {}, {}",
                    mode(),
                    training_ ? "and has no trait that says so" : "where nothing may be random");
  }

  template <class T>
  void expect_same(const LayerRun<T>& a, const LayerRun<T>& b, const std::string& when) {
    const auto same = [](const auto& left, const auto& right) {
      for (std::size_t i = 0; i < left.size(); ++i) {
        if (!same_bits(left[i], right[i])) return false;
      }
      return true;
    };
    checker_.expect(same(a.outputs, b.outputs) && same(a.d_inputs, b.d_inputs) &&
                        same(a.d_parameters, b.d_parameters) && same(a.states, b.states),
                    "gives other bits {} in {} ({})", when, mode(), sizeof(T) == 4 ? "f32" : "f64");
  }

  // Outputs are copied before backward poisons them.
  template <class T>
  bool run_keeping_outputs(LayerRun<T>& run) {
    if (!checker_.expect_ok(run.forward(), "forward")) return false;
    std::vector<std::vector<double>> outputs;
    for (auto& output : run.outputs) outputs.push_back(output.values());
    if (!checker_.expect_ok(run.backward(), "backward")) return false;
    for (std::size_t i = 0; i < outputs.size(); ++i) run.outputs[i].set(outputs[i]);
    return true;
  }

  template <class T>
  void check_task_order() {
    LayerRun<T> forth(case_, training_),
        back(case_, training_, serial_services(/*backwards=*/true));
    if (run_keeping_outputs(forth) && run_keeping_outputs(back))
      expect_same(forth, back, "when tasks come last to first");
  }

  template <class T>
  void check_pools() {
    LayerRun<T> serial(case_, training_);
    if (!run_keeping_outputs(serial)) return;
    checker_.expect(serial.guards_intact(), "writes outside of its buffers in {}", mode());
    on_each_pool([&](int threads) {
      LayerRun<T> run(case_, training_, host_services());
      if (run_keeping_outputs(run)) expect_same(serial, run, fmt::format("on {} threads", threads));
    });
  }

  Checker& checker_;
  const LayerCase& case_;
  const bool training_;
  std::vector<std::vector<double>> expected_;  // gradients
};

void check_modes(Checker& checker, LayerCase layer_case) {
  const auto trained = LayerChecker(checker, layer_case, /*training=*/true).check_all();
  if (trained.size() != layer_case.state_values.size()) return;
  for (std::size_t s = 0; s < trained.size(); ++s) {
    for (std::size_t i = 0; i < trained[s].size(); ++i) {
      layer_case.state_values[s][i] =
          static_cast<float>(trained[s][i]);  // inference sees what training left
    }
  }
  LayerChecker(checker, layer_case, /*training=*/false).check_all();
}

// After one batch, the states are saved, and a new instance goes on with another batch: nothing
// that counts may stay behind in the old one.
void check_round_trip(Checker& checker, const LayerCase& first, const std::vector<Input>& inputs) {
  const auto fresh = Instance::create(first.instance.call());
  if (!checker.expect(fresh.ok(), "cannot be created a second time")) return;
  const auto plan = infer(**fresh, inputs);
  if (!checker.expect(plan.ok(), "infers no shapes the second time")) return;
  const auto same_shape = [](const auto& a, const auto& b) {
    return a.name == b.name && a.shape == b.shape;
  };
  const auto same = [&](const auto& a, const auto& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_shape);
  };
  if (!checker.expect(same(plan->states, first.plan.states) &&
                          same(plan->parameters, first.plan.parameters) &&
                          plan->outputs == first.plan.outputs,
                      "a new instance has other states, parameters or outputs"))
    return;
  LayerRun<float> before(first, /*is_training=*/true);
  if (!before.forward().ok() || !before.backward().ok()) return;
  LayerCase kept(first.instance, first.plan, first.inputs, first.batch),
      remade(**fresh, *plan, first.inputs, first.batch);
  for (LayerCase* next : {&kept, &remade}) {
    for (auto& values : next->input_values) std::reverse(values.begin(), values.end());
    for (std::size_t s = 0; s < next->state_values.size(); ++s)
      next->state_values[s] = before.states[s].values();
  }
  LayerChecker(checker, kept, /*training=*/true).check_remade(remade);
}

// One value per feature may be refused in training, by layers that say so, and never in inference.
void check_one_sample(Checker& checker, const LayerCase& layer_case) {
  LayerRun<double> training(layer_case, /*is_training=*/true);
  const Status done = training.forward();
  if (!done.ok()) {
    checker.expect(layer_case.plan.has(STRATA_BATCH_STATISTICS),
                   "training on one sample failed: {}", done.error().message);
    checker.expect(done.error().code == ExitCode::kModel && !done.error().message.empty(),
                   "refuses one sample without a sentence for the user");
  }
  LayerRun<double> inference(layer_case, /*is_training=*/false);
  checker.expect_ok(inference.forward(), "inference on one sample");
}

std::vector<std::vector<Shape>> candidates(const strata_schema& schema) {
  std::vector<std::vector<Shape>> out;
  const std::vector<std::int64_t> counts =
      schema.variadic ? std::vector<std::int64_t>{2, 3}
                      : std::vector<std::int64_t>{std::max<std::int64_t>(1, schema.input_count)};
  for (const Shape& shape : {Shape{5}, Shape{1}, Shape{70}, Shape{3, 4}, Shape{2, 6},
                             Shape{3, 4, 5}, Shape{4, 6, 6}, Shape{1, 8, 8}, Shape{2, 9, 7}}) {
    for (const std::int64_t count : counts)
      out.emplace_back(static_cast<std::size_t>(count), shape);
  }
  return out;
}

void check_plan(Checker& checker, const InferredPlan& plan) {
  checker.expect(!plan.outputs.empty(), "has no output");
  checker.expect(plan.flops >= 0 && std::isfinite(plan.flops),
                 "its floating-point operations are {}", plan.flops);
  for (const auto& parameter : plan.parameters) {
    checker.expect(is_snake_case(parameter.name), "the parameter `{}` is not in snake_case",
                   parameter.name);
    checker.expect(parameter.initializer != nullptr, "the parameter `{}` has no initializer",
                   parameter.name);
    checker.expect(parameter.fan_in > 0 && parameter.fan_out > 0, "the fans of `{}` are {} and {}",
                   parameter.name, parameter.fan_in, parameter.fan_out);
  }
  for (const auto& state : plan.states) {
    checker.expect(is_snake_case(state.name), "the state `{}` is not in snake_case", state.name);
  }
}

}  // namespace

void check_layer(Checker& checker) {
  const std::vector<InstancePtr> made = instances(checker);
  for (const InstancePtr& instance : made) {
    int accepted = 0;
    std::optional<std::vector<Shape>> largest;
    for (const std::vector<Shape>& shapes : candidates(checker.entry.schema())) {
      std::vector<Input> inputs;
      std::string shape_text;
      for (const Shape& shape : shapes) {
        inputs.push_back({fmt::format("input{}", inputs.size()), shape, STRATA_REAL, false, 0});
        shape_text += " " + shape.text();
      }
      const auto plan = infer(*instance, inputs);
      checker.context = print_call(instance->call()) + " on" + shape_text;
      if (!plan) {
        checker.expect(plan.error().code == ExitCode::kModel && !plan.error().message.empty(),
                       "refuses a shape without a sentence for the user: {}", plan.error().message);
        continue;
      }
      ++accepted;
      check_plan(checker, *plan);
      if (!largest || shapes[0].elements() > (*largest)[0].elements()) largest = shapes;
      for (const std::int64_t batch : {2, 7, 40}) {
        checker.begin(
            fmt::format("{} on{}, batch {}", print_call(instance->call()), shape_text, batch));
        check_modes(checker, LayerCase(*instance, *plan, shapes, batch));
        check_round_trip(checker, LayerCase(*instance, *plan, shapes, batch), inputs);
      }
      check_one_sample(checker, LayerCase(*instance, *plan, shapes, 1));
      checker.begin(fmt::format("{} on{}, with a NaN", print_call(instance->call()), shape_text));
      check_layer_nan(checker, LayerCase(*instance, *plan, shapes, 7));
    }
    checker.context = print_call(instance->call());
    // As in instances(): options that were changed together may contradict one another, the first
    // ones may not.
    checker.expect(accepted > 0 || instance != made.front(), "accepts none of the shapes tried");
    if (accepted == 0) continue;
    std::vector<Input> inputs;
    for (const Shape& shape : *largest) inputs.push_back({"input", shape, STRATA_REAL, false, 0});
    const auto plan = infer(*instance, inputs);
    checker.begin(
        fmt::format("{} on {}, batch 600", print_call(instance->call()), (*largest)[0].text()));
    LayerCase many(*instance, *plan, *largest, 600);
    for (const bool training : {true, false}) LayerChecker(checker, many, training).check_threads();
    spoil(many);
    checker.begin(checker.context + ", with NaN");
    for (const bool training : {true, false}) {
      if (LayerRun<float>(many, training)
              .forward()
              .ok())  // or it refuses them, which was looked at
        LayerChecker(checker, many, training).check_threads();
    }
  }
}

}  // namespace strata::conformance
