// Every model in the documentation is sound: the blocks that are marked ```model.
#include <gtest/gtest.h>

#include <sstream>

#include "tests/app/run_trainer.h"

namespace strata::testing {
namespace {

struct Block {
  int line = 0;
  std::string text;
};

std::vector<Block> model_blocks(const std::string& page) {
  std::vector<Block> blocks;
  std::istringstream lines(read_text(repository_file(page)));
  bool inside = false;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (!inside && line == "```model") {
      inside = true;
      blocks.push_back({number + 1, ""});
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      blocks.back().text += line + "\n";
    }
  }
  return blocks;
}

class Page : public ::testing::TestWithParam<const char*> {};

TEST_P(Page, HasSoundModels) {
  const auto blocks = model_blocks(GetParam());
  EXPECT_FALSE(blocks.empty());
  for (const Block& block : blocks) {
    SCOPED_TRACE(std::string(GetParam()) + ":" + std::to_string(block.line));
    write_text("block.model", block.text);
    const Ran ran = run_trainer({"check", "block.model", "--strict"});
    EXPECT_EQ(ran.code, 0) << ran.err;
  }
}

INSTANTIATE_TEST_SUITE_P(Documentation, Page, ::testing::Values("README.md", "docs/language.md"));

}  // namespace
}  // namespace strata::testing
