// Programs and folders for tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "framework/base/diagnostic.h"
#include "framework/graph/program.h"
#include "framework/plugin/registry.h"

namespace strata::testing {

inline const Registry& registry() {
  static const Registry instance = Registry::builtin();
  return instance;
}

// Elaborates a model text; a mistake in it fails the test with the rendered diagnostics.
inline std::optional<Program> program_of(const std::string& text,
                                         const std::vector<std::string>& overrides = {}) {
  static Sources sources;  // spans of the programs point into it
  Diagnostics diagnostics;
  ElaborateOptions options;
  options.overrides = overrides;
  auto program = elaborate_text("test.model", text, registry(), sources, diagnostics, options);
  if (!program.ok()) {
    ADD_FAILURE() << program.error().message;
    return std::nullopt;
  }
  if (!program->has_value()) ADD_FAILURE() << render(diagnostics);
  return std::move(*program);
}

// A folder that is gone after the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "strata-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

// A small network with everything that could depend on threads or on time: batch norm, dropout, a
// shuffled, partial last batch. 300 samples at batch 37: 8 batches and one of 4.
inline std::string spirals_text() {
  return R"(format 1
model spiral(point: [2]) -> logits {
  point -> Dense(64) -> BatchNorm -> ReLU -> Dropout(0.2) -> Dense(48) -> BatchNorm -> ReLU -> Dense(3) as logits
}
data spirals = Synthetic(kind = "spirals", samples = 300, val_samples = 60, classes = 3)
train {
  loss       = CrossEntropy(logits, label)
  metrics    = [Accuracy(logits, label)]
  optimizer  = Adam(lr = 1e-2)
  schedule   = Cosine(warmup = 5)
  batch_size = 37
  epochs     = 3
  seed       = 5
}
)";
}

}  // namespace strata::testing
