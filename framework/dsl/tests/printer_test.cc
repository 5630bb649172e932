// The canonical form: files come out as they should look, comments stay, printing twice changes
// nothing.
#include "framework/dsl/printer.h"

#include <gtest/gtest.h>

#include "framework/dsl/dump.h"
#include "framework/dsl/parser.h"
#include "framework/dsl/tests/test_files.h"

namespace strata::dsl {
namespace {

std::string formatted(const std::string& text) {
  const SourceFile source("test.model", text);
  Diagnostics diagnostics;
  const std::string printed = print(parse_file(source, diagnostics));
  EXPECT_EQ(render(diagnostics), "");
  return printed;
}

class Canonical : public testing::TestWithParam<std::string> {};

TEST_P(Canonical, ComesOutAsItIs) {
  const std::string text = read_text(GetParam());
  EXPECT_EQ(formatted(text), text);
}

INSTANTIATE_TEST_SUITE_P(Models, Canonical, testing::ValuesIn(files_in("models", ".model")),
                         [](const auto& golden) {
                           const std::string name = file_name(golden.param);
                           return name.substr(0, name.find('.'));
                         });

// Parse, print, parse gives the same tree, also for what can be saved of files with mistakes.
class RoundTrip : public testing::TestWithParam<std::string> {};

TEST_P(RoundTrip, KeepsTheTree) {
  const SourceFile source("test.model", read_text(GetParam()));
  Diagnostics diagnostics;
  const File file = parse_file(source, diagnostics);
  if (dump(file).find("error") != std::string::npos || dump(file).find('?') != std::string::npos)
    return;
  const SourceFile again("printed.model", print(file));
  Diagnostics none;
  const File parsed = parse_file(again, none);
  EXPECT_EQ(dump(parsed), dump(file));
  EXPECT_EQ(print(parsed), print(file));
}

INSTANTIATE_TEST_SUITE_P(Goldens, RoundTrip,
                         testing::ValuesIn(files_in("framework/dsl/tests/goldens", ".model")),
                         [](const auto& golden) {
                           const std::string name = file_name(golden.param);
                           return name.substr(0, name.find('.'));
                         });

struct Layout {
  const char* given;
  const char* printed;
};

TEST(Printer, Layout) {
  const Layout cases[] = {
      {"format 1 # version\n\n\n\nlet a=1 # one\nlet classes=10 # ten\n",
       "format 1  # version\n\nlet a = 1         # one\nlet classes = 10  # ten\n"},
      {"#\n#   indented\n##title\nformat 1\n# end", "#\n#   indented\n##title\nformat 1\n# end\n"},
      {"format 1\n\n# about a\n\n# more\nlet a = 1\n",
       "format 1\n\n# about a\n\n# more\nlet a = 1\n"},
      {"format 1 let s = "
       "\"x\\u{202e}y\\u{200b}\\u{2066}\\u{feff}\\u{2028}\\u{85}\\u{a0}\\u{ad}\\u{80}\"",
       "format 1\nlet s = "
       "\"x\\u{202e}y\\u{200b}\\u{2066}\\u{feff}\\u{2028}\\u{85}\\u{a0}\\u{ad}\\u{80}\"\n"},
      {"format 1\nlet a = 1, let b = 2", "format 1\nlet a = 1\nlet b = 2\n"},
      {"format 1 let s = \"\\u{e9}\\u{7}\\t\" let n = ((1) + - 2 ** -3) let t = ((1,2),)",
       "format 1\nlet s = \"é\\u{7}\\t\"\nlet n = ((1) + -2 ** -3)\nlet t = ((1, 2),)\n"},
      {"format 1\nlet a = [1, # one\n 2\n # end\n]\n",
       "format 1\nlet a = [\n  1,  # one\n  2,\n  # end\n]\n"},
      {"format 1\nlet a = 1 + # why\n 2\n", "format 1\n# why\nlet a = 1 + 2\n"},
      {"format 1\ntrain { # open\n a = 1\n bcd = 2 # b\n\n\n # next\n longer_name = 3\n # last\n} "
       "# close\n",
       "format 1\ntrain {  # open\n  a   = 1\n  bcd = 2  # b\n\n  # next\n  longer_name = 3\n  # "
       "last\n}  # close\n"},
      {"format 1\nmodel m(a:[1]) -> y {\n y = a\n -> A -> B\n -> C # c\n -> if x { D\n # inner\n "
       "}\n}\n",
       "format 1\nmodel m(a: [1]) -> y {\n  y = a -> A -> B\n        -> C  # c\n        -> if x "
       "{\n             D\n"
       "             # inner\n           }\n}\n"},
      {"format 1\nmodel m(a:[1]) -> y { y = a -> if x {\n A } else { B } -> C }\n",
       "format 1\nmodel m(a: [1]) -> y {\n  y = a -> if x {\n             A\n           } else {\n "
       "            B\n"
       "           }\n        -> C\n}\n"},
      {"format 1\nblock b(x, # the value\n n=3) -> y { y = x }\n",
       "format 1\nblock b(\n  x,  # the value\n  n = 3,\n) -> y {\n  y = x\n}\n"},
      {"format 1\nstudy s { grid a.b=[1] seeds=3 report x,y }\n",
       "format 1\nstudy s {\n  grid   a.b = [1]\n  seeds  = 3\n  report x, y\n}\n"},
  };
  for (const Layout& c : cases) {
    EXPECT_EQ(formatted(c.given), c.printed);
    EXPECT_EQ(formatted(c.printed), c.printed);
  }
}

TEST(Printer, FloatsRoundTrip) {
  EXPECT_EQ(print_float(0.001), "0.001");
  EXPECT_EQ(print_float(1e-5), "1e-05");
  EXPECT_EQ(print_float(1), "1.0");
  EXPECT_EQ(print_float(-3), "-3.0");
  EXPECT_EQ(print_float(1e22), "1e+22");
  EXPECT_EQ(print_float(0.1), "0.1");
}

TEST(Printer, StringsAreEscaped) {
  EXPECT_EQ(print_string("a\"b\\c\nd\te\x01ü"), "\"a\\\"b\\\\c\\nd\\te\\u{1}ü\"");
}

// Trees that no text gave: parentheses appear where the meaning needs them.
TEST(Printer, AddsNeededParentheses) {
  const auto number = [](std::int64_t value) {
    return std::make_unique<Expr>(Expr{{}, false, IntLiteral{value, ""}});
  };
  ChainExpr sum;
  sum.first = number(1);
  sum.rest.push_back({BinaryOp::kAdd, {}, number(-2)});
  ChainExpr product;
  product.first = std::make_unique<Expr>(Expr{{}, false, std::move(sum)});
  product.rest.push_back({BinaryOp::kMultiply, {}, number(3)});
  EXPECT_EQ(print(Expr{{}, false, std::move(product)}), "(1 + -2) * 3");
}

}  // namespace
}  // namespace strata::dsl
