// In which order Keras, which keeps channels last, has the values that flow between layers. It
// matters where an image becomes a row of features: Flatten reads [height, width, channels] there,
// so the weights that follow are in another order.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/graph/graph.h"
#include "framework/plugin/exchange.h"

namespace strata {

// What a layer says of its tensors; as if it said nothing where it has no method for it. Fails with
// what the layer refuses.
Result<LayerTensors> layer_tensors_of(const Graph& graph, const GraphNode& node);

// For nodes whose input is such a row in another order: Keras' feature i is our feature order[i].
// Fails, naming the layer, where Keras has the values in an order that this does not follow.
using FeatureOrders = std::map<const GraphNode*, std::vector<std::int64_t>>;
Result<FeatureOrders> keras_feature_orders(const Graph& graph,
                                           const std::vector<LayerTensors>& layers);

}  // namespace strata
