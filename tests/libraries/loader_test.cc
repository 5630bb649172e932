// Versions, and files that are no libraries.
#include "framework/plugin/loader.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "framework/plugin/elf.h"

namespace strata {
namespace {

TEST(Versions, AreComparedNumberByNumber) {
  EXPECT_EQ(compare_versions("1.2", "1.2"), 0);
  EXPECT_EQ(compare_versions("1.2", "1.2.0"), 0);
  EXPECT_LT(compare_versions("1.9", "1.10"), 0);
  EXPECT_GT(compare_versions("2", "1.99.99"), 0);
  EXPECT_LT(compare_versions("1.2", "1.2.1"), 0);
}

TEST(Versions, FitWhatIsAskedFor) {
  EXPECT_TRUE(version_fits("1.3", ">=", "1.2"));
  EXPECT_FALSE(version_fits("1.1", ">=", "1.2"));
  EXPECT_TRUE(version_fits("1.2.0", "==", "1.2"));
  EXPECT_FALSE(version_fits("1.2", "<", "1.2"));
  EXPECT_TRUE(version_fits("1.2", "<=", "1.2"));
  EXPECT_FALSE(version_fits("1.2", ">", "1.2"));
  EXPECT_TRUE(version_fits("0.1", "", ""));
}

// This program is an ELF file: every way to cut it, and a damaged byte anywhere in its tables, is
// refused or read, and never a crash.
TEST(Elf, ReadsNoFileBeyondItsEnd) {
  std::ifstream in("/proc/self/exe", std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  ASSERT_GT(whole.size(), 1000u);
  EXPECT_TRUE(elf_symbol(whole, "whole", "no_such_symbol").ok() ||
              !elf_symbol(whole, "whole", "no_such_symbol").error().message.empty());
  for (std::size_t size = 0; size < whole.size(); size += size < 4096 ? 1 : whole.size() / 64)
    (void)elf_symbol(std::string_view(whole).substr(0, size), "cut", "strata_plugin_tag").ok();
  std::string damaged = whole;
  for (std::size_t at = 0; at < 1024; ++at) {
    for (const char value : {'\xff', '\x7f', '\x00'}) {
      damaged[at] = value;
      (void)elf_symbol(damaged, "damaged", "strata_plugin_tag").ok();
      damaged[at] = whole[at];
    }
  }
}

TEST(Folders, ComeInTheOrderOfTheirSearch) {
  ::setenv("STRATA_PLUGIN_PATH", "/a::/b", 1);
  ::setenv("XDG_DATA_HOME", "/data", 1);
  const std::vector<PluginFolder> folders = plugin_folders({"first"});
  ASSERT_GE(folders.size(), 6u);
  EXPECT_EQ(folders[0].path, "first");
  EXPECT_TRUE(folders[0].asked_for);
  EXPECT_EQ(folders[1].path, "/a");
  EXPECT_EQ(folders[2].path, "/b");
  EXPECT_EQ(folders[3].path, "/data/strata/plugins");
  EXPECT_EQ(folders.back().path, "/usr/lib/strata/plugins");
}

}  // namespace
}  // namespace strata
