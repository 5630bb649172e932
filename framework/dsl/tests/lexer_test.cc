// Tokens and their places.
#include "framework/dsl/lexer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace strata::dsl {
namespace {

using testing::ElementsAre;

std::vector<Tok> kinds(const std::string& text) {
  const SourceFile source("test", text);
  Diagnostics diagnostics;
  std::vector<Tok> result;
  for (const Token& token : tokenize(source, diagnostics).tokens) result.push_back(token.kind);
  EXPECT_EQ(render(diagnostics), "");
  return result;
}

TEST(Lexer, RangeOfIntsIsNoFloat) {
  EXPECT_THAT(kinds("1..4"), ElementsAre(Tok::kInteger, Tok::kRange, Tok::kInteger, Tok::kEnd));
  EXPECT_THAT(kinds("0.5..1.5"), ElementsAre(Tok::kFloat, Tok::kRange, Tok::kFloat, Tok::kEnd));
}

TEST(Lexer, NumbersAreExact) {
  const SourceFile source("test",
                          "60_000 1e-3 0.1 9223372036854775807 5e-324 1.7976931348623157e308 1E+2");
  Diagnostics diagnostics;
  const Tokens tokens = tokenize(source, diagnostics);
  ASSERT_EQ(tokens.tokens.size(), 8u);
  EXPECT_EQ(tokens.tokens[0].integer, 60000);
  EXPECT_EQ(tokens.tokens[1].real, 1e-3);
  EXPECT_EQ(tokens.tokens[2].real, 0.1);
  EXPECT_EQ(tokens.tokens[3].integer, 9223372036854775807);
  EXPECT_EQ(tokens.tokens[4].real, 5e-324);
  EXPECT_EQ(tokens.tokens[5].real, 1.7976931348623157e308);
  EXPECT_EQ(tokens.tokens[6].real, 100.0);
  EXPECT_FALSE(diagnostics.has_errors());
}

TEST(Lexer, StringsAreUnescaped) {
  const SourceFile source("test", R"("a\"b\\c\n\t\u{e9}ü")");
  Diagnostics diagnostics;
  EXPECT_EQ(tokenize(source, diagnostics).tokens[0].text, "a\"b\\c\n\téü");
  EXPECT_FALSE(diagnostics.has_errors());
}

TEST(Lexer, CommentsStandAside) {
  const SourceFile source("test", "a # one \r\n#\n  ## two\r\nb");
  Diagnostics diagnostics;
  const Tokens tokens = tokenize(source, diagnostics);
  EXPECT_EQ(tokens.tokens.size(), 3u);
  ASSERT_EQ(tokens.comments.size(), 3u);
  EXPECT_EQ(tokens.comments[0].text, "one");
  EXPECT_EQ(tokens.comments[1].text, " ");
  EXPECT_EQ(tokens.comments[2].text, "# two");
  EXPECT_TRUE(tokens.tokens[1].first_on_line);
}

TEST(Lexer, DivisionIsNoComment) {
  EXPECT_THAT(kinds("a // b"), ElementsAre(Tok::kName, Tok::kSlashSlash, Tok::kName, Tok::kEnd));
  EXPECT_THAT(kinds("(a\n // b)"), ElementsAre(Tok::kLeftParen, Tok::kName, Tok::kSlashSlash,
                                               Tok::kName, Tok::kRightParen, Tok::kEnd));
}

}  // namespace
}  // namespace strata::dsl
