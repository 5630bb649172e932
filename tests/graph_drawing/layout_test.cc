// Geometry: nothing overlaps, everything is where it belongs, lines join what they should and cross
// no card.
#include "framework/drawing/layout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <ctime>
#include <set>

#include "framework/drawing/text.h"
#include "tests/graph_drawing/graphs.h"

namespace strata::drawing {
namespace {

using strata::testing::GraphBuilder;
using strata::testing::random_graph;
using strata::testing::residual_graph;
using strata::testing::smallest_graph;

struct Drawn {
  explicit Drawn(const Graph& graph, int depth = 1000)
      : scene(make_scene(graph, {depth})), layout(lay_out(scene)) {}
  const Rect& rect(const Child& child) const {
    const auto i = static_cast<std::size_t>(child.index);
    return child.is_box ? layout.boxes[i].rect : layout.cards[i];
  }
  Scene scene;
  Layout layout;
};

bool overlap(const Rect& a, const Rect& b, double margin) {
  return a.x < b.right() + margin && b.x < a.right() + margin && a.y < b.bottom() + margin &&
         b.y < a.bottom() + margin;
}
bool inside(const Rect& inner, const Rect& outer, double margin) {
  return inner.x >= outer.x + margin && inner.y >= outer.y + margin &&
         inner.right() <= outer.right() - margin && inner.bottom() <= outer.bottom() - margin;
}

void check_boxes(const Drawn& drawn) {
  for (std::size_t b = 0; b < drawn.scene.boxes.size(); ++b) {
    const auto& children = drawn.scene.boxes[b].children;
    const BoxPlace& place = drawn.layout.boxes[b];
    for (std::size_t i = 0; i < children.size(); ++i) {
      EXPECT_TRUE(inside(drawn.rect(children[i]), place.rect, 10))
          << "child " << i << " of " << place.label;
      for (std::size_t j = 0; j < i; ++j) {
        EXPECT_FALSE(overlap(drawn.rect(children[i]), drawn.rect(children[j]), 10))
            << "children " << i << " and " << j << " of " << place.label;
      }
    }
    if (b == 0 || children.empty()) continue;
    const double width = text_width(place.label, kLabelSize, true);
    const double left = place.label_at.x - (place.label_at_right ? width : 0);
    EXPECT_GE(left, place.rect.x) << place.label;
    EXPECT_LE(left + width, place.rect.right()) << place.label;
  }
}

// Points along a route, close to each other.
std::vector<Point> along(const std::vector<Point>& route) {
  std::vector<Point> points;
  for (std::size_t i = 1; i < route.size(); ++i) {
    const Point &a = route[i - 1], &b = route[i];
    for (int step = 0; step <= 24; ++step) {
      const double t = step / 24.0, s = 1 - t, middle = (a.y + b.y) / 2;
      const double across = 3 * s * t * t + t * t * t;  // control points are at a.x and b.x
      points.push_back({a.x + (b.x - a.x) * across, s * s * s * a.y + 3 * s * s * t * middle +
                                                        3 * s * t * t * middle + t * t * t * b.y});
    }
  }
  return points;
}

void check_routes(const Drawn& drawn) {
  ASSERT_EQ(drawn.layout.routes.size(), drawn.scene.lines.size());
  for (std::size_t l = 0; l < drawn.scene.lines.size(); ++l) {
    const Line& line = drawn.scene.lines[l];
    const auto& route = drawn.layout.routes[l];
    const Rect &from = drawn.layout.cards[static_cast<std::size_t>(line.from)],
               &to = drawn.layout.cards[static_cast<std::size_t>(line.to)];
    ASSERT_GE(route.size(), 2u);
    const bool down = route.front().y < route.back().y;
    EXPECT_EQ(route.front().y, down ? from.bottom() : from.y);
    EXPECT_EQ(route.back().y, down ? to.y : to.bottom());
    for (const auto& [end, card] : {std::pair{route.front(), from}, std::pair{route.back(), to}}) {
      EXPECT_GT(end.x, card.x);
      EXPECT_LT(end.x, card.right());
    }
    for (const Point& point : along(route)) {
      for (std::size_t c = 0; c < drawn.layout.cards.size(); ++c) {
        const Rect& card = drawn.layout.cards[c];
        EXPECT_FALSE(point.x > card.x && point.x < card.right() && point.y > card.y &&
                     point.y < card.bottom())
            << "line " << l << " goes through " << drawn.scene.cards[c].path;
      }
    }
  }
}

// A line that enters a box does so beside its label.
void check_labels(const Drawn& drawn) {
  for (std::size_t b = 1; b < drawn.scene.boxes.size(); ++b) {
    const BoxPlace& place = drawn.layout.boxes[b];
    if (drawn.scene.boxes[b].children.empty()) continue;
    const double width = text_width(place.label, kLabelSize, true);
    const double left = place.label_at.x - (place.label_at_right ? width : 0);
    for (const auto& route : drawn.layout.routes) {
      for (const Point& point : along(route)) {
        EXPECT_FALSE(point.x > left && point.x < left + width &&
                     point.y > place.label_at.y - kLabelSize && point.y < place.label_at.y)
            << "a line goes through the label of " << place.label;
      }
    }
  }
}

void check(const Drawn& drawn) {
  check_boxes(drawn);
  check_routes(drawn);
  check_labels(drawn);
}

TEST(Layout, OneLayer) {
  const Drawn drawn(smallest_graph());
  EXPECT_EQ(drawn.layout.cards.size(), 3u);
  check(drawn);
}

TEST(Layout, ResidualBlocks) {
  for (const int depth : {0, 1, 2, 1000}) {
    SCOPED_TRACE(depth);
    check(Drawn(residual_graph(6), depth));
  }
}

// The trunk of a network is one vertical line, whatever goes past it.
TEST(Layout, TheTrunkIsStraight) {
  const Drawn drawn(residual_graph(6));
  std::set<double> middles;
  for (std::size_t c = 0; c < drawn.scene.cards.size(); ++c) {
    if (drawn.scene.cards[c].path.find("skip") != std::string::npos) continue;
    middles.insert(drawn.layout.cards[c].x + drawn.layout.cards[c].width / 2);
  }
  EXPECT_EQ(middles.size(), 1u);
}

TEST(Layout, RandomGraphs) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    for (const int depth : {1000, 1, 0}) {
      SCOPED_TRACE(::testing::Message() << "seed " << seed << ", depth " << depth);
      check(Drawn(random_graph(seed, 5 + static_cast<int>(seed)), depth));
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TEST(Layout, ManyInputsOfOneLayer) {
  GraphBuilder builder;
  const ValueId x = builder.input("x", {4});
  std::vector<ValueId> branches;
  for (int i = 0; i < 12; ++i)
    branches.push_back(builder.layer("branch" + std::to_string(i), "ReLU", {x}));
  builder.output("y", builder.layer("sum", "Add", branches));
  check(Drawn(builder.graph()));
}

// A value that leaves a box and comes back: the boxes cannot stand in a row, and one line goes up.
TEST(Layout, BoxesInACycle) {
  GraphBuilder builder;
  ValueId x = builder.layer("a.one", "ReLU", {builder.input("x", {4})});
  x = builder.layer("b.two", "ReLU", {x});
  x = builder.layer("a.three", "ReLU", {x});
  builder.output("y", builder.layer("b.four", "ReLU", {x}));
  const Drawn drawn(builder.graph());
  check(drawn);
  int up = 0;
  for (const auto& route : drawn.layout.routes) up += route.front().y > route.back().y;
  EXPECT_EQ(up, 1);
}

TEST(Layout, TextFitsItsCard) {
  GraphBuilder builder;
  const ValueId x =
      builder.input("an_input_with_a_name_that_is_longer_than_most", {1234, 1234, 1234});
  builder.output("y", builder.layer(std::string(200, 'W'), "Flatten", {x}));
  const Drawn drawn(builder.graph());
  for (std::size_t c = 0; c < drawn.scene.cards.size(); ++c) {
    const Card& card = drawn.scene.cards[c];
    EXPECT_LT(text_width(card.title, kTitleSize, true) + 20, drawn.layout.cards[c].width);
    for (const std::string& detail : card.details) {
      EXPECT_LT(text_width(detail, kDetailSize) + 20, drawn.layout.cards[c].width);
    }
    EXPECT_LT(drawn.layout.cards[c].width, 700) << "what is too long is cut";
  }
}

TEST(Layout, ThousandLayersTakeNoTime) {
  const Graph blocks = residual_graph(160), tangle = random_graph(7, 1000);
  for (const Graph* graph : {&blocks, &tangle}) {
    EXPECT_GE(graph->nodes.size(), 1000u);
    const std::clock_t start = std::clock();
    const Drawn drawn(*graph);
    EXPECT_LT(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC, 1.0) << graph->name;
  }
}

}  // namespace
}  // namespace strata::drawing
