// The documents: well-formed, complete, escaped, the same each time; folding.
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "framework/base/utf8.h"
#include "framework/drawing/drawing.h"
#include "tests/graph_drawing/graphs.h"

namespace strata {
namespace {

using testing::GraphBuilder;
using testing::random_graph;
using testing::residual_graph;
using testing::smallest_graph;

// Why a text is not well-formed XML (without declarations, comments and CDATA, which drawings do
// not have).
std::string xml_problem(const std::string& xml) {
  static const std::regex tag(R"re(^<([a-zA-Z]+)((?:\s+[a-zA-Z:-]+="[^"<]*")*)\s*(/?)>)re"),
      end_tag(R"(^</([a-zA-Z]+)>)"), entity(R"(^&(amp|lt|gt|quot|#39|#10);)");
  std::vector<std::string> open;
  for (std::size_t i = 0; i < xml.size();) {
    const Utf8Char c = decode_utf8(std::string_view(xml).substr(i));
    const auto here = xml.begin() + static_cast<std::ptrdiff_t>(i);
    const auto near = xml.begin() + static_cast<std::ptrdiff_t>(std::min(xml.size(), i + 4000));
    std::smatch match;
    if (!c.valid) return "not UTF-8";
    if ((c.code_point < 0x20 && c.code_point != '\n') || c.code_point == 0xFFFE ||
        c.code_point == 0xFFFF) {
      return "a character that XML does not allow";
    }
    if (c.code_point == '<') {
      if (std::regex_search(here, near, match, end_tag)) {
        if (open.empty() || open.back() != match[1])
          return "</" + match[1].str() + "> ends nothing";
        open.pop_back();
      } else if (std::regex_search(here, near, match, tag)) {
        static const std::regex ampersand("&(?!(amp|lt|gt|quot|#39|#10);)");
        if (std::regex_search(match[2].first, match[2].second, ampersand))
          return "& in an attribute";
        if (match[3].length() == 0) open.push_back(match[1]);
      } else {
        return "no tag: " + xml.substr(i, 60);
      }
      i += static_cast<std::size_t>(match.length());
    } else if (c.code_point == '&') {
      if (!std::regex_search(here, near, match, entity)) return "no entity: " + xml.substr(i, 20);
      i += static_cast<std::size_t>(match.length());
    } else {
      i += c.size;
    }
    if (open.empty() && i < xml.size() && xml.substr(i) != "\n") return "text after the document";
  }
  return open.empty() ? "" : "<" + open.back() + "> is not closed";
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t i = text.find(part); i != std::string::npos;
       i = text.find(part, i + part.size()))
    ++n;
  return n;
}

std::size_t connections(const Graph& graph) {
  std::size_t n = graph.outputs.size();
  for (const GraphNode& node : graph.nodes) {
    n += std::set<ValueId>(node.inputs.begin(), node.inputs.end()).size();
  }
  return n;
}

const char* const kArrowHead = "h8l-4 ";  // in a path, pointing up or down

TEST(XmlProblem, FindsWhatIsWrong) {
  EXPECT_EQ(xml_problem("<a b=\"1\"><c/>x &amp; y</a>"), "");
  for (const char* wrong : {"<a>", "<a></b>", "<a>&</a>", "<a b=1/>", "<a b=\"&\"/>",
                            "<a b=\"<\"/>", "<a>\x01</a>", "<a>\xFF</a>", "<a/>x", "<a/><b/>"}) {
    EXPECT_NE(xml_problem(wrong), "") << wrong;
  }
}

TEST(Svg, HasEveryLayerBlockAndConnection) {
  for (const Graph& graph : {smallest_graph(), residual_graph(4), random_graph(3, 60)}) {
    const std::string svg = draw_svg(graph);
    EXPECT_EQ(xml_problem(svg), "");
    EXPECT_EQ(count(svg, kArrowHead), connections(graph));
    EXPECT_EQ(count(svg, "role=\"graphics-symbol img\""),
              graph.nodes.size() + graph.inputs.size() + graph.outputs.size());
    for (const GraphNode& node : graph.nodes) {
      EXPECT_GE(count(svg, "aria-label=\"" + node.path + ": "), 1u) << node.path;
    }
  }
  const std::string svg = draw_svg(residual_graph(4));
  EXPECT_EQ(count(svg, "aria-label=\"block "), 4u * 3 + 1)
      << "the block, main, dense_bn1; one skip";
  EXPECT_NE(svg.find("<title>residual2.main.relu1 → residual2.main.dense1&#10;[64]</title>"),
            std::string::npos);
  EXPECT_NE(svg.find("<title>image → flatten1&#10;[28, 28]</title>"), std::string::npos);
  EXPECT_NE(svg.find("<title>residual1.relu1 → residual2.main.dense_bn1.dense1, "
                     "residual2.add1&#10;[64]</title>"),
            std::string::npos);
  EXPECT_NE(svg.find("<title>logits → logits&#10;[10]</title>"), std::string::npos);
}

TEST(Svg, SaysWhatALayerIs) {
  const std::string svg = draw_svg(residual_graph(1));
  EXPECT_NE(svg.find("<tspan class=\"title\">Dense</tspan> <tspan class=\"amount\">64</tspan>"),
            std::string::npos);
  EXPECT_NE(svg.find(">[64] · 50,240 parameters</text>"), std::string::npos);
  EXPECT_NE(svg.find("aria-label=\"logits: Dense 10, as logits, [10] · 650 parameters\""),
            std::string::npos);
  EXPECT_NE(svg.find("aria-label=\"block residual1.main: 4 layers · 8,448 parameters\""),
            std::string::npos);
  EXPECT_NE(svg.find("prefers-color-scheme: dark"), std::string::npos);
}

TEST(Dot, HasEveryLayerBlockAndConnection) {
  const Graph graph = residual_graph(4);
  const std::string dot = draw_dot(graph);
  EXPECT_EQ(count(dot, " -> "), connections(graph));
  EXPECT_EQ(count(dot, "subgraph \"cluster_"), 4u * 3 + 1);
  EXPECT_EQ(count(dot, "{"), count(dot, "}"));
  EXPECT_NE(dot.find("\"residual1.main.relu1\" -> \"residual1.main.dense1\" [tooltip=\"[64]\"];"),
            std::string::npos);
  EXPECT_NE(dot.find("\"logits\" -> \"logits (2)\""), std::string::npos)
      << "the layer and the output";
  EXPECT_NE(dot.find("label=\"Dense 10\\nas logits\\n[10] · 650 parameters\""), std::string::npos);
}

TEST(Drawings, TheSameEachTime) {
  for (unsigned seed = 0; seed < 5; ++seed) {
    EXPECT_EQ(draw_svg(random_graph(seed, 40)), draw_svg(random_graph(seed, 40)));
    EXPECT_EQ(draw_dot(random_graph(seed, 40)), draw_dot(random_graph(seed, 40)));
  }
}

TEST(Drawings, NamesMayHoldAnything) {
  const std::vector<std::string> names = {"<script>alert(1)</script>",
                                          "a\"b\\c&d'e",
                                          "\x01\n\t\x7F",
                                          "\xFF\xC0\x80",
                                          "",
                                          "名前.ℝ→🙂.x",
                                          "a..b.",
                                          "..",
                                          "\xEF\xBF\xBE\xEF\xBF\xBF",
                                          "]]>--><!--",
                                          "\xE2\x80\xAEright to left",
                                          "{}%s{0}"};
  GraphBuilder builder("<&\">\x02");
  ValueId x = builder.input("<in & out>", {4});
  for (const std::string& name : names) {
    x = builder.layer(name, "ReLU", {x});
    x = builder.layer(name + "." + name, "ReLU", {x});
  }
  builder.output("\"out\"\\", x);
  for (const int depth : {0, 1, 1000}) {
    const std::string svg = draw_svg(builder.graph(), {depth});
    EXPECT_EQ(xml_problem(svg), "");
    EXPECT_EQ(svg.find("<script"), std::string::npos);
    EXPECT_EQ(svg.find("\xE2\x80\xAE"), std::string::npos) << "text cannot change its direction";
    const std::string dot = draw_dot(builder.graph(), {depth});
    EXPECT_NE(dot.find("\\\"out\\\"\\\\"), std::string::npos);
    EXPECT_EQ(dot.find('\x01'), std::string::npos);
    // Outside of strings there is nothing but words and punctuation.
    const std::string bare = std::regex_replace(dot, std::regex(R"re("(\\[^]|[^"\\])*")re"), "S");
    EXPECT_TRUE(std::regex_match(bare, std::regex(R"([A-Za-z0-9_.,;=>{}\[\]\s-]*)"))) << bare;
  }
}

TEST(Depth, FoldsBlocksIntoCardsWithTotals) {
  const Graph graph = residual_graph(4);
  const std::string all = draw_svg(graph, {2}), some = draw_svg(graph, {1}),
                    none = draw_svg(graph, {0});
  EXPECT_EQ(count(none, "class=\"folded\""), 4u);
  EXPECT_EQ(count(none, "aria-label=\"block "), 0u);
  EXPECT_EQ(count(none, kArrowHead), 8u)
      << "image, flatten, dense, 4 blocks, logits: one line between each";
  EXPECT_NE(none.find("aria-label=\"residual1: residual1, 6 layers · 8,448 parameters, [64]\""),
            std::string::npos);
  EXPECT_EQ(count(some, "class=\"folded\""), 5u) << "main of each, and one skip";
  EXPECT_EQ(count(some, "aria-label=\"block "), 4u);
  EXPECT_EQ(count(all, "class=\"folded\""), 4u) << "dense_bn1 of each";
  EXPECT_EQ(draw_svg(graph, {3}), draw_svg(graph));
  EXPECT_EQ(count(draw_dot(graph, {0}), "shape=box3d"), 4u);
  for (const std::string* svg : {&all, &some, &none}) {
    EXPECT_EQ(xml_problem(*svg), "");
    EXPECT_NE(svg->find("28 layers · 88,842 parameters"), std::string::npos)
        << "the whole stays the whole";
  }
}

}  // namespace
}  // namespace strata
