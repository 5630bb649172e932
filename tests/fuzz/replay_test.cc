// Every file that the fuzzer found worth keeping, and every model and golden, through the fuzzer's
// own entry: a broken law aborts, and the last line printed names the file.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace strata {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void run_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::fprintf(stderr, "%s\n", path.c_str());
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

// The number of files in the folder, all of them run.
std::size_t run_folder(const fs::path& folder) {
  const std::vector<fs::path> files = files_below(folder);
  for (const fs::path& file : files) run_file(file);
  return files.size();
}

TEST(Replay, Corpus) { EXPECT_GT(run_folder("tests/fuzz/corpus"), 100u); }

TEST(Replay, Models) { EXPECT_GT(run_folder("models"), 3u); }

TEST(Replay, Goldens) {
  EXPECT_GT(run_folder("framework/dsl/tests/goldens"), 100u);
  EXPECT_GT(run_folder("tests/goldens"), 100u);
}

// Every prefix of a model is what an editor sees while it is typed.
TEST(Replay, Prefixes) {
  std::ifstream in("models/batchnorm_study.model", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  ASSERT_FALSE(text.empty());
  for (std::size_t size = 0; size < text.size(); size += 7) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), size);
  }
}

}  // namespace
}  // namespace strata
