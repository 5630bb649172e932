// Small models with a fusion's chain in the middle, trained twice.
#include "framework/app/fusion_check.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "framework/graph/program.h"
#include "framework/runtime/executor.h"
#include "framework/runtime/input_pipeline.h"
#include "framework/tensor/parallel.h"

namespace strata::app {
namespace {

constexpr std::int64_t kBatch = 24, kSteps = 3;

// What a run leaves: each weight and state, and the outputs in inference.
using Values = std::map<std::string, std::vector<double>>;

const strata_fusion& functions(const Entry& fusion) {
  return *static_cast<const strata_fusion*>(fusion.table->functions);
}

std::string model_text(const Entry& fusion, const Registry& registry, const Shape& shape) {
  std::string chain;
  for (std::int64_t i = 0; i < functions(fusion).pattern_count; ++i) {
    const Entry* layer = registry.find(STRATA_LAYER, functions(fusion).pattern[i]);
    if (!layer || !layer->schema().example) return {};
    chain += fmt::format(" -> {}", layer->schema().example);
  }
  return fmt::format(R"(format 1
model m(point: [2]) -> logits {{
  point -> Dense({}) -> Reshape([{}]){} -> Flatten -> Dense(3) as logits
}}
data points = Synthetic(kind = "spirals", samples = 240, val_samples = {}, classes = 3)
train {{
  loss       = CrossEntropy(logits, label)
  optimizer  = SGD(lr = 0.05)
  batch_size = {}
  precision  = "f64"
}}
)",
                     shape.elements(), fmt::join(shape.begin(), shape.end(), ", "), chain, kBatch,
                     kBatch);
}

// Nothing where a step fails, with the reason in `failure`.
std::optional<Values> run(const Program& program, const Entry* fusion, std::uint64_t seed,
                          std::string& failure) {
  auto executor = Executor::create(program, kBatch, true, {.fuse = fusion != nullptr});
  auto pipeline = InputPipeline::open(program.data, program.train.precision, 1);
  if (!executor || !pipeline) return std::nullopt;
  Executor& net = **executor;
  const auto stands_for = [&](const Executor::Unit& unit) { return unit.kind == fusion->name(); };
  if (fusion && std::none_of(net.units().begin(), net.units().end(), stands_for))
    return std::nullopt;
  Status done = net.initialize(3);
  const auto order = (*pipeline)->training_order(0, 1, true);
  Figures figures = net.make_figures();
  for (std::int64_t step = 0; done && step < kSteps; ++step) {
    auto view = (*pipeline)->read(0, order.data() + step * kBatch, kBatch, true, 1);
    if (!view) return std::nullopt;
    done = net.train_step(*view, {.seed = seed, .step = step + 1, .learning_rate = 0.05}, figures);
  }
  std::vector<std::uint32_t> samples(static_cast<std::size_t>(kBatch));
  std::iota(samples.begin(), samples.end(), 0u);
  auto view = (*pipeline)->read(1, samples.data(), kBatch, false, 1);
  if (done && view) done = net.evaluate(*view, figures);
  if (!done) {
    failure = done.error().message;
    return std::nullopt;
  }
  Values values;
  for (const NamedTensor& tensor : net.tensors()) {
    const auto* from = static_cast<const double*>(tensor.data);
    values[tensor.name].assign(from, from + tensor.shape.elements());
  }
  const auto* outputs = static_cast<const double*>(net.output(0));
  values["the outputs in inference"].assign(outputs, outputs + kBatch * 3);
  return values;
}

// The first that differs by more than rounding, and by how much; empty where none does.
std::string difference(const Values& fused, const Values& plain) {
  for (const auto& [name, wanted] : plain) {
    const std::vector<double>& found = fused.at(name);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (std::abs(found[i] - wanted[i]) <= 1e-9 * (1 + std::abs(wanted[i]))) continue;
      return fmt::format("{} {} in place of {}, element {}",
                         name.starts_with("the ") ? name + " are" : fmt::format("`{}` is", name),
                         found[i], wanted[i], i);
    }
  }
  return {};
}

void compare_on(const Entry& fusion, const Registry& registry, const Shape& shape,
                ConformanceReport& report) {
  const std::string text = model_text(fusion, registry, shape);
  Sources sources;
  Diagnostics diagnostics;
  const auto program = elaborate_text(fusion.name(), text, registry, sources, diagnostics);
  if (!program || !*program) return;  // its layers do not take this shape
  std::string failure;
  const auto plain = run(**program, nullptr, 1, failure);
  if (!plain) return;
  const auto fused = run(**program, &fusion, 1, failure);
  const std::string context = fmt::format("on {}", shape.text());
  if (!fused && failure.empty()) return;  // it does not stand for these options
  report.cases.push_back(context);
  ++report.checks;
  if (!fused) {
    report.problems.push_back(
        fmt::format("{}: fails where its layers do not: {}", context, failure));
    return;
  }
  // Layers that draw random numbers may draw others in a fusion.
  const auto other = run(**program, nullptr, 2, failure);
  const bool random = other && !difference(*other, *plain).empty();
  const std::string found = random ? "" : difference(*fused, *plain);
  if (!found.empty()) {
    report.problems.push_back(fmt::format(
        "{}: does not compute what its layers compute: after {} steps {}", context, kSteps, found));
  }
}

}  // namespace

void compare_fusion(const Entry& fusion, const Registry& registry, ConformanceReport& report) {
  ThreadPool pool(2);
  pool.run([&] {
    for (const Shape& shape : {Shape{8}, Shape{3, 5}, Shape{2, 6, 6}})
      compare_on(fusion, registry, shape, report);
  });
}

}  // namespace strata::app
