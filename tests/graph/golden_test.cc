// What elaboration says of mistakes that people make, character by character:
// tests/goldens/graph/NAME.model and NAME.expected. A first line `# run: …` holds overrides and
// flags: --strict, --nodes=N, --work=N, --includes=N.
//
//   UPDATE_GOLDENS=1 bazel run //tests/graph:golden_test    # rewrites the expectations: look at
//   the difference
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "framework/dsl/diagnostic_codes.h"
#include "framework/graph/diagnostic_codes.h"
#include "framework/graph/program.h"
#include "tests/graph/test_plugins.h"

namespace strata::testing {
namespace {

namespace fs = std::filesystem;

const std::string kFolder = "tests/goldens/graph";

std::vector<std::string> files_in(const std::string& folder, const std::string& extension) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == extension) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// Runs a golden from within its folder, so that messages and includes have short names.
Diagnostics run(const std::string& path, Sources& sources) {
  const std::string text = read(path);
  ElaborateOptions options;
  const std::string mark = "# run: ";
  if (text.starts_with(mark)) {
    std::istringstream words(text.substr(mark.size(), text.find('\n') - mark.size()));
    for (std::string word; words >> word;) {
      if (word == "--strict") {
        options.strict = true;
      } else if (word.starts_with("--nodes=")) {
        options.max_nodes = std::stoll(word.substr(8));
      } else if (word.starts_with("--work=")) {
        options.max_work = std::stoll(word.substr(7));
      } else if (word.starts_with("--includes=")) {
        options.max_include_depth = std::stoi(word.substr(11));
      } else {
        options.overrides.push_back(word);
      }
    }
  }
  Diagnostics diagnostics;
  const fs::path before = fs::current_path();
  fs::current_path(kFolder);
  const auto program = elaborate_text(fs::path(path).filename(), text, golden_registry(), sources,
                                      diagnostics, options);
  fs::current_path(before);
  EXPECT_TRUE(program.ok());
  if (program.ok()) {
    EXPECT_EQ(program->has_value(), !diagnostics.has_errors()) << render(diagnostics);
  }
  return diagnostics;
}

class Golden : public ::testing::TestWithParam<std::string> {};

TEST_P(Golden, SaysExactlyThis) {
  Sources sources;
  const std::string said = render(run(GetParam(), sources));
  const std::string expected = fs::path(GetParam()).replace_extension(".expected");
  const char* workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (workspace && std::getenv("UPDATE_GOLDENS")) {
    std::ofstream(std::string(workspace) + "/" + expected, std::ios::binary) << said;
    return;
  }
  EXPECT_EQ(said, read(expected));
  EXPECT_NE(said, "") << "a golden holds a mistake";
}

INSTANTIATE_TEST_SUITE_P(Goldens, Golden, ::testing::ValuesIn(files_in(kFolder, ".model")),
                         [](const auto& golden) { return fs::path(golden.param).stem().string(); });

std::set<std::string> documented() {
  std::set<std::string> codes;
  for (const DiagnosticDoc& doc : graph_diagnostic_docs()) codes.insert(std::string(doc.code));
  return codes;
}

TEST(DiagnosticCodes, EachHasAnEntryAndAGolden) {
  std::set<std::string> seen;
  for (const std::string& path : files_in(kFolder, ".model")) {
    Sources sources;
    const Diagnostics said = run(path, sources);
    for (const Diagnostic& d : said.all()) seen.insert(d.code);
  }
  for (const std::string& code : documented())
    EXPECT_TRUE(seen.contains(code)) << code << " has no golden";
  for (const std::string& code : seen) {
    const bool of_parser = std::any_of(dsl::diagnostic_docs().begin(), dsl::diagnostic_docs().end(),
                                       [&](const auto& doc) { return doc.code == code; });
    EXPECT_TRUE(of_parser || documented().contains(code)) << code << " has no entry";
  }
}

TEST(DiagnosticCodes, AreDocumentedOnceAndWhole) {
  std::set<std::string> codes;
  for (const DiagnosticDoc& doc : graph_diagnostic_docs()) {
    EXPECT_TRUE(codes.insert(std::string(doc.code)).second) << doc.code << " has two entries";
    for (const std::string_view text : {doc.title, doc.text, doc.wrong, doc.right})
      EXPECT_NE(text, "") << doc.code;
    EXPECT_NE(doc.wrong, doc.right) << doc.code;
  }
  for (const std::string& lint : lint_names()) EXPECT_TRUE(codes.contains(lint)) << lint;
}

// A code that no golden reaches would escape the test above.
TEST(DiagnosticCodes, OfTheSourcesAreAllDocumented) {
  const std::set<std::string> codes = documented();
  const std::regex reported("(error|lint)\\(\\s*\"([a-z0-9]+(-[a-z0-9]+)*)\"");
  int found = 0;
  for (const std::string& path : files_in("framework/graph", ".cc")) {
    const std::string text = read(path);
    for (std::sregex_iterator match(text.begin(), text.end(), reported), end; match != end;
         ++match, ++found) {
      EXPECT_TRUE(codes.contains((*match)[2].str())) << (*match)[2].str() << " in " << path;
    }
  }
  EXPECT_GT(found, 80);
}

}  // namespace
}  // namespace strata::testing
