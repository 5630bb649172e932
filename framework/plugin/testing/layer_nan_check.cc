// A NaN among what a layer reads: nothing breaks, and what depends on it shows it.
#include <limits>
#include <utility>

#include "framework/plugin/testing/layer_run.h"

namespace strata::conformance {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// One element of one thing that a layer reads, and what is put there.
struct Change {
  LayerRun<float>::Buffers LayerRun<float>::*buffers;
  std::size_t buffer;
  std::int64_t element;
  float value;
};

class NanChecker {
 public:
  NanChecker(Checker& checker, const LayerCase& layer_case, bool training)
      : checker_(checker), case_(layer_case), training_(training) {}

  void check_all() {
    using Run = LayerRun<float>;
    const Run shape(case_, training_);
    for (std::size_t b = 0; b < shape.inputs.size(); ++b) {
      const bool indices = b == 0 && case_.plan.has_trait("takes-indices");
      check_forward(fmt::format("input {}", b), &Run::inputs, b, indices);
    }
    for (std::size_t b = 0; b < shape.parameters.size(); ++b)
      check_forward(fmt::format("`{}`", case_.plan.parameters[b].name), &Run::parameters, b);
    for (std::size_t b = 0; b < shape.states.size(); ++b)
      check_forward(fmt::format("the state `{}`", case_.plan.states[b].name), &Run::states, b);
    for (std::size_t b = 0; b < shape.d_outputs.size(); ++b) check_backward(b);
  }

 private:
  const char* mode() const { return training_ ? "training" : "inference"; }

  // Nothing where forward refused; that it did so well is noted.
  std::optional<std::vector<double>> outputs_with(const Change& change) {
    LayerRun<float> run(case_, training_);
    (run.*change.buffers)[change.buffer].data()[change.element] = change.value;
    const Status done = run.forward();
    checker_.expect(run.guards_intact(), "writes outside of its buffers in {}", mode());
    if (!done) {
      checker_.expect_sentence(done.error(), "refuses it");
      return std::nullopt;
    }
    std::vector<double> all;
    for (const auto& output : run.outputs) {
      const std::vector<double> values = output.values();
      all.insert(all.end(), values.begin(), values.end());
    }
    // The gradients of what has no number are whatever they are.
    if (const Status back = run.backward(); !back)
      checker_.expect_sentence(back.error(), "refuses it in backward");
    checker_.expect(run.guards_intact(), "writes outside of its buffers in {}", mode());
    return all;
  }

  // Gradients of inputs, then of parameters.
  std::vector<double> gradients_with(const Change& change) {
    LayerRun<float> run(case_, training_);
    (run.*change.buffers)[change.buffer].data()[change.element] = change.value;
    if (!checker_.expect_ok(run.forward(), "forward") ||
        !checker_.expect_ok(run.backward(), "backward"))
      return {};
    checker_.expect(run.guards_intact(), "writes outside of its buffers in {}", mode());
    std::vector<double> all;
    for (const auto* buffers : {&run.d_inputs, &run.d_parameters}) {
      for (const auto& buffer : *buffers) {
        const std::vector<double> values = buffer.values();
        all.insert(all.end(), values.begin(), values.end());
      }
    }
    return all;
  }

  void judge(const std::string& what, std::int64_t element, std::span<const double> plain,
             const std::vector<std::vector<double>>& probed, std::span<const double> spoilt,
             std::string_view result) {
    bool depends = false;
    const std::int64_t at = find_swallowed(plain, probed, spoilt, depends);
    if (depends) checker_.saw_nan(at < 0 ? NanHandling::kPropagated : NanHandling::kSwallowed);
    checker_.expect(at < 0, "swallows a NaN in {} in {}: {} depends on element {} and is {}", what,
                    mode(), result, element, at < 0 ? 0 : spoilt[static_cast<std::size_t>(at)]);
  }

  void check_forward(const std::string& what, LayerRun<float>::Buffers LayerRun<float>::*buffers,
                     std::size_t b, bool indices = false) {
    LayerRun<float> shape(case_, training_);
    for (const std::int64_t i : spread((shape.*buffers)[b].size(), 3)) {
      const float before = (shape.*buffers)[b].data()[i];
      const auto with = [&](float value) { return outputs_with({buffers, b, i, value}); };
      const auto plain = with(before), spoilt = with(kNan);
      if (!spoilt) {
        checker_.saw_nan(NanHandling::kRefused);
        continue;
      }
      std::vector<std::vector<double>> probed;
      for (const double probe : kProbes) {
        const auto values = with(indices ? 1 - before : static_cast<float>(probe));
        if (values && plain) probed.push_back(*values);
      }
      if (plain) judge(what, i, *plain, probed, *spoilt, "an output");
    }
  }

  void check_backward(std::size_t b) {
    using Run = LayerRun<float>;
    const Run shape(case_, training_);
    for (const std::int64_t i : spread(shape.d_outputs[b].size(), 3)) {
      const auto with = [&](float value) { return gradients_with({&Run::d_outputs, b, i, value}); };
      const auto plain = with(shape.d_outputs[b].data()[i]), spoilt = with(kNan);
      std::vector<std::vector<double>> probed;
      for (const double probe : kProbes) {
        probed.push_back(with(static_cast<float>(probe)));
        if (probed.back().size() != plain.size()) return;  // a pass failed, which was said
      }
      if (plain.empty() || spoilt.size() != plain.size()) return;
      judge(fmt::format("the gradient of output {}", b), i, plain, probed, spoilt, "a gradient");
    }
  }

  Checker& checker_;
  const LayerCase& case_;
  const bool training_;
};

}  // namespace

void spoil(LayerCase& layer_case) {
  const auto spoil_one = [](std::vector<double>& values) {
    for (std::size_t i = 5; i < values.size(); i += 97)
      values[i] = std::numeric_limits<double>::quiet_NaN();
  };
  for (std::size_t b = layer_case.plan.has_trait("takes-indices") ? 1 : 0;
       b < layer_case.input_values.size(); ++b)
    spoil_one(layer_case.input_values[b]);
  for (auto& values : layer_case.d_output_values) spoil_one(values);
}

void check_layer_nan(Checker& checker, const LayerCase& layer_case) {
  NanChecker(checker, layer_case, /*training=*/true).check_all();
  NanChecker(checker, layer_case, /*training=*/false).check_all();
}

}  // namespace strata::conformance
