// Texts elaborated with the registry of the goldens.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/graph/program.h"
#include "tests/graph/test_plugins.h"

namespace strata::testing {

struct Outcome {
  Sources sources;
  Diagnostics diagnostics;
  std::optional<Program> program;

  std::vector<std::string> codes() const {
    std::vector<std::string> codes;
    for (const Diagnostic& d : diagnostics.sorted()) codes.push_back(d.code);
    return codes;
  }
  std::vector<std::string> paths() const {
    std::vector<std::string> paths;
    for (const GraphNode& node : program->graph.nodes) paths.push_back(node.path);
    return paths;
  }
};

inline std::unique_ptr<Outcome> elaborate(const std::string& text, ElaborateOptions options = {}) {
  auto outcome = std::make_unique<Outcome>();
  auto program = elaborate_text("test.model", "format 1\n" + text, golden_registry(),
                                outcome->sources, outcome->diagnostics, options);
  EXPECT_TRUE(program.ok());
  if (program.ok()) outcome->program = std::move(*program);
  return outcome;
}

inline std::unique_ptr<Outcome> sound(const std::string& text, ElaborateOptions options = {}) {
  auto outcome = elaborate(text, options);
  EXPECT_TRUE(outcome->program.has_value()) << render(outcome->diagnostics);
  return outcome;
}

inline const std::string kData = "data mnist = MNIST -> Rescale(1 / 255)\n";
inline const std::string kTrain =
    "train { loss = CrossEntropy(logits, label)\n optimizer = Adam }\n";

}  // namespace strata::testing
