// A scene with places: where each card, box and line is, in pixels.
//
// Boxes never overlap, and everything is inside the box that it belongs to: each box is arranged on its own (level.h),
// from the innermost out, and is an item of the box around it. Lines go through its upper and lower edge.
#pragma once

#include <string>
#include <vector>

#include "framework/drawing/level.h"
#include "framework/drawing/scene.h"

namespace strata::drawing {

// Sizes of text, in pixels.
constexpr double kTitleSize = 13, kDetailSize = 11, kLabelSize = 11, kHeadingSize = 15;
constexpr double kLineHeight = 16;  // of a detail

struct Rect {
  double x = 0, y = 0, width = 0, height = 0;
  double right() const { return x + width; }
  double bottom() const { return y + height; }
};

struct BoxPlace {
  Rect rect;
  std::string label;
  Point label_at;            // on the text's base line
  bool label_at_right = false;  // the text ends there
};

struct Layout {
  double width = 0, height = 0;
  std::vector<Rect> cards;
  std::vector<BoxPlace> boxes;  // as in the scene; the first is the whole drawing, folded ones are empty
  // Of each line of the scene, in its direction; as LevelDrawing::routes.
  std::vector<std::vector<Point>> routes;
};

Layout lay_out(const Scene& scene);

}  // namespace strata::drawing
