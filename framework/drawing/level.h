// One flat drawing in layers: the inside of one box, where boxes in it are items like any other.
//
// After Sugiyama, Tagawa and Toda (1981): layers by longest path, order within layers by barycenters, then positions.
// Lines that go straight down are chosen first (Brandes and Köpf, 2001), the heaviest path before all others, so the
// trunk of a network is one vertical line; what hangs together so moves as one towards its neighbours.
#pragma once

#include <cstdint>
#include <vector>

namespace strata::drawing {

struct Point {
  double x = 0, y = 0;
};

enum class Pin { kFree, kTop, kBottom };

struct LevelItem {
  double width = 0, height = 0;
  double weight = 0;      // how much it makes of a path through it
  Pin pin = Pin::kFree;   // kTop: the first layer, nothing leads to it; kBottom: the last, nothing leads on
  bool spreads = false;   // lines that end here get places along its top; else `to_offset` says where
};

// From an item to another one; there are no cycles. Lines of the same value from the same item share their way.
struct LevelLine {
  int from = 0, to = 0;
  double from_offset = 0, to_offset = 0;  // from the items' middles
  std::int64_t value = 0;
};

struct LevelDrawing {
  double width = 0, height = 0;
  std::vector<Point> items;                // left upper corners
  // Of each line: its points, from the upper item's lower edge to the lower one's upper edge. Two points with one x are
  // joined by a straight line, others by a curve that is vertical at both.
  std::vector<std::vector<Point>> routes;
};

LevelDrawing arrange(const std::vector<LevelItem>& items, const std::vector<LevelLine>& lines);

}  // namespace strata::drawing
