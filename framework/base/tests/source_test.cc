// Lines and columns as an editor shows them.
#include "framework/base/source.h"

#include <gtest/gtest.h>

#include "framework/base/utf8.h"

namespace strata {
namespace {

TEST(Source, LinesAndColumns) {
  const SourceFile source("a", "ab\n\ncd");
  EXPECT_EQ(source.line_count(), 3);
  EXPECT_EQ(source.line(1), "ab");
  EXPECT_EQ(source.line(2), "");
  EXPECT_EQ(source.line(3), "cd");
  EXPECT_EQ(source.line(4), "");
  EXPECT_EQ(source.position(0).line, 1);
  EXPECT_EQ(source.position(3).line, 2);
  EXPECT_EQ(source.position(5).line, 3);
  EXPECT_EQ(source.position(5).column, 2);
  EXPECT_EQ(source.position(99).column, 3);
}

TEST(Source, ByteOrderMarkAndWindowsLineEnds) {
  const SourceFile source("a", "\xEF\xBB\xBFone\r\ntwo\r\n");
  EXPECT_EQ(source.text().substr(0, 3), "one");
  EXPECT_EQ(source.line(1), "one");
  EXPECT_EQ(source.line(2), "two");
  EXPECT_EQ(source.position(4).column, 4);  // between CR and LF
  EXPECT_EQ(source.position(5).line, 2);
}

TEST(Source, ColumnsAreCodePointsAndTabsReachStops) {
  const SourceFile source("a", "é\tx\ty");
  EXPECT_EQ(source.position(2).column, 2);  // the tab
  EXPECT_EQ(source.position(3).column, 5);  // x
  EXPECT_EQ(source.position(5).column, 9);  // y
  EXPECT_EQ(source.position(1).column, 1);  // inside é
}

TEST(Source, Cover) {
  const SourceFile source("a", "abcdef");
  const Span both = cover({&source, 4, 5}, {&source, 1, 2});
  EXPECT_EQ(both.text(), "bcde");
  EXPECT_EQ(cover({}, {&source, 1, 2}).text(), "b");
}

TEST(Utf8, RefusesWhatIsNotUtf8) {
  for (const char* bad : {"\x80", "\xC0\x80", "\xC3", "\xC3\x28", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF5\x80\x80\x80", "\xFF"}) {
    EXPECT_FALSE(decode_utf8(bad).valid) << bad;
    EXPECT_EQ(decode_utf8(bad).size, 1u);
  }
  for (const char32_t c : {U'a', U'é', U'日', U'😀'}) {
    std::string text;
    append_utf8(text, c);
    EXPECT_TRUE(decode_utf8(text).valid);
    EXPECT_EQ(decode_utf8(text).code_point, c);
    EXPECT_EQ(decode_utf8(text).size, text.size());
  }
}

}  // namespace
}  // namespace strata
