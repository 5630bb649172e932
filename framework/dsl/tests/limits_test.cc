// Size and depth: long texts take linear time and flat stacks, deep ones are refused with a
// message.
#include <gtest/gtest.h>

#include "framework/dsl/parser.h"
#include "framework/dsl/printer.h"

namespace strata::dsl {
namespace {

constexpr int kMany = 100'000;

std::string repeated(const std::string& text, int count) {
  std::string result;
  result.reserve(text.size() * static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

// The codes of what is wrong, joined by spaces; the tree is printed and destroyed too.
std::string codes(const std::string& text) {
  const SourceFile source("big.model", text);
  Diagnostics diagnostics(10);
  {
    const File file = parse_file(source, diagnostics);
    if (!diagnostics.has_errors()) {
      EXPECT_NE(print(file), "");
    }
  }
  std::string result;
  for (const Diagnostic& d : diagnostics.sorted()) result += (result.empty() ? "" : " ") + d.code;
  return result;
}

std::string let(const std::string& value) { return "format 1\nlet a = " + value + "\n"; }
std::string model(const std::string& body) {
  return "format 1\nmodel m(x: [4]) -> y {\n" + body + "\n}\n";
}

TEST(Limits, LongChainsAreLoops) {
  EXPECT_EQ(codes(let("1" + repeated(" + 1", kMany))), "");
  EXPECT_EQ(codes(let("2" + repeated(" ** 2", kMany))), "");
  EXPECT_EQ(codes(let("a" + repeated(" and b or c", kMany))), "");
  EXPECT_EQ(codes(let(repeated("if a then 1 else ", kMany) + "2")), "");
  EXPECT_EQ(codes(let("[" + repeated("1, ", kMany) + "]")), "");
  EXPECT_EQ(codes(let("f(" + repeated("a = 1, ", kMany) + ")")), "");
  EXPECT_EQ(codes(let("a" + repeated(".b", kMany))), "");
}

TEST(Limits, LongFlowsAndBodies) {
  EXPECT_EQ(codes(model("y = x" + repeated(" -> Dense(64)", kMany))), "");
  EXPECT_EQ(codes(model("y = x" + repeated("\n-> Dense(64) -> ReLU", kMany / 2))), "");
  EXPECT_EQ(codes(model("y = x -> if a { A }" + repeated(" else if b { B }", kMany))), "");
  EXPECT_EQ(codes(model(repeated("y = x -> Dense(64)\n", kMany))), "");
  EXPECT_EQ(codes(model(repeated("a, ", kMany) + "b = x")), "");
  EXPECT_EQ(codes("format 1\n" + repeated("let a = 1  # one\n", kMany)), "");
}

TEST(Limits, DeepNestingIsRefused) {
  EXPECT_EQ(codes(let(repeated("(", kMany) + "1" + repeated(")", kMany))), "nesting-too-deep");
  EXPECT_EQ(codes(let(repeated("[", kMany) + repeated("]", kMany))), "nesting-too-deep");
  EXPECT_EQ(codes(let(repeated("f(", kMany) + repeated(")", kMany))), "nesting-too-deep");
  EXPECT_EQ(codes(let(repeated("not ", kMany) + "a")), "nesting-too-deep");
  EXPECT_EQ(codes(let(repeated("- ", kMany) + "1")), "nesting-too-deep");
  EXPECT_EQ(codes(let("2" + repeated(" ** -2", kMany))), "nesting-too-deep");
  EXPECT_EQ(codes(let(repeated("if ", kMany) + "a")), "nesting-too-deep");
  EXPECT_EQ(codes(let(repeated("if a then ", kMany) + "1")), "nesting-too-deep");
  EXPECT_EQ(
      codes(model("y = x -> " + repeated("repeat 2 { ", kMany) + "A" + repeated(" }", kMany))),
      "nesting-too-deep");
}

TEST(Limits, NestingUpToTheLimitIsFine) {
  EXPECT_EQ(codes(let(repeated("(", 99) + "1" + repeated(")", 99))), "");
  EXPECT_EQ(codes(let(repeated("f(", 99) + repeated(")", 99))), "");
  EXPECT_EQ(codes(let(repeated("not ", 99) + "a")), "");
  EXPECT_EQ(codes(model("y = x -> " + repeated("repeat 2 { ", 99) + "A" + repeated(" }", 99))), "");
}

// Unbalanced floods and lists without their `=` must not cost quadratic time either.
TEST(Limits, LongMistakes) {
  EXPECT_NE(codes(let(repeated("(", kMany))), "");
  EXPECT_NE(codes(let(repeated(")", kMany))), "");
  EXPECT_NE(codes(model(repeated("{", kMany))), "");
  EXPECT_NE(codes(model(repeated("}", kMany))), "");
  EXPECT_NE(codes(model(repeated("if a {\n", kMany) + repeated("}\n", kMany))), "");
  EXPECT_NE(codes(model(repeated("y = x -> -> ", kMany))), "");
  EXPECT_NE(codes(repeated("\"", kMany)), "");
  EXPECT_NE(codes(repeated("\xFF\n", kMany)), "");
  EXPECT_EQ(codes(model(repeated("a, ", kMany) + "b")), "");
  EXPECT_NE(codes(let(repeated("(]", kMany))), "");
}

TEST(Limits, AFloodOfErrorsEnds) {
  const SourceFile source("bad.model",
                          "format 1\ntrain {\n" + repeated("epochs 10\n", 1000) + "}\n");
  Diagnostics diagnostics;
  parse_file(source, diagnostics);
  EXPECT_EQ(diagnostics.errors(), 100);
  EXPECT_NE(render(diagnostics).find("100 errors; there may be more"), std::string::npos);
}

}  // namespace
}  // namespace strata::dsl
