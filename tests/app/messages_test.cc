// What `trainer check` says of mistakes in the use of the built-in layers: models in messages/,
// each with the text that it must give, none where it has no mistakes. UPDATE_GOLDENS=1 writes the
// texts anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/app/run_trainer.h"

namespace strata::testing {
namespace {

namespace fs = std::filesystem;

TEST(Messages, AreTheExpectedOnes) {
  int models = 0;
  for (const auto& entry : fs::directory_iterator(repository_file("tests/app/messages"))) {
    if (entry.path().extension() != ".model") continue;
    ++models;
    const std::string name = entry.path().filename().string();
    write_text(name, read_text(entry.path().string()));
    const Ran ran = run_trainer({"check", name});
    EXPECT_EQ(ran.code, ran.err.empty() ? 0 : 3) << name;
    fs::path expected = entry.path();
    expected.replace_extension(".expected");
    if (std::getenv("UPDATE_GOLDENS")) {
      write_text(fs::canonical(entry.path()).replace_extension(".expected").string(), ran.err);
    } else {
      EXPECT_EQ(ran.err, read_text(expected.string())) << name;
    }
  }
  EXPECT_GT(models, 0);
}

}  // namespace
}  // namespace strata::testing
