// Lookups in a graph.
#include "framework/graph/graph.h"

namespace strata {

ValueId Graph::find_output(std::string_view name_wanted) const {
  for (std::size_t i = 0; i < output_names.size(); ++i) {
    if (output_names[i] == name_wanted) return outputs[i];
  }
  return -1;
}

std::int64_t Graph::parameter_count() const {
  std::int64_t count = 0;
  for (const GraphNode& node : nodes) {
    for (const InferredPlan::Parameter& parameter : node.plan.parameters)
      count += parameter.shape.elements();
  }
  return count;
}

}  // namespace strata
