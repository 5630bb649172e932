#include "framework/exchange/keras_order.h"

#include <algorithm>

#include "framework/exchange/trained_model.h"

namespace strata {
namespace {

// How Keras has one value.
struct KerasValue {
  enum Form {
    kSame,          // as it is here
    kChannelsLast,  // [channels, …] here, […, channels] there
    kReordered,     // a row of features; theirs[i] is ours[order[i]]
    kUnknown
  };
  Form form = kSame;
  std::vector<std::int64_t> order;
  bool operator==(const KerasValue&) const = default;
};

// [channels, positions] as a row, channel by channel here and position by position there.
KerasValue flattened(const Shape& from) {
  const std::int64_t channels = from[0], positions = from.elements() / channels;
  if (channels == 1 || positions == 1) return {};
  KerasValue value{KerasValue::kReordered, {}};
  for (std::int64_t position = 0; position < positions; ++position) {
    for (std::int64_t channel = 0; channel < channels; ++channel)
      value.order.push_back(channel * positions + position);
  }
  return value;
}

// The same values under another shape.
KerasValue reshaped(const KerasValue& in, const Shape& from, const Shape& to) {
  const bool image = to.rank() >= 3;
  const auto trivial = [](const Shape& shape) {
    return shape[0] == 1 || shape.elements() == shape[0];
  };
  if (in.form == KerasValue::kChannelsLast) {
    if (to.rank() <= 1) return flattened(from);
    if (to[0] == from[0]) return in;
    if (!trivial(from)) return {KerasValue::kUnknown, {}};
  } else if (in.form == KerasValue::kReordered) {
    return to == from ? in : KerasValue{KerasValue::kUnknown, {}};
  }
  if (!image) return {};
  return {trivial(to) ? KerasValue::kChannelsLast : KerasValue::kUnknown, {}};
}

KerasValue after(const GraphNode& node, const LayerTensors& layer, const KerasValue& in,
                 const Shape& from, const Shape& to) {
  if (node.plan.has(STRATA_VIEW)) return reshaped(in, from, to);
  if (in.form == KerasValue::kReordered) {
    if (layer.has_new_features()) return {};
    return to == from && !layer.has_moved_axes() ? in : KerasValue{KerasValue::kUnknown, {}};
  }
  if (in.form == KerasValue::kChannelsLast || layer.has_channels_first()) {
    if (layer.has_moved_axes()) return {KerasValue::kUnknown, {}};
    return {to.rank() >= 2 ? KerasValue::kChannelsLast : KerasValue::kSame, {}};
  }
  return {};
}

}  // namespace

Result<LayerTensors> layer_tensors_of(const Graph& graph, const GraphNode& node) {
  const auto shape = [&](const std::vector<ValueId>& values) {
    return graph.values[static_cast<std::size_t>(values.at(0))].shape;
  };
  LayerTensors tensors(shape(node.inputs), shape(node.outputs));
  const auto* methods = exchange_methods_of(*node.layer);
  if (!methods || !methods->to_others) return tensors;
  try {
    methods->to_others(node.layer->raw(), tensors);
  } catch (const std::exception& e) {
    return make_error(ExitCode::kModel, "the tensors of `{}` ({}) cannot be converted: {}",
                      node.path, node.layer->entry().name(), e.what());
  }
  return tensors;
}

Result<FeatureOrders> keras_feature_orders(const Graph& graph,
                                           const std::vector<LayerTensors>& layers) {
  std::vector<KerasValue> values(graph.values.size());
  const auto shape_of = [&](ValueId value) -> const Shape& {
    return graph.values[static_cast<std::size_t>(value)].shape;
  };
  for (const ValueId input : graph.inputs) {
    if (shape_of(input).rank() >= 3)
      values[static_cast<std::size_t>(input)].form = KerasValue::kChannelsLast;
  }
  FeatureOrders orders;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const GraphNode& node = graph.nodes[n];
    const KerasValue& first = values[static_cast<std::size_t>(node.inputs.at(0))];
    const bool alike = std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId value) {
      const KerasValue& other = values[static_cast<std::size_t>(value)];
      return first.form == KerasValue::kReordered ? other == first : other.form == first.form;
    });
    if (!alike || first.form == KerasValue::kUnknown) {
      return make_error(ExitCode::kModel,
                        "`{}` ({}) cannot be converted: Keras has channels last, and the values "
                        "that it reads would be in another order there",
                        node.path, node.layer->entry().name());
    }
    if (first.form == KerasValue::kReordered) orders[&node] = first.order;
    for (const ValueId output : node.outputs) {
      values[static_cast<std::size_t>(output)] =
          after(node, layers[n], first, shape_of(node.inputs[0]), shape_of(output));
    }
  }
  return orders;
}

}  // namespace strata
