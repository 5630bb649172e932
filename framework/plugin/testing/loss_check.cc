// The checks of losses.
#include <optional>

#include "framework/plugin/services.h"
#include "framework/plugin/testing/target_case.h"

namespace strata::conformance {
namespace {

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

// Each real input in turn, a target, too, has a NaN in one place.
void check_loss_nan(Checker& checker, const Instance& loss, const TargetCase& c) {
  for (std::size_t b = 0; b < c.inputs.size(); ++b) {
    if (c.inputs[b].dtype != STRATA_REAL) continue;
    for (const std::int64_t i : spread(static_cast<std::int64_t>(c.values[b].size()), 3)) {
      // Nothing where it is refused.
      const auto losses_with = [&](double value) -> std::optional<std::vector<double>> {
        TargetCase changed = c;
        changed.values[b][static_cast<std::size_t>(i)] = value;
        LossRun<float> run(changed);
        const Status done = run.evaluate(loss, /*want_gradients=*/true);
        checker.expect(run.buffers.intact() && run.losses.intact(),
                       "writes outside of its buffers");
        if (done) return run.losses.values();
        checker.expect_sentence(done.error(), "refuses it");
        return std::nullopt;
      };
      const auto plain = losses_with(c.values[b][static_cast<std::size_t>(i)]);
      const auto spoilt = losses_with(std::nan(""));
      if (!spoilt) checker.saw_nan(NanHandling::kRefused);
      if (!spoilt || !plain) continue;
      std::vector<std::vector<double>> probed;
      for (const double probe : kProbes) {
        if (const auto values = losses_with(probe)) probed.push_back(*values);
      }
      bool depends = false;
      const std::int64_t at = find_swallowed(*plain, probed, *spoilt, depends);
      if (depends) checker.saw_nan(at < 0 ? NanHandling::kPropagated : NanHandling::kSwallowed);
      checker.expect(at < 0,
                     "swallows a NaN in input {}: the loss of sample {} depends on element {} and "
                     "is {}",
                     b, at, i, at < 0 ? 0 : (*spoilt)[static_cast<std::size_t>(at)]);
    }
  }
}

// With NaN in many places, losses and gradients have the same bits on any number of threads.
void check_loss_nan_threads(Checker& checker, const Instance& loss, TargetCase c) {
  for (std::size_t b = 0; b < c.inputs.size(); ++b) {
    for (std::size_t i = 3; c.inputs[b].dtype == STRATA_REAL && i < c.values[b].size(); i += 13)
      c.values[b][i] = std::nan("");
  }
  LossRun<float> serial(c);
  if (!serial.evaluate(loss, true).ok()) return;  // refused, which was looked at
  on_each_pool([&](int threads) {
    LossRun<float> pooled(c);
    checker.expect_ok(pooled.evaluate(loss, true, host_services()), "evaluate");
    bool same = same_bits(pooled.losses, serial.losses);
    for (std::size_t b = 0; b < c.inputs.size(); ++b) {
      if (!c.inputs[b].is_target)
        same = same && same_bits(pooled.buffers.gradients[b], serial.buffers.gradients[b]);
    }
    checker.expect(same, "gives other bits on {} threads", threads);
  });
}

}  // namespace

void check_loss(Checker& checker) {
  check_all_cases(checker, [&](const Instance& loss, const InferredPlan&, const TargetCase& c) {
    check_loss_case(checker, loss, c);
    checker.begin(checker.context + ", with NaN");
    check_loss_nan(checker, loss, c);
    check_loss_nan_threads(checker, loss, c);
  });
}

}  // namespace strata::conformance
