// The checks of what trains a model: optimizers, schedules and initializers.
#include <limits>

#include "framework/plugin/pass.h"
#include "framework/plugin/testing/checker.h"
#include "framework/plugin/testing/optimizer_run.h"

namespace strata::conformance {
namespace {

constexpr std::int64_t kCount = 1003;

// A parameter on its way down f(w) = Σ (w - 1)² / 2, updated in slices.
template <class T>
struct Descent : OptimizerRun<T> {
  Descent(const Instance& instance, std::vector<std::int64_t> cuts_at)
      : OptimizerRun<T>(instance, std::move(cuts_at)) {
    this->weights.set(sample_values(this->weights.size(), 3));
  }

  Status step(std::int64_t number, double rate, bool apply_decay) {
    for (std::int64_t i = 0; i < this->weights.size(); ++i)
      this->gradient.data()[i] = flat ? T(0) : this->weights.data()[i] - T(1);
    return OptimizerRun<T>::step(number, rate, apply_decay);
  }
  Status steps(std::int64_t count, double rate = 0.01, bool apply_decay = true) {
    for (std::int64_t number = 1; number <= count; ++number) {
      Status done = step(number, rate, apply_decay);
      if (!done.ok()) return done;
    }
    return {};
  }
  double distance() const {
    double sum = 0;
    for (const T w : this->weights.span())
      sum += (static_cast<double>(w) - 1) * (static_cast<double>(w) - 1);
    return sum;
  }

  bool flat = false;  // a gradient of zero
};

void check_optimizer_instance(Checker& checker, const Instance& optimizer) {
  const auto& table = optimizer.functions<strata_optimizer>();
  for (std::int64_t i = 0; i < table.slot_count(optimizer.raw()); ++i) {
    const std::string name = table.slot_name(optimizer.raw(), i);
    checker.expect(is_snake_case(name), "the slot `{}` is not in snake_case", name);
  }
  Descent<double> whole(optimizer, {0, kCount}), sliced(optimizer, {0, 7, 64, 512, 513, kCount});
  const double at_start = whole.distance();
  whole.allocations = checker.options.allocations;
  if (!checker.expect_ok(whole.steps(20), "update")) return;
  checker.expect_ok(sliced.steps(20), "update of slices");
  checker.expect(whole.intact() && sliced.intact(), "writes outside of its slice");
  checker.expect(whole.allocated == 0, "allocates memory {} times", whole.allocated);
  checker.expect(all_finite(whole.weights.values()), "weights are not finite");
  checker.expect(same_bits(whole.weights, sliced.weights),
                 "slices give other weights than the whole");
  for (std::size_t i = 0; i < whole.slots.size(); ++i) {
    checker.expect(same_bits(whole.slots[i], sliced.slots[i]),
                   "slices give another slot {} than the whole", i);
  }
  checker.expect(whole.distance() < at_start, "does not go down a parabola: {} from {}",
                 whole.distance(), at_start);

  Descent<float> rough(optimizer, {0, kCount}), rough_sliced(optimizer, {0, 5, 100, kCount});
  checker.expect_ok(rough.steps(20), "update in f32");
  checker.expect_ok(rough_sliced.steps(20), "update of slices in f32");
  checker.expect(deviation(rough.weights.values(), whole.weights.values()) < 1e-4,
                 "f32 and f64 differ");
  checker.expect(same_bits(rough.weights, rough_sliced.weights),
                 "slices give other weights than the whole in f32");

  Descent<double> resting(optimizer, {0, kCount});
  resting.flat = true;
  checker.expect_ok(resting.step(1, 0.01, /*apply_decay=*/false), "update");
  const OptionValue* decay_all = optimizer.call().option("decay_all");
  if (!decay_all || *decay_all == OptionValue{false}) {
    checker.expect(resting.weights.values() == sample_values(kCount, 3),
                   "moves weights without a gradient and without decay");
  }
  Descent<double> stopped(optimizer, {0, kCount});
  checker.expect_ok(stopped.step(1, 0, /*apply_decay=*/false), "update");
  checker.expect(deviation(stopped.weights.values(), sample_values(kCount, 3)) == 0,
                 "moves weights with a learning rate of 0");
}

// Weights and slots are saved half-way, and a new instance goes on from them, at rates that fall.
void check_optimizer_round_trip(Checker& checker, const Instance& optimizer) {
  const auto fresh = Instance::create(optimizer.call());
  if (!checker.expect(fresh.ok(), "cannot be created a second time")) return;
  Descent<float> whole(optimizer, {0, kCount}), resumed(**fresh, {0, kCount});
  if (!checker.expect(resumed.slots.size() == whole.slots.size(),
                      "has other slots the second time"))
    return;
  const auto rate = [](std::int64_t number) { return 0.01 / static_cast<double>(number); };
  for (std::int64_t number = 1; number <= 10; ++number) {
    if (!whole.step(number, rate(number), true).ok()) return;  // said before
  }
  resumed.weights.set(whole.weights.values());
  for (std::size_t s = 0; s < whole.slots.size(); ++s)
    resumed.slots[s].set(whole.slots[s].values());
  for (std::int64_t number = 11; number <= 20; ++number) {
    if (!whole.step(number, rate(number), true).ok()) return;
    if (!checker.expect_ok(resumed.step(number, rate(number), true), "update in a new instance"))
      return;
  }
  checker.expect(same_bits(whole.weights, resumed.weights),
                 "gives other weights in a new instance that has what was saved");
}

// One weight has no gradient but NaN: it must not go on as if it had one, and no other may notice.
void check_optimizer_nan(Checker& checker, const Instance& optimizer) {
  constexpr std::int64_t kSpoilt = 501;
  const auto descend = [&](OptimizerRun<float>& run, float gradient) {
    run.weights.set(sample_values(kCount, 3));
    for (std::int64_t number = 1; number <= 3; ++number) {
      run.gradient.set(sample_values(kCount, 4));
      if (number == 2) run.gradient.data()[kSpoilt] = gradient;
      const Status done = run.step(number, 0.01, /*apply_decay=*/true);
      checker.expect(run.intact(), "writes outside of its slice");
      if (!done) {
        checker.expect_sentence(done.error(), "refuses it");
        return false;
      }
    }
    return true;
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  OptimizerRun<float> plain(optimizer, {0, kCount}), up(optimizer, {0, kCount}),
      spoilt(optimizer, {0, kCount}), sliced(optimizer, {0, 5, 100, 501, 502, kCount});
  if (!descend(plain, 1) || !descend(up, -50)) return;
  if (!descend(spoilt, nan)) return checker.saw_nan(NanHandling::kRefused);
  if (!checker.expect(descend(sliced, nan), "refuses it in a slice alone")) return;
  const bool moves = plain.weights.data()[kSpoilt] != up.weights.data()[kSpoilt];
  const bool shows = !std::isfinite(spoilt.weights.data()[kSpoilt]);
  if (moves) checker.saw_nan(shows ? NanHandling::kPropagated : NanHandling::kSwallowed);
  checker.expect(!moves || shows,
                 "swallows a NaN: a weight whose gradient was NaN is {} two steps later",
                 spoilt.weights.data()[kSpoilt]);
  checker.expect(same_bits(spoilt.weights, sliced.weights),
                 "slices give other weights than the whole");
  if (optimizer.functions<strata_optimizer>().direct) return;  // lengths of a whole parameter
  spoilt.weights.data()[kSpoilt] = plain.weights.data()[kSpoilt];
  checker.expect(same_bits(spoilt.weights, plain.weights),
                 "a NaN in the gradient of one weight changes others");
}

// One that follows a figure: its factor is a function of the state and the step, and its state of
// what it saw.
void check_schedule_state(Checker& checker, const Instance& schedule) {
  const auto& table = schedule.functions<strata_schedule>();
  const std::int64_t count = table.state_count(schedule.raw());
  if (!checker.expect(count > 0 && count <= 1000, "has a state of {} numbers", count)) return;
  const auto factor = [&](const Buffer<double>& state, std::int64_t step) {
    return table.factor_after(schedule.raw(), state.data(), step, 100, 10);
  };
  for (const bool higher : {false, true}) {
    Buffer<double> state(count), again(count);
    state.fill(0);
    again.fill(0);
    for (std::int64_t step = 0; step < 100; ++step) {
      checker.expect(factor(state, step) == table.factor(schedule.raw(), step, 100, 10),
                     "the factor of step {} is another before the first epoch", step);
    }
    const std::vector<double> figures = sample_values(60, 5);
    for (std::size_t epoch = 0; epoch < figures.size(); ++epoch) {
      for (Buffer<double>* one : {&state, &again}) {
        const strata_observation seen{sizeof seen, higher, static_cast<std::int64_t>(epoch) + 1,
                                      epoch == 20 ? std::nan("") : figures[epoch], one->data()};
        if (!checker.expect_ok(call_plugin(table.observe, schedule.raw(), &seen), "observe"))
          return;
      }
      const double now = factor(state, 50);
      checker.expect(std::isfinite(now) && now >= 0 && now <= 100,
                     "the factor is {} after epoch {}", now, epoch + 1);
    }
    checker.expect(state.intact(), "writes outside of its state");
    checker.expect(all_finite(state.values()), "its state is not finite: it cannot be saved");
    checker.expect(same_bits(state, again), "the same figures give another state");
  }
}

void check_schedule_instance(Checker& checker, const Instance& schedule) {
  const auto factor = [&](std::int64_t step, std::int64_t total) {
    return schedule.functions<strata_schedule>().factor(schedule.raw(), step, total,
                                                        std::max<std::int64_t>(1, total / 10));
  };
  double largest = 0;
  for (const std::int64_t total : {1, 2, 10, 1000, 9380}) {
    for (std::int64_t step = 0; step < total; ++step) {
      const double now = factor(step, total);
      if (!checker.expect(std::isfinite(now) && now >= 0 && now <= 100,
                          "the factor is {} at step {} of {}", now, step, total)) {
        return;
      }
      if (!checker.expect(factor(step, total) == now,
                          "the factor of step {} is not always the same", step))
        return;
      largest = std::max(largest, now);
    }
  }
  checker.expect(largest > 0, "the factor is never above 0");
  if (schedule.functions<strata_schedule>().state_count) check_schedule_state(checker, schedule);
}

std::vector<double> fill(Checker& checker, const Instance& initializer, const Shape& shape,
                         std::uint64_t key) {
  Buffer<double> out(shape.elements());
  const strata_shape raw_shape = plugin_internal::from_shape(shape);
  strata_initializer_pass raw{};
  raw.struct_size = sizeof raw;
  raw.shape = &raw_shape;
  raw.fan_in = 30;
  raw.fan_out = 40;
  raw.key[0] = key;
  raw.key[1] = 5;
  raw.count = shape.elements();
  raw.out = out.data();
  raw.services = &serial_services();
  checker.expect_ok(
      call_plugin(initializer.functions<strata_initializer>().fill, initializer.raw(), &raw),
      "fill");
  checker.expect(out.intact(), "writes outside of the parameter {}", shape.text());
  checker.expect(all_finite(out.values()), "a value of {} is not finite, or not written",
                 shape.text());
  return out.values();
}

void check_initializer_instance(Checker& checker, const Instance& initializer) {
  for (const Shape& shape : {Shape{40, 30}, Shape{1}, Shape{7}, Shape{4, 3, 5, 5}}) {
    const auto values = fill(checker, initializer, shape, 1);
    checker.expect(values == fill(checker, initializer, shape, 1),
                   "the same key gives other values");
    const auto constant = [&] {
      return std::all_of(values.begin(), values.end(), [&](double x) { return x == values[0]; });
    };
    checker.expect(
        values.size() == 1 || constant() || values != fill(checker, initializer, shape, 2),
        "another key gives the same values");
    checker.expect(deviation(values, std::vector<double>(values.size(), 0)) < 1000,
                   "values are as large as {}", values[0]);
  }
}

void check_instances(Checker& checker, void (*check)(Checker&, const Instance&)) {
  for (const InstancePtr& instance : instances(checker)) {
    checker.begin(print_call(instance->call()));
    check(checker, *instance);
  }
}

}  // namespace

void check_optimizer(Checker& checker) {
  checker.expect(checker.entry.find_option("lr") >= 0, "has no option `lr`");
  check_instances(checker, check_optimizer_instance);
  check_instances(checker, check_optimizer_round_trip);
  for (const InstancePtr& instance : instances(checker)) {
    checker.begin(print_call(instance->call()) + ", with a NaN");
    check_optimizer_nan(checker, *instance);
  }
}
void check_schedule(Checker& checker) { check_instances(checker, check_schedule_instance); }
void check_initializer(Checker& checker) { check_instances(checker, check_initializer_instance); }

}  // namespace strata::conformance
