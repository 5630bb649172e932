// `path=value` on the command line: what it changes. What is refused is in
// tests/goldens/graph/override_*.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "framework/graph/program.h"
#include "tests/graph/test_plugins.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;

const char* kFile = R"(format 1
param norm: str = "none" in ["none", "batch"]
param width: int = 256 in 1..4096
param rate: float = 0.5
param deep: bool = false
param sizes: list = [8, 4]
let start = Adam(lr = 0.5, eps = 1e-6)

model m(image: [28, 28]) -> logits {
  image -> Flatten -> Dense(width)
        -> if norm == "batch" { BatchNorm } -> if deep { Dense(7) } -> Dropout(rate)
        -> for n in sizes { Dense(n) } -> Dense(10) as logits
}

data mnist = MNIST -> Rescale(1 / 255)

train {
  loss      = CrossEntropy(logits, label)
  optimizer = start
  epochs    = 3
}
)";

std::optional<Program> with(const std::vector<std::string>& overrides) {
  static Sources sources;
  Diagnostics diagnostics;
  ElaborateOptions options;
  options.overrides = overrides;
  auto program =
      elaborate_text("test.model", kFile, golden_registry(), sources, diagnostics, options);
  EXPECT_TRUE(program.ok() && program->has_value()) << render(diagnostics);
  return program.ok() ? std::move(*program) : std::nullopt;
}

TEST(Overrides, SetParamsOfEveryType) {
  const auto p = with({"width=128", "norm=batch", "rate=0", "deep=true", "sizes=[3]"});
  ASSERT_TRUE(p);
  EXPECT_EQ(p->graph.nodes.size(), 7u);
  EXPECT_THAT(p->resolved, HasSubstr("param width: int = 128 in 1..4096"));
  EXPECT_THAT(p->resolved, HasSubstr("param norm: str = \"batch\""));
  EXPECT_THAT(p->resolved, HasSubstr("param rate: float = 0.0"));
  EXPECT_THAT(p->resolved, HasSubstr("param sizes: list = [3]"));
}

TEST(Overrides, MayComputeAndQuote) {
  const auto p = with({"width=2 ** 7", "norm=\"batch\""});
  ASSERT_TRUE(p);
  EXPECT_THAT(p->resolved, HasSubstr("int = 128"));
}

TEST(Overrides, SetSettings) {
  const auto p = with({"train.batch_size=7", "train.last_batch=drop", "train.precision=f64",
                       "train.shuffle=false"});
  ASSERT_TRUE(p);
  EXPECT_EQ(p->train.batch_size, 7);
  EXPECT_EQ(p->train.last_batch, LastBatch::kDrop);
  EXPECT_EQ(p->train.precision, Precision::kF64);
  EXPECT_FALSE(p->train.shuffle);
}

TEST(Overrides, StepsReplaceEpochs) {
  const auto p = with({"train.steps=100"});
  ASSERT_TRUE(p);
  EXPECT_EQ(p->train.steps, 100);
  EXPECT_FALSE(p->train.epochs);
}

TEST(Overrides, ChangeOneOptionOfACall) {
  const auto p = with({"train.optimizer.lr=0.25", "train.optimizer.beta1=0.5"});
  ASSERT_TRUE(p);
  const PluginCall& adam = p->train.optimizer->call();
  EXPECT_EQ(print_value(*adam.option("lr")), "0.25");
  EXPECT_EQ(print_value(*adam.option("beta1")), "0.5");
  EXPECT_EQ(print_value(*adam.option("eps")), "1e-06");  // as the file says
}

TEST(Overrides, ReplaceACallAndItsOption) {
  const auto p = with(
      {"train.optimizer=SGD(momentum = 0.9)", "train.optimizer.lr=0.1", "train.schedule=Cosine"});
  ASSERT_TRUE(p);
  EXPECT_EQ(p->train.optimizer->entry().name(), "SGD");
  EXPECT_EQ(print_value(*p->train.optimizer->call().option("lr")), "0.1");
  EXPECT_EQ(print_value(*p->train.optimizer->call().option("momentum")), "0.9");
  ASSERT_TRUE(p->train.schedule);
}

TEST(Overrides, SetOptionsOfData) {
  const auto p = with({"data.mnist.path=some/folder", "data.mnist.rescale.scale=0.5"});
  ASSERT_TRUE(p);
  // Relative to the caller's folder.
  EXPECT_EQ(print_value(*p->data.dataset->call().option("path")),
            "\"" + (std::filesystem::current_path() / "some/folder").string() + "\"");
  EXPECT_EQ(print_value(*p->data.transforms[0]->call().option("scale")),
            "0.5");  // given by position in the file
}

TEST(Overrides, KeepWhatTheFileSaysOtherwise) {
  const auto p = with({});
  ASSERT_TRUE(p);
  EXPECT_EQ(p->train.epochs, 3);
  EXPECT_EQ(print_value(*p->train.optimizer->call().option("lr")), "0.5");
}

}  // namespace
}  // namespace strata::testing
