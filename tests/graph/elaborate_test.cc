// Programs from files: graphs, paths, data, sections.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "framework/graph/train_settings.h"
#include "tests/graph/elaborations.h"

namespace strata::testing {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Examples, ElaborateWithoutErrors) {
  const Registry registry = Registry::builtin();
  for (const auto& entry : std::filesystem::directory_iterator("models")) {
    if (entry.path().extension() != ".model") continue;
    Sources sources;
    Diagnostics diagnostics;
    auto program = load_program(entry.path(), registry, sources, diagnostics);
    ASSERT_TRUE(program.ok());
    EXPECT_TRUE(program->has_value()) << render(diagnostics);
  }
}

TEST(Examples, PerceptronHasItsLayersParametersAndFields) {
  const Registry registry = Registry::builtin();
  Sources sources;
  Diagnostics diagnostics;
  auto program = load_program("models/mnist_mlp.model", registry, sources, diagnostics);
  ASSERT_TRUE(program.ok() && program->has_value()) << render(diagnostics);
  const Program& p = **program;
  EXPECT_EQ(diagnostics.warnings(), 0) << render(diagnostics);
  EXPECT_EQ(p.graph.name, "mnist_mlp");
  EXPECT_EQ(p.graph.parameter_count(), 784 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10);
  EXPECT_EQ(p.graph.nodes.back().path, "logits");
  EXPECT_EQ(p.graph.values[static_cast<std::size_t>(p.graph.find_output("logits"))].shape,
            (Shape{10}));
  EXPECT_EQ(p.input_fields, std::vector<int>{0});
  EXPECT_EQ(p.data.result().fields[0].dtype, STRATA_REAL);
  EXPECT_EQ(p.train.batch_size, 32);
  EXPECT_EQ(p.train.epochs, 10);
  EXPECT_EQ(p.train.seed, 42);
  ASSERT_EQ(p.train.losses.size(), 1u);
  EXPECT_EQ(p.train.losses[0].name, "cross_entropy");
  EXPECT_FALSE(p.train.losses[0].inputs[0].is_field);
  EXPECT_TRUE(p.train.losses[0].inputs[1].is_field);
}

TEST(MissingFile, IsAnErrorAndNoDiagnostic) {
  Sources sources;
  Diagnostics diagnostics;
  const auto program = load_program("no/such.model", golden_registry(), sources, diagnostics);
  ASSERT_FALSE(program.ok());
  EXPECT_EQ(program.error().code, ExitCode::kUsage);
  EXPECT_THAT(program.error().message, HasSubstr("no/such.model"));
}

// ---- paths ----

TEST(Paths, CountKindsWithinTheirScope) {
  const auto outcome = sound(
      "block hidden(x, units) -> y { y = x -> Dense(units) -> ReLU }\n"
      "model m(x: [8]) -> y { x -> hidden(4) -> Dense(4) -> for u in [3, 2] { hidden(u) -> ReLU } "
      "-> Dense(2) as y }");
  EXPECT_THAT(outcome->paths(), ElementsAre("hidden1.dense1", "hidden1.relu1", "dense1",
                                            "hidden2.dense1", "hidden2.relu1", "relu1",
                                            "hidden3.dense1", "hidden3.relu1", "relu2", "y"));
}

TEST(Paths, NamesOpenScopesAndNameCalls) {
  const auto outcome = sound(
      "block residual(x) -> y {\n"
      "  main = x -> Dense(x.features) -> ReLU\n"
      "  gate = x -> Dense(x.features)\n"
      "  skip = Dense(x, units = x.features)\n"
      "  y = Add(main, skip, gate) -> ReLU\n"
      "}\n"
      "model m(x: [8]) -> y {\n"
      "  x -> Dense(4) as stem -> repeat 2 { residual -> Dense(4) as tip } as stage -> residual as "
      "last -> ReLU as y\n"
      "}");
  EXPECT_THAT(
      outcome->paths(),
      ElementsAre("stem", "stage.residual1.main.dense1", "stage.residual1.main.relu1",
                  "stage.residual1.gate", "stage.residual1.skip", "stage.residual1.add1",
                  "stage.residual1.relu1", "stage.tip1", "stage.residual2.main.dense1",
                  "stage.residual2.main.relu1", "stage.residual2.gate", "stage.residual2.skip",
                  "stage.residual2.add1", "stage.residual2.relu1", "stage.tip2", "last.main.dense1",
                  "last.main.relu1", "last.gate", "last.skip", "last.add1", "last.relu1", "y"));
}

TEST(Paths, CountersStepOverNamesThatAreTaken) {
  const auto outcome =
      sound("model m(x: [8]) -> y { x -> Dense(4) -> Dense(4) as dense1 -> Dense(2) as y }");
  EXPECT_THAT(outcome->paths(), ElementsAre("dense2", "dense1", "y"));
}

TEST(Paths, AddingALayerElsewhereRenamesNothingInABlock) {
  const std::string block = "block b(x) -> y { y = x -> Dense(4) -> ReLU }\n";
  const auto before = sound(block + "model m(x: [8]) -> y { x -> b -> Dense(2) as y }");
  const auto after =
      sound(block + "model m(x: [8]) -> y { x -> ReLU -> Dense(3) -> b -> Dense(2) as y }");
  EXPECT_EQ(before->paths()[0], "b1.dense1");
  EXPECT_THAT(after->paths(), ::testing::Contains("b1.dense1"));
}

// ---- flows ----

TEST(Flows, ConditionsSeeShapes) {
  const auto outcome = sound(
      "block fit(x, n) -> y { y = x -> if x.features != n { Dense(n) } else { ReLU } }\n"
      "model m(x: [8]) -> y { x -> fit(8) -> fit(4) as y }");
  EXPECT_THAT(outcome->paths(), ElementsAre("fit1.relu1", "y.dense1"));
}

TEST(Flows, LoopsHaveIndicesAndRanges) {
  const auto outcome = sound(
      "model m(x: [8]) -> y { x -> for i, u in 2..4 { Dense(u * 10 + i) } -> Dense(1) as y }");
  std::vector<std::string> shapes;
  for (const GraphNode& node : outcome->program->graph.nodes) {
    shapes.push_back(
        outcome->program->graph.values[static_cast<std::size_t>(node.outputs[0])].shape.text());
  }
  EXPECT_THAT(shapes, ElementsAre("[20]", "[31]", "[42]", "[1]"));
}

TEST(Flows, SeveralOutputsAndInputs) {
  const auto outcome = sound(
      "block cut(x) -> a, b { a, b = Split(x) }\n"
      "model m(x: [8]) -> y { left, right = x -> cut\n y = left -> Gate(right, true) -> Add(left) "
      "-> Dense(2) }");
  EXPECT_THAT(outcome->paths(), ElementsAre("cut1.split1", "gate1", "add1", "dense1"));
  EXPECT_EQ(print_call(outcome->program->graph.nodes[1].layer->call()), "Gate(hard = true)");
  EXPECT_EQ(outcome->program->graph.nodes[1].inputs.size(), 2u);
}

TEST(Flows, WhatLeadsToNoOutputIsLeftOut) {
  const auto outcome =
      sound("model m(x: [8]) -> y { x -> Dense(3) as aside\n x -> Dense(2) as y }");
  EXPECT_THAT(outcome->paths(), ElementsAre("y"));
  EXPECT_EQ(outcome->program->graph.nodes[0].outputs[0], outcome->program->graph.find_output("y"));
  EXPECT_THAT(outcome->codes(), ElementsAre("unused-value"));
}

TEST(Flows, LocalConstantsAndDefaultsSeeWhatStandsBefore) {
  const auto outcome = sound(
      "let width = 100\n"
      "block b(x, width, half = width / 2) -> y { let third = half + 1\n y = x -> Dense(third) }\n"
      "model m(x: [8]) -> y { x -> b(6) -> Dense(width) as y }");
  EXPECT_EQ(print_call(outcome->program->graph.nodes[0].layer->call()).substr(0, 17),
            "Dense(units = 4, ");
  EXPECT_EQ(print_call(outcome->program->graph.nodes[1].layer->call()).substr(0, 19),
            "Dense(units = 100, ");
}

TEST(Flows, PluginsAreValues) {
  const auto outcome = sound(
      "let start = Constant(value = 2)\n"
      "model m(x: [8]) -> y { x -> Dense(2, weight_init = start, bias_init = if true then Ones "
      "else Zeros) as y }");
  const std::string call = print_call(outcome->program->graph.nodes[0].layer->call());
  EXPECT_THAT(call, HasSubstr("weight_init = Constant(value = 2.0)"));
  EXPECT_THAT(call, HasSubstr("bias_init = Ones"));
}

// ---- errors ----

TEST(Errors, FiveMistakesAreFiveErrors) {
  const auto outcome = elaborate(
      "model m(image: [28, 28]) -> logits { image -> Flaten -> Dense(10) as logits }\n"
      "data mnist = MNIST(pth = \"a\")\n"
      "train { loss = CrossEntropy(logits, label)\n optimizer = Adamm\n batch_size = 0\n epoch = 3 "
      "}");
  EXPECT_FALSE(outcome->program.has_value());
  EXPECT_THAT(outcome->codes(), ElementsAre("unknown-layer", "unknown-option", "unknown-plugin",
                                            "option-range", "unknown-setting"));
}

TEST(Errors, OfABlockAreReportedOnce) {
  const auto outcome = elaborate(
      "block b(x) -> y { y = x -> Dense(0) }\nmodel m(x: [8]) -> y { x -> repeat 50 { b } -> "
      "Dense(2) as y }");
  EXPECT_EQ(outcome->diagnostics.errors(), 1);
}

TEST(Errors, SyntaxErrorsInventNoOthers) {
  const auto outcome = elaborate(
      "let width = 3 +\nblock b(x) -> y { y = x -> -> ReLU }\nmodel m(x: [8]) -> y { x -> b -> "
      "Dense(width) as y }");
  for (const Diagnostic& d : outcome->diagnostics.all()) {
    EXPECT_THAT(d.code, ::testing::Not(StartsWith("unknown"))) << render(d);
  }
}

TEST(Errors, StopAFloodAfterTheLimit) {
  std::string body;
  for (int i = 0; i < 500; ++i) body += "  x -> Nothing" + std::to_string(i) + "\n";
  const auto outcome = elaborate("model m(x: [8]) -> y {\n" + body + "  x -> ReLU as y\n}");
  EXPECT_EQ(outcome->diagnostics.errors(), 100);
}

// ---- data and train ----

TEST(Data, BranchesChooseTransforms) {
  const auto outcome = sound(
      "param centred: bool = true\nmodel m(image: [28, 28]) -> logits { image -> Flatten -> "
      "Dense(10) as logits }\n"
      "data mnist = MNIST -> if centred { Normalize(mean = 0.1, std = 0.3) } else { Rescale(1 / "
      "255) }\n" +
      kTrain);
  ASSERT_EQ(outcome->program->data.transforms.size(), 1u);
  EXPECT_EQ(outcome->program->data.transforms[0]->entry().name(), "Normalize");
  EXPECT_EQ(outcome->program->data.stages.size(), 2u);
}

TEST(Data, LeadingAxesOfOneAreAView) {
  const auto outcome =
      sound("model m(image: [1, 28, 28]) -> logits { image -> Flatten -> Dense(10) as logits }\n" +
            kData + kTrain);
  EXPECT_EQ(outcome->program->input_fields, std::vector<int>{0});
}

TEST(Data, PathsAreRelativeToTheFile) {
  Sources sources;
  Diagnostics diagnostics;
  const auto program = elaborate_text(
      "/models/deep/a.model",
      "format 1\nmodel m(image: [28, 28]) -> logits { image -> Flatten -> Dense(10) as logits }\n"
      "data mnist = MNIST(path = \"../data\") -> Rescale(1 / 255)\n" +
          kTrain,
      golden_registry(), sources, diagnostics);
  ASSERT_TRUE(program.ok() && program->has_value()) << render(diagnostics);
  EXPECT_EQ(print_value(*(*program)->data.dataset->call().option("path")), "\"/models/data\"");
}

TEST(Train, LossesCanBeSeveralAndWeighted) {
  const auto outcome = sound(
      "model m(image: [28, 28]) -> logits, code {\n"
      "  h = image -> Flatten\n  h -> Dense(10) as logits\n  code = h -> Dense(784) -> ReLU\n}\n" +
      kData +
      "train { loss = [CrossEntropy(logits, label), 0.5 * CrossEntropy(logits, label)]\n optimizer "
      "= SGD(lr = 1) }");
  ASSERT_EQ(outcome->program->train.losses.size(), 2u);
  EXPECT_EQ(outcome->program->train.losses[1].weight, 0.5);
  EXPECT_EQ(outcome->program->train.losses[1].name, "cross_entropy2");
  EXPECT_THAT(outcome->codes(), ElementsAre("unread-output"));
}

TEST(Train, AllowSilencesALint) {
  const std::string model =
      "model m(image: [28, 28]) -> logits { image -> Flatten -> Dense(10) -> Softmax as logits "
      "}\n" +
      kData;
  EXPECT_THAT(sound(model + kTrain)->codes(), ElementsAre("softmax-twice"));
  EXPECT_THAT(sound(model + "train { loss = CrossEntropy(logits, label)\n optimizer = Adam\n "
                            "allow = [\"softmax-twice\"] }")
                  ->codes(),
              ElementsAre());
}

TEST(Train, SettingDocsCoverEverySetting) {
  for (const TrainSettingDoc& doc : train_setting_docs()) {
    EXPECT_FALSE(doc.type.empty() || doc.doc.empty() || doc.example.empty()) << doc.name;
  }
  EXPECT_EQ(train_setting_docs().size(), 29u);
}

// ---- sections ----

const std::string kTwo =
    "model small(image: [28, 28]) -> logits { image -> Flatten -> Dense(10) as logits }\n"
    "model large(image: [28, 28]) -> logits { image -> Flatten -> Dense(99) -> Dense(10) as logits "
    "}\n" +
    kData +
    "train quick { model = small\n loss = CrossEntropy(logits, label)\n optimizer = Adam\n epochs "
    "= 1 }\n"
    "train long { model = large\n loss = CrossEntropy(logits, label)\n optimizer = Adam }\n";

TEST(Sections, AreChosenByName) {
  ElaborateOptions options;
  options.model = "long";
  EXPECT_EQ(sound(kTwo, options)->program->graph.name, "large");
  options.model = "small";
  EXPECT_EQ(sound(kTwo, options)->program->train.name, "quick");
  options.model.clear();
  options.overrides = {"train=long"};
  EXPECT_EQ(sound(kTwo, options)->program->graph.name, "large");
  options.overrides = {};
  EXPECT_THAT(elaborate(kTwo, options)->codes(), ElementsAre("ambiguous-section"));
  options.any_file = true;
  EXPECT_THAT(elaborate(kTwo, options)->codes(), ElementsAre());
}

TEST(Sections, WithoutTrainingGiveAProgramAllTheSame) {
  const auto outcome = sound("model m(x: [8]) -> y { x -> Dense(2) as y }");
  EXPECT_FALSE(outcome->program->has_train);
  EXPECT_FALSE(outcome->program->has_data);
}

TEST(Includes, AreSharedOnceAndMerged) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "strata_includes";
  std::filesystem::create_directories(folder / "common");
  std::ofstream(folder / "common/base.model") << "format 1\nlet width = 5\n";
  std::ofstream(folder / "common/blocks.model")
      << "format 1\ninclude \"base.model\"\nblock b(x) -> y { y = x -> Dense(width) }\nblock "
         "spare(x) -> y { y = x -> ReLU }\n";
  std::ofstream(folder / "main.model")
      << "format 1\ninclude \"common/blocks.model\"\ninclude \"common/base.model\"\n"
         "model m(x: [8]) -> y { x -> b -> Dense(width) as y }\n";
  Sources sources;
  Diagnostics diagnostics;
  const auto program = load_program(folder / "main.model", golden_registry(), sources, diagnostics);
  ASSERT_TRUE(program.ok() && program->has_value()) << render(diagnostics);
  EXPECT_EQ(diagnostics.warnings(), 0)
      << render(diagnostics);  // what an included file offers need not be used
  EXPECT_EQ((*program)->graph.nodes.size(), 2u);
  EXPECT_THAT((*program)->resolved, ::testing::Not(HasSubstr("include")));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace strata::testing
