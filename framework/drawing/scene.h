// What a drawing shows, before it has places: cards, the boxes that they lie in, and the lines between them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "framework/drawing/drawing.h"

namespace strata::drawing {

// How a card looks. A layer's kind is not known here, so what its plan says decides.
enum class CardStyle {
  kInput,   // of the model
  kOutput,
  kFolded,  // a block, shown as one card
  kJoin,    // several values in
  kNorm,    // statistics of the batch
  kLearns,  // parameters
  kPlain,
};

// A layer, a folded block, or an input or output of the model.
struct Card {
  CardStyle style = CardStyle::kPlain;
  std::string path;    // of the layer or block; the name of an input or output
  std::string title;   // "Dense"
  std::string amount;  // the first option, shown beside the title: "256"
  std::vector<std::string> details;  // smaller lines below
  std::string tooltip;               // all there is to say
  int box = 0;
  std::int64_t weight = 1;        // layers in it
  std::vector<ValueId> outputs;   // values that leave it, in order
};

// What lies in a box: a card or another box.
struct Child {
  bool is_box = false;
  int index = 0;
};

struct Box {
  std::string path, name;
  int parent = -1;  // boxes[0], the model, has none; parents come before their children
  int depth = 0;
  std::vector<Child> children;
  std::int64_t layers = 0, parameters = 0;  // with those of the boxes in it
};

// A value on its way from a card to another one.
struct Line {
  int from = 0, to = 0;
  ValueId value = 0;
};

struct Scene {
  std::string name;
  std::vector<Card> cards;
  std::vector<Box> boxes;
  std::vector<Line> lines;
  std::vector<std::string> shapes;  // of each value of the graph
};

Scene make_scene(const Graph& graph, const DrawingOptions& options);

}  // namespace strata::drawing
