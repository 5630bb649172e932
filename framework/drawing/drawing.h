// A graph as a picture: blocks are boxes, layers are cards in them, values are lines from top to bottom.
//
// The same graph and options give the same bytes. Names may hold anything: what is no text of a picture is escaped or
// shown as a stand-in.
#pragma once

#include <limits>
#include <string>

#include "framework/graph/graph.h"

namespace strata {

struct DrawingOptions {
  // How many levels of blocks are open; what lies deeper is one card with totals. 0: only what the model itself names.
  int depth = std::numeric_limits<int>::max();
};

// A whole document, drawn without other programs. Light or dark as the viewer's setting says.
std::string draw_svg(const Graph& graph, const DrawingOptions& options = {});

// For Graphviz: a digraph with a cluster for each block.
std::string draw_dot(const Graph& graph, const DrawingOptions& options = {});

}  // namespace strata
