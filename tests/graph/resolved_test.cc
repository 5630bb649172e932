// Resolved files: one file that says everything, gives an equal program, and stays as it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "framework/graph/program.h"
#include "tests/graph/test_plugins.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What a run depends on, as text.
std::string fingerprint(const Program& program) {
  std::string out;
  for (const GraphNode& node : program.graph.nodes) {
    out += node.path + " = " + print_call(node.layer->call());
    for (const ValueId id : node.inputs) out += " " + std::to_string(id);
    out += "\n";
  }
  for (const ValueId id : program.graph.outputs) out += "output " + std::to_string(id) + "\n";
  if (program.has_data) {
    out += print_call(program.data.dataset->call()) + "\n";
    for (const InstancePtr& transform : program.data.transforms)
      out += print_call(transform->call()) + "\n";
  }
  if (program.has_train) {
    const TrainSettings& s = program.train;
    for (const auto* terms : {&s.losses, &s.metrics}) {
      for (const Term& term : *terms) {
        out +=
            term.name + " " + std::to_string(term.weight) + " " + print_call(term.instance->call());
        for (const TermInput& input : term.inputs) out += " " + input.name;
        out += "\n";
      }
    }
    out += print_call(s.optimizer->call()) +
           (s.schedule ? print_call(s.schedule->call()) : "none") + "\n";
    out += std::to_string(s.batch_size) + " " + std::to_string(static_cast<int>(s.last_batch)) +
           " " + std::to_string(s.epochs.value_or(-1)) + " " +
           std::to_string(s.steps.value_or(-1)) + " " + std::to_string(s.seed) + " " +
           std::to_string(static_cast<int>(s.precision)) + "\n";
  }
  return out;
}

std::optional<Program> elaborate(const std::string& name, const std::string& text,
                                 const Registry& registry,
                                 const std::vector<std::string>& overrides = {}) {
  static Sources sources;
  Diagnostics diagnostics;
  ElaborateOptions options;
  options.overrides = overrides;
  auto program = elaborate_text(name, text, registry, sources, diagnostics, options);
  EXPECT_TRUE(program.ok() && program->has_value()) << render(diagnostics) << text;
  return program.ok() ? std::move(*program) : std::nullopt;
}

void expect_fixed(const Program& program, const Registry& registry) {
  // From another folder, with nothing beside it.
  const auto again = elaborate("/elsewhere/model.model", program.resolved, registry);
  ASSERT_TRUE(again);
  EXPECT_EQ(fingerprint(*again), fingerprint(program));
  EXPECT_EQ(again->resolved, program.resolved);
}

TEST(Resolved, IsAFixedPointForEveryExample) {
  const Registry registry = Registry::builtin();
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator("models")) {
    if (entry.path().extension() != ".model") continue;
    Sources sources;
    Diagnostics diagnostics;
    auto program = load_program(entry.path(), registry, sources, diagnostics);
    ASSERT_TRUE(program.ok());
    if (!program->has_value()) continue;  // a layer that this program does not have
    ++seen;
    expect_fixed(**program, registry);
  }
  EXPECT_GE(seen, 4);
}

const char* kFile = R"(format 1
# Two knobs and a constant.
param norm: str = "none" in ["none", "batch"]
param width: int = 16 in 1..4096  # of every layer
let start = HeNormal
let unused_by_model = 32

block hidden(x, units, init = start) -> y {
  # The norm is optional.
  y = x -> Dense(units, weight_init = init) -> if norm == "batch" { BatchNorm(eps = -(-1e-3)) }
}
block spare(x) -> y { y = x -> ReLU }

model m(image: [28, 28]) -> logits {
  h = image -> Flatten -> for units in [width, width // 2] { hidden(units) } as body
  a, b = Split(h)
  Add(a, b) -> Dense(10) as logits
}

data mnist = MNIST(path = "data") -> Rescale(1 / 255)

train {
  loss       = 0.5 * CrossEntropy(logits, label)
  metrics    = [Accuracy(logits, label)]
  optimizer  = SGD(lr = 0.1)
  batch_size = unused_by_model
  steps      = 100
}

study s { grid width = [4, 8] }
)";

TEST(Resolved, SpellsOutOverridesAndDefaults) {
  const auto program = elaborate("/models/a.model", kFile, golden_registry(),
                                 {"norm=batch", "train.optimizer.momentum=0.9"});
  ASSERT_TRUE(program);
  expect_fixed(*program, golden_registry());
  EXPECT_THAT(program->resolved, HasSubstr("param norm: str = \"batch\" in [\"none\", \"batch\"]"));
  EXPECT_THAT(program->resolved, HasSubstr("param width: int = 16 in 1..4096  # of every layer"));
  EXPECT_THAT(program->resolved, HasSubstr("# The norm is optional."));
  EXPECT_THAT(program->resolved, HasSubstr("let start = HeNormal(scale = 1.0)"));
  EXPECT_THAT(program->resolved, HasSubstr("MNIST(path = \"/models/data\")"));
  EXPECT_THAT(program->resolved, HasSubstr("loss               = 0.5"));
  EXPECT_THAT(program->resolved, HasSubstr("from_logits = true,"));
  EXPECT_THAT(program->resolved, HasSubstr("momentum = 0.9"));
  EXPECT_THAT(program->resolved, HasSubstr("batch_size         = 32"));
  EXPECT_THAT(program->resolved, HasSubstr("steps              = 100"));
  EXPECT_THAT(program->resolved, Not(HasSubstr("spare")));
  EXPECT_THAT(program->resolved, Not(HasSubstr("unused_by_model")));
  EXPECT_THAT(program->resolved, Not(HasSubstr("study")));
  EXPECT_THAT(program->resolved, Not(HasSubstr("epochs")));
}

TEST(Resolved, TakesOverridesAgain) {
  const auto program = elaborate("/models/a.model", kFile, golden_registry());
  ASSERT_TRUE(program);
  const auto wider =
      elaborate("resolved.model", program->resolved, golden_registry(), {"width=32"});
  const auto direct = elaborate("/models/a.model", kFile, golden_registry(), {"width=32"});
  ASSERT_TRUE(wider && direct);
  EXPECT_EQ(fingerprint(*wider), fingerprint(*direct));
}

TEST(Resolved, OfAModelAloneIsAModelAlone) {
  const auto program = elaborate(
      "a.model", "format 1\nmodel m(x: [8]) -> y { x -> Dense(2) as y }\n", golden_registry());
  ASSERT_TRUE(program);
  EXPECT_THAT(program->resolved, Not(HasSubstr("train")));
  expect_fixed(*program, golden_registry());
}

}  // namespace
}  // namespace strata::testing
