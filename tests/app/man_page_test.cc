// The manual page: complete, and sound for the programs that show it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <sstream>

#include "framework/app/command.h"
#include "tests/app/run_trainer.h"

namespace strata::testing {
namespace {

std::string page() {
  const Ran ran = run_trainer({"man"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  return ran.out;
}

std::string dashes_escaped(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '-' ? "\\-" : std::string(1, c);
  return out;
}

TEST(ManPage, HasEveryCommandAndOption) {
  const std::string text = page();
  for (const app::Command* command : app::commands()) {
    const std::size_t from = text.find("\n.SS " + std::string(command->name) + "\n");
    ASSERT_NE(from, std::string::npos) << command->name;
    const std::string section = text.substr(from, text.find("\n.S", from + 1) - from);
    auto options = app::option_forms(*command);
    options.resize(options.size() - app::common_options().size());
    for (const app::OptionForms& option : options) {
      for (const std::string& name : option.names) {
        EXPECT_NE(section.find("\\fB" + dashes_escaped(name) + "\\fR"), std::string::npos)
            << command->name << " " << name;
      }
    }
  }
  const std::string common = text.substr(text.find("\n.SH COMMON OPTIONS\n"));
  for (const app::OptionForms& option : app::common_options()) {
    EXPECT_NE(common.find("\\fB" + dashes_escaped(option.names.back()) + "\\fR"),
              std::string::npos);
  }
}

// What holds wherever it is read: plain characters, known requests, closed blocks.
TEST(ManPage, IsPlainRoff) {
  const std::set<std::string> known = {".\\\"", ".TH", ".SH", ".SS", ".TP",
                                       ".PP",   ".RS", ".RE", ".nf", ".fi"};
  std::istringstream lines(page());
  int depth = 0;
  for (std::string line; std::getline(lines, line);) {
    SCOPED_TRACE(line);
    EXPECT_FALSE(line.empty());
    for (const char c : line) EXPECT_TRUE(c >= ' ' && c <= '~');
    if (line[0] != '.' && line[0] != '\'') continue;
    const std::string request = line.substr(0, line.find(' '));
    EXPECT_TRUE(known.contains(request));
    depth += request == ".RS" || request == ".nf";
    depth -= request == ".RE" || request == ".fi";
  }
  EXPECT_EQ(depth, 0);
}

TEST(ManPage, IsShownWithoutWarnings) {
  if (std::system("command -v groff > /dev/null 2>&1") != 0) GTEST_SKIP() << "there is no groff";
  write_text("trainer.1", page());
  const std::string at = "cd '" + workspace() + "' && ";
  EXPECT_EQ(std::system((at + "groff -man -ww -z trainer.1 2> warnings").c_str()), 0);
  EXPECT_EQ(read_text("warnings"), "");
  EXPECT_EQ(std::system((at + "groff -man -Tutf8 -P-c -P-b -P-u -P-o trainer.1 > shown").c_str()),
            0);
  const std::string shown = read_text("shown");
  EXPECT_NE(shown.find("trainer check FILE… [path=value …]"), std::string::npos);
  EXPECT_NE(shown.find("--threads N"), std::string::npos);
  EXPECT_EQ(shown.find("\\f"), std::string::npos);
}

}  // namespace
}  // namespace strata::testing
