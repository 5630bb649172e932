// Graphs to draw: built by hand, so that names and connections can be anything.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/graph/graph.h"
#include "framework/plugin/registry.h"

namespace strata::testing {

const Registry& registry();

class GraphBuilder {
 public:
  explicit GraphBuilder(std::string name = "net") { graph_.name = std::move(name); }

  ValueId input(const std::string& name, const Shape& shape);
  // A layer with its options at their defaults; `units` is the first option of a Dense.
  ValueId layer(const std::string& path, const std::string& kind,
                const std::vector<ValueId>& inputs, std::int64_t units = 0);
  void output(const std::string& name, ValueId value);
  const Graph& graph() const { return graph_; }

 private:
  Graph graph_;
};

// image -> blocks of `main` and `skip`, every third with a Dense on the skip -> logits.
Graph residual_graph(int blocks);
// One layer.
Graph smallest_graph();
// Layers that read several of those before them, in boxes by chance; some values come back into a
// box that they left.
Graph random_graph(unsigned seed, int layers);

}  // namespace strata::testing
