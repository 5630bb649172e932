// What elaboration costs: in proportion to the file and to what it expands to, and bounded.
#include <gmock/gmock.h>

#include <chrono>

#include "tests/graph/elaborations.h"

namespace strata::testing {
namespace {

using ::testing::ElementsAre;

double seconds(const std::string& text) {
  const auto start = std::chrono::steady_clock::now();
  const auto outcome = sound(text);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string long_model(int layers) {
  std::string text = "model m(x: [8]) -> y {\n  x\n";
  for (int i = 0; i < layers; ++i) text += "    -> Dense(8)\n";
  return text + "    -> Dense(2) as y\n}\n";
}

TEST(Cost, GrowsWithTheFile) {
  seconds(long_model(100));
  const double small = seconds(long_model(2'000)), large = seconds(long_model(20'000));
  EXPECT_LT(large, 40 * small + 0.5);
}

TEST(Cost, OfAThousandBlocksIsSmall) {
  const std::string text =
      "block residual(x, units) -> y {\n"
      "  main = x -> Dense(units, bias = false) -> BatchNorm -> ReLU -> Dense(units, bias = false) "
      "-> BatchNorm\n"
      "  skip = x -> if x.features != units { Dense(units) }\n  y = Add(main, skip) -> ReLU\n}\n"
      "model m(x: [8]) -> y { x -> repeat 1_000 { residual(8) } -> Dense(2) as y }\n";
  EXPECT_LT(seconds(text), 10);  // about 0.1 s; sanitizers and busy machines take longer
}

TEST(Cost, ExpansionEndsSoon) {
  std::string text = "block b0(x) -> y { y = x -> if false { ReLU } }\n";
  for (int i = 1; i < 60; ++i) {
    const std::string inner = "b" + std::to_string(i - 1);
    text +=
        "block b" + std::to_string(i) + "(x) -> y { y = x -> " + inner + " -> " + inner + " }\n";
  }
  ElaborateOptions options;
  options.max_nodes = 1000;
  const auto outcome =
      elaborate(text + "model m(x: [8]) -> y { x -> b59 -> ReLU as y }\n", options);
  EXPECT_THAT(outcome->codes(), ElementsAre("too-much-work"));
}

}  // namespace
}  // namespace strata::testing
