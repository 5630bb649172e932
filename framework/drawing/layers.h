// The layers of a level: which, and in what order. Long lines are cut by bends, one a layer.
#pragma once

#include <vector>

#include "framework/drawing/level.h"

namespace strata::drawing {

// An item (its index is the same as in the level) or a bend.
struct Vertex {
  double width = 0, height = 0;
  int layer = 0;
  int position = 0;  // in its layer
  bool is_bend = false;
};

// A piece of a line, from a layer to the next.
struct Segment {
  int from = 0, to = 0;
  double from_offset = 0, to_offset = 0;
  double weight = 0;  // of the heaviest path through it
};

struct Layers {
  std::vector<Vertex> vertices;
  std::vector<Segment> segments;
  std::vector<std::vector<int>> layers;        // vertices from left to right
  std::vector<std::vector<int>> above, below;  // segments of each vertex
  std::vector<std::vector<int>> pieces;        // segments of each line
};

Layers make_layers(const std::vector<LevelItem>& items, const std::vector<LevelLine>& lines);

// The middle of each vertex; layers keep their order and nothing overlaps.
std::vector<double> place(const Layers& layers);

}  // namespace strata::drawing
