// Every syntax error, character by character: goldens/NAME.model and what is said of it,
// goldens/NAME.expected. A file override_*.model holds what stands on a command line; limit_*.model
// is read with a limit of 64 bytes.
//
//   UPDATE_GOLDENS=1 bazel run //framework/dsl/tests:golden_test    # rewrites the expectations:
//   look at the difference
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "framework/dsl/diagnostic_codes.h"
#include "framework/dsl/parser.h"
#include "framework/dsl/tests/test_files.h"

namespace strata::dsl {
namespace {

const std::string kFolder = "framework/dsl/tests/goldens";

void parse_golden(const SourceFile& source, Diagnostics& diagnostics) {
  if (source.name().starts_with("override_")) {
    parse_override(source, diagnostics);
  } else {
    ParseLimits limits;
    if (source.name().starts_with("limit_")) limits.file_bytes = 64;
    parse_file(source, diagnostics, limits);
  }
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, SaysExactlyThis) {
  const std::string& path = GetParam();
  const SourceFile source(file_name(path), read_text(path));
  Diagnostics diagnostics;
  parse_golden(source, diagnostics);
  const std::string said = render(diagnostics);
  const std::string expected_path =
      path.substr(0, path.size() - std::string(".model").size()) + ".expected";
  const char* workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (workspace && std::getenv("UPDATE_GOLDENS")) {
    std::ofstream(std::string(workspace) + "/" + expected_path, std::ios::binary) << said;
    return;
  }
  EXPECT_EQ(said, read_text(expected_path));
  EXPECT_NE(said, "") << "a golden holds a mistake";
  // What a program reads is JSON whatever the file holds.
  const auto json = nlohmann::json::parse(render_json(diagnostics));
  EXPECT_EQ(json.size(), diagnostics.sorted().size() + (diagnostics.cut() ? 1 : 0));
}

INSTANTIATE_TEST_SUITE_P(Goldens, Golden, testing::ValuesIn(files_in(kFolder, ".model")),
                         [](const auto& golden) {
                           const std::string name = file_name(golden.param);
                           return name.substr(0, name.find('.'));
                         });

std::set<std::string> codes_with_goldens() {
  std::set<std::string> codes;
  for (const std::string& path : files_in(kFolder, ".model")) {
    const SourceFile source(file_name(path), read_text(path));
    Diagnostics diagnostics;
    parse_golden(source, diagnostics);
    for (const Diagnostic& d : diagnostics.all()) codes.insert(d.code);
  }
  return codes;
}

TEST(DiagnosticCodes, EachHasAnEntryAndAGolden) {
  std::set<std::string> documented;
  for (const DiagnosticDoc& doc : diagnostic_docs()) {
    EXPECT_TRUE(documented.insert(std::string(doc.code)).second) << doc.code << " has two entries";
    for (const std::string_view text : {doc.title, doc.text, doc.wrong, doc.right})
      EXPECT_NE(text, "") << doc.code;
  }
  EXPECT_EQ(codes_with_goldens(), documented);
}

// A code that no golden reaches would escape the test above.
TEST(DiagnosticCodes, OfTheSourcesAreAllDocumented) {
  std::set<std::string> documented;
  for (const DiagnosticDoc& doc : diagnostic_docs()) documented.insert(std::string(doc.code));
  const std::regex code("\"([a-z0-9]+(-[a-z0-9]+)+)\"");
  int found = 0;
  for (const std::string& path : files_in("framework/dsl", ".cc")) {
    if (file_name(path) == "diagnostic_codes.cc") continue;
    const std::string text = read_text(path);
    for (std::sregex_iterator match(text.begin(), text.end(), code), end; match != end;
         ++match, ++found) {
      EXPECT_TRUE(documented.contains((*match)[1].str())) << (*match)[1].str() << " in " << path;
    }
  }
  EXPECT_GT(found, 50);
}

TEST(DiagnosticCodes, RightExamplesDifferFromWrongOnes) {
  for (const DiagnosticDoc& doc : diagnostic_docs()) EXPECT_NE(doc.wrong, doc.right) << doc.code;
}

}  // namespace
}  // namespace strata::dsl
