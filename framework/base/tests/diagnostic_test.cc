// The caret renderer, the JSON form and the collection of diagnostics.
#include "framework/base/diagnostic.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace strata {
namespace {

Span find(const SourceFile& source, std::string_view piece) {
  const std::size_t begin = source.text().find(piece);
  return {&source, static_cast<std::uint32_t>(begin),
          static_cast<std::uint32_t>(begin + piece.size())};
}

std::string rendered(const SourceFile& source, std::string_view piece, RenderStyle style = {}) {
  Diagnostics diagnostics;
  diagnostics.error("a-code", find(source, piece), "wrong");
  return render(diagnostics.all()[0], style);
}

TEST(Render, AllParts) {
  const SourceFile source("a.model", "one\n  image -> Dnese(10)\n");
  Diagnostics diagnostics;
  Diagnostic& d =
      diagnostics.error("unknown-layer", find(source, "Dnese"), "no layer is called `Dnese`");
  d.help = "did you mean `Dense`?";
  d.notes.push_back({{}, "allowed: many"});
  d.notes.push_back({find(source, "one"), "first here"});
  d.instances.push_back({find(source, "image"), "in block `b`"});
  EXPECT_EQ(render(diagnostics),
            "a.model:2:12: error: no layer is called `Dnese` [unknown-layer]\n"
            "  2 |   image -> Dnese(10)\n"
            "    |            ^^^^^\n"
            "  note: allowed: many\n"
            "  help: did you mean `Dense`?\n"
            "a.model:1:1: note: first here\n"
            "  1 | one\n"
            "    | ^^^\n"
            "  at a.model:2:3: in block `b`\n"
            "1 error\n");
}

TEST(Render, SpanOfSeveralLinesShowsTheFirst) {
  const SourceFile source("a", "x = f(1,\r\n  2)\r\n");
  EXPECT_EQ(rendered(source, "f(1,\r\n  2)"),
            "a:1:5: error: wrong [a-code]\n  1 | x = f(1,\n    |     ^^^^\n");
}

TEST(Render, TabsWideAndInvisibleCharacters) {
  const SourceFile source("a", "\tx = \"日本é\x1b\xff\u202e\" bad");
  EXPECT_EQ(rendered(source, "bad"),
            "a:1:18: error: wrong [a-code]\n"
            "  1 |     x = \"日本é␛\uFFFD\uFFFD\" bad\n"
            "    |                    ^^^\n");
}

TEST(Render, LongLinesAreCutAroundTheCarets) {
  const SourceFile source("a", std::string(200, 'a') + "HERE" + std::string(300, 'b'));
  RenderStyle style;
  style.max_columns = 40;
  EXPECT_EQ(rendered(source, "HERE", style),
            "a:1:201: error: wrong [a-code]\n  1 | …" + std::string(20, 'a') + "HERE" +
                std::string(16, 'b') + "…\n    | " + std::string(21, ' ') + "^^^^\n");
  EXPECT_EQ(rendered(source, "aaaa", style),
            "a:1:1: error: wrong [a-code]\n  1 | " + std::string(40, 'a') + "…\n    | ^^^^\n");
}

TEST(Render, EndOfFileAndEmptyFile) {
  const SourceFile source("a", "x\n");
  Diagnostics diagnostics;
  diagnostics.error("c", {&source, 2, 2}, "ends");
  EXPECT_EQ(render(diagnostics.all()[0]), "a:2:1: error: ends [c]\n  2 |\n    | ^\n");
  const SourceFile empty("b", "");
  EXPECT_EQ(rendered(empty, ""), "b:1:1: error: wrong [a-code]\n");
}

TEST(Render, ColorWrapsTheSameText) {
  const SourceFile source("a", "x");
  RenderStyle style;
  style.color = true;
  std::string text = rendered(source, "x", style);
  EXPECT_NE(text.find("\x1b["), std::string::npos);
  for (std::size_t at; (at = text.find("\x1b[")) != std::string::npos;)
    text.erase(at, text.find('m', at) - at + 1);
  EXPECT_EQ(text, rendered(source, "x"));
}

TEST(Render, WithoutAPlace) {
  Diagnostics diagnostics;
  diagnostics.warning("w", {}, "careful");
  EXPECT_EQ(render(diagnostics), "warning: careful [w]\n1 warning\n");
  EXPECT_EQ(render(Diagnostics()), "");
}

TEST(Diagnostics, SortedByPlaceAndEqualOnesOnce) {
  const SourceFile source("a", "one two");
  Diagnostics diagnostics;
  diagnostics.error("b", find(source, "two"), "second");
  diagnostics.warning("a", find(source, "one"), "first");
  diagnostics.error("b", find(source, "two"), "second");
  diagnostics.error("b", find(source, "two"), "another");
  const auto sorted = diagnostics.sorted();
  ASSERT_EQ(sorted.size(), 3u);
  EXPECT_EQ(sorted[0].message, "first");
  EXPECT_EQ(sorted[1].message, "second");
  EXPECT_EQ(sorted[2].message, "another");
}

TEST(Diagnostics, AFloodEnds) {
  Diagnostics diagnostics(3);
  for (int i = 0; i < 10; ++i) diagnostics.error("c", {}, std::to_string(i)).help = "help";
  EXPECT_TRUE(diagnostics.full());
  EXPECT_EQ(diagnostics.errors(), 3);
  EXPECT_NE(render(diagnostics).find("3 errors; there may be more"), std::string::npos);
}

TEST(Diagnostics, AFloodOfWarningsEndsWithoutHidingErrors) {
  Diagnostics diagnostics(3);
  for (int i = 0; i < 10; ++i) diagnostics.warning("c", {}, std::to_string(i)).help = "help";
  diagnostics.error("e", {}, "an error");
  EXPECT_FALSE(diagnostics.full());
  EXPECT_EQ(diagnostics.warnings(), 3);
  EXPECT_NE(render(diagnostics).find("1 error, 3 warnings; there may be more"), std::string::npos);
}

TEST(Json, HoldsEverything) {
  const SourceFile source("a\xff.model", "one\ntwo\n");
  Diagnostics diagnostics;
  Diagnostic& d = diagnostics.error("c", find(source, "two"), "bad \xff byte");
  d.help = "mend it";
  d.notes.push_back({find(source, "one"), "here"});
  const auto json = nlohmann::json::parse(render_json(diagnostics));
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0]["severity"], "error");
  EXPECT_EQ(json[0]["code"], "c");
  EXPECT_EQ(json[0]["line"], 2);
  EXPECT_EQ(json[0]["column"], 1);
  EXPECT_EQ(json[0]["end_column"], 4);
  EXPECT_EQ(json[0]["message"], "bad \uFFFD byte");
  EXPECT_EQ(json[0]["help"], "mend it");
  EXPECT_EQ(json[0]["notes"][0]["line"], 1);
}

TEST(NearestName, LikelySlips) {
  const std::vector<std::string> layers = {"Dense",  "BatchNorm",    "ReLU", "LeakyReLU",
                                           "Conv2D", "CrossEntropy", "lr"};
  EXPECT_EQ(nearest_name("Dnese", layers), "Dense");
  EXPECT_EQ(nearest_name("dense", layers), "Dense");
  EXPECT_EQ(nearest_name("batch_norm", layers), "BatchNorm");
  EXPECT_EQ(nearest_name("BatchNormalization", layers), "BatchNorm");
  EXPECT_EQ(nearest_name("relu", layers), "ReLU");
  EXPECT_EQ(nearest_name("Conv2d", layers), "Conv2D");
  EXPECT_EQ(nearest_name("CrossEntropyLoss", layers), "CrossEntropy");
  EXPECT_EQ(nearest_name("Transformer", layers), "");
  EXPECT_EQ(nearest_name("x", layers), "");
  EXPECT_EQ(nearest_name("", layers), "");
}

}  // namespace
}  // namespace strata
