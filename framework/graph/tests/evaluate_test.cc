// Expressions: what they are worth, and where they are refused. The wording of errors is in
// tests/goldens/graph.
#include "framework/graph/evaluate.h"

#include <gtest/gtest.h>

#include "framework/dsl/parser.h"

namespace strata::graph {
namespace {

class NoNames : public Names {
 public:
  std::optional<Value> find(std::string_view name, Span) override {
    if (name == "width") return Value(std::int64_t{256});
    if (name == "unknown") return Value{};
    return std::nullopt;
  }
  void list(std::vector<std::string>& names) const override { names.push_back("width"); }
};

// The value as text, or the code of the error.
std::string value_of(const std::string& expression) {
  const SourceFile source("test", "format 1\nlet a = " + expression + "\n");
  Diagnostics diagnostics;
  const dsl::File file = dsl::parse_file(source, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors()) << render(diagnostics);
  const Registry registry;
  Sources sources;
  const ElaborateOptions options;
  Session session(registry, sources, diagnostics, options);
  NoNames names;
  for (const dsl::Section& section : file.sections) {
    if (const auto* let = std::get_if<dsl::LetSection>(&section.node)) {
      const Value value = evaluate(let->value, names, session);
      if (diagnostics.has_errors()) return diagnostics.all().front().code;
      return value.is_unknown() ? "unknown" : print_value(value);
    }
  }
  return "no value";
}

TEST(Evaluate, DivisionOfIntsStaysAnIntWhereItIsEven) {
  EXPECT_EQ(value_of("256 / 2"), "128");
  EXPECT_EQ(value_of("255 / 2"), "127.5");
  EXPECT_EQ(value_of("-6 / 3"), "-2");
  EXPECT_EQ(value_of("1 / 255 * 255"), "1.0");
  EXPECT_EQ(value_of("4.0 / 2"), "2.0");
}

TEST(Evaluate, FloorDivisionAndRemainderFollowPython) {
  EXPECT_EQ(value_of("7 // 2"), "3");
  EXPECT_EQ(value_of("-7 // 2"), "-4");
  EXPECT_EQ(value_of("7 // -2"), "-4");
  EXPECT_EQ(value_of("-7 % 3"), "2");
  EXPECT_EQ(value_of("7 % -3"), "-2");
  EXPECT_EQ(value_of("-7.5 % 2"), "0.5");
  EXPECT_EQ(value_of("7.5 // 2"), "3.0");
}

TEST(Evaluate, Powers) {
  EXPECT_EQ(value_of("2 ** 10"), "1024");
  EXPECT_EQ(value_of("2 ** -1"), "0.5");
  EXPECT_EQ(value_of("2 ** 3 ** 2"), "512");
  EXPECT_EQ(value_of("5 ** 0.5"), "2.23606797749979");
  EXPECT_EQ(value_of("2 ** 62"), "4611686018427387904");
  EXPECT_EQ(value_of("2 ** 63"), "overflow");
  EXPECT_EQ(value_of("(-2) ** 63"), "-9223372036854775808");
  EXPECT_EQ(value_of("0 ** -1"), "division-by-zero");
}

TEST(Evaluate, OverflowIsAnErrorAndNothingWraps) {
  EXPECT_EQ(value_of("9223372036854775807 + 1"), "overflow");
  EXPECT_EQ(value_of("-9223372036854775807 - 2"), "overflow");
  EXPECT_EQ(value_of("(-9223372036854775807 - 1) // -1"), "overflow");
  EXPECT_EQ(value_of("(-9223372036854775807 - 1) / -1"), "overflow");
  EXPECT_EQ(value_of("(-9223372036854775807 - 1) % -1"), "0");
  EXPECT_EQ(value_of("-(-9223372036854775807 - 1)"), "overflow");
  EXPECT_EQ(value_of("abs(-9223372036854775807 - 1)"), "overflow");
  EXPECT_EQ(value_of("sum([9223372036854775807, 1])"), "overflow");
  EXPECT_EQ(value_of("floor(1e300)"), "overflow");
}

TEST(Evaluate, Comparisons) {
  EXPECT_EQ(value_of("1 == 1.0"), "true");
  EXPECT_EQ(value_of("\"a\" < \"b\""), "true");
  EXPECT_EQ(value_of("none == 3"), "false");
  EXPECT_EQ(value_of("none != none"), "false");
  EXPECT_EQ(value_of("[1, 2] == [1, 2.0]"), "true");
  EXPECT_EQ(value_of("[1, 2] == [1]"), "false");
  EXPECT_EQ(value_of("true == 1"), "wrong-type");
  EXPECT_EQ(value_of("\"1\" == 1"), "wrong-type");
}

TEST(Evaluate, Membership) {
  EXPECT_EQ(value_of("3 in [1, 2, 3]"), "true");
  EXPECT_EQ(value_of("3 not in [1, 2, 3]"), "false");
  EXPECT_EQ(value_of("4 in 1..4"), "true");
  EXPECT_EQ(value_of("2.5 in 1..4"), "true");
  EXPECT_EQ(value_of("5 in 1..4"), "false");
  EXPECT_EQ(value_of("\"a\" in \"abc\""), "wrong-type");
}

TEST(Evaluate, LogicStopsEarly) {
  EXPECT_EQ(value_of("false and 1 / 0 == 1"), "false");
  EXPECT_EQ(value_of("true or 1 / 0 == 1"), "true");
  EXPECT_EQ(value_of("true and not false"), "true");
  EXPECT_EQ(value_of("true and 1"), "wrong-type");
}

TEST(Evaluate, ConditionalsTakeOneBranch) {
  EXPECT_EQ(value_of("if width > 100 then \"wide\" else 1 / 0"), "\"wide\"");
  EXPECT_EQ(value_of("if 1 then 2 else 3"), "wrong-type");
}

TEST(Evaluate, Functions) {
  EXPECT_EQ(value_of("min(3, 1, 2)"), "1");
  EXPECT_EQ(value_of("max([3, 4.5])"), "4.5");
  EXPECT_EQ(value_of("abs(-3)"), "3");
  EXPECT_EQ(value_of("round(2.5)"), "2");
  EXPECT_EQ(value_of("round(3.5)"), "4");
  EXPECT_EQ(value_of("floor(-2.5)"), "-3");
  EXPECT_EQ(value_of("ceil(2.1)"), "3");
  EXPECT_EQ(value_of("sqrt(16)"), "4.0");
  EXPECT_EQ(value_of("log2(8)"), "3.0");
  EXPECT_EQ(value_of("len([1, 2])"), "2");
  EXPECT_EQ(value_of("len(0..9)"), "10");
  EXPECT_EQ(value_of("len(\"größe\")"), "5");
  EXPECT_EQ(value_of("sum(1..100)"), "5050");
  EXPECT_EQ(value_of("range(3)"), "[0, 1, 2]");
  EXPECT_EQ(value_of("range(4, 0, -2)"), "[4, 2]");
  EXPECT_EQ(value_of("log2(0)"), "no-number");
}

TEST(Evaluate, ListsAndTexts) {
  EXPECT_EQ(value_of("[1] + [2, 3]"), "[1, 2, 3]");
  EXPECT_EQ(value_of("[256] * 3"), "[256, 256, 256]");
  EXPECT_EQ(value_of("\"a\" + \"b\""), "\"ab\"");
  EXPECT_EQ(value_of("[1] + 2"), "wrong-type");
}

TEST(Evaluate, WhatIsUnknownStaysQuiet) {
  EXPECT_EQ(value_of("unknown + 1"), "unknown");
  EXPECT_EQ(value_of("if unknown then 1 else 2"), "unknown");
  EXPECT_EQ(value_of("max(unknown, \"a\")"), "unknown");
}

TEST(Evaluate, SizesAreLimited) {
  EXPECT_EQ(value_of("[0] * 2_000_000"), "list-too-long");
  EXPECT_EQ(value_of("range(2_000_000)"), "list-too-long");
  EXPECT_EQ(value_of("sum(0..9_000_000_000)"), "list-too-long");
}

TEST(Evaluate, LongValuesAreCutInMessages) {
  EXPECT_EQ(value_of("[1000000] * 1000").size(), 63u);  // 60 bytes and an ellipsis
}

}  // namespace
}  // namespace strata::graph
