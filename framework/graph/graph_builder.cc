// Inputs and layers, with their shapes; and what is left out in the end.
#include "framework/graph/graph_builder.h"

#include <fmt/format.h>

#include <algorithm>

namespace strata::graph {
namespace {

using ListPtr = std::shared_ptr<const List>;

ValueId add_value(Graph& graph, std::string name, const Shape& shape, int producer, int output) {
  graph.values.push_back({std::move(name), shape, producer, output});
  return static_cast<ValueId>(graph.values.size() - 1);
}

}  // namespace

ValueId add_input(Graph& graph, const dsl::ModelInput& input, Names& names, Session& session) {
  const Value value = evaluate(input.shape, names, session);
  const ValueId unknown = -1;
  graph.input_names.push_back(input.name.text);
  graph.inputs.push_back(unknown);
  if (value.is_unknown()) return unknown;
  const auto* list = value.get<ListPtr>();
  std::vector<std::int64_t> dims;
  for (std::size_t i = 0; list && i < (*list)->items.size(); ++i) {
    const Value& item = (*list)->items[i];
    if (item.is_unknown()) return unknown;
    if (const auto* dim = item.get<std::int64_t>()) {
      dims.push_back(*dim);
      continue;
    }
    const auto* written = std::get_if<dsl::ListExpr>(&input.shape.node);
    const bool own_place = written && i < written->items.size() && written->items[i].value;
    Diagnostic& error = session.error(
        "input-shape", own_place ? written->items[i].value->span : input.shape.span,
        fmt::format("the extents of `{}` are ints, not {}", input.name.text, print_value(item)));
    if (item.is_none()) error.help = "leave the batch axis out: shapes are those of one sample";
    return unknown;
  }
  if (!list) {
    session
        .error("input-shape", input.shape.span,
               fmt::format("the shape of `{}` is a list of ints, not {}", input.name.text,
                           described(value)))
        .help =
        fmt::format("write `[{}]`", value.get<std::int64_t>() ? print_value(value) : "28, 28");
    return unknown;
  }
  const std::string problem = Shape::why_invalid(dims.begin(), dims.end());
  if (!problem.empty()) {
    Diagnostic& error = session.error("input-shape", input.shape.span,
                                      fmt::format("`{}` cannot have the shape {}: {}",
                                                  input.name.text, print_value(value), problem));
    if (!dims.empty() && dims[0] == -1)
      error.help = "leave the batch axis out: shapes are those of one sample";
    return unknown;
  }
  return graph.inputs.back() =
             add_value(graph, input.name.text, Shape(dims.begin(), dims.end()), -1, 0);
}

Ids add_node(Graph& graph, const std::string& path, const InstancePtr& instance, Ids input_ids,
             Span span, Session& session) {
  std::vector<Input> inputs;
  for (const ValueId id : input_ids) {
    const GraphValue& value = graph.values[static_cast<std::size_t>(id)];
    inputs.push_back({value.name, value.shape, STRATA_REAL, false, 0});
  }
  Result<InferredPlan> plan = infer(*instance, inputs);
  if (!plan) {
    Diagnostic& error =
        session.error(code_for(plan.error(), "bad-shape"), span, plan.error().message);
    for (const Input& input : inputs) {
      error.notes.push_back(
          {{}, fmt::format("`{}` has the shape {}", input.name, input.shape.text())});
    }
    error.help = plan.error().hint;
    return {-1};
  }
  const int producer = static_cast<int>(graph.nodes.size());
  Ids outputs;
  for (std::size_t i = 0; i < plan->outputs.size(); ++i) {
    const std::string name = plan->outputs.size() == 1 ? path : fmt::format("{}.{}", path, i);
    outputs.push_back(add_value(graph, name, plan->outputs[i], producer, static_cast<int>(i)));
  }
  GraphNode& node = graph.nodes.emplace_back();
  node.path = path;
  node.layer = instance;
  node.plan = std::move(*plan);
  node.inputs = std::move(input_ids);
  node.outputs = outputs;
  node.span = span;
  return outputs;
}

void name_value(Graph& graph, ValueId id, std::string name) {
  if (id < 0 || graph.values[static_cast<std::size_t>(id)].producer < 0) return;
  graph.values[static_cast<std::size_t>(id)].name = std::move(name);
}

void prune(Graph& graph) {
  std::vector<bool> node_lives(graph.nodes.size(), false);
  std::vector<ValueId> open = graph.outputs;
  while (!open.empty()) {
    const int producer = graph.values[static_cast<std::size_t>(open.back())].producer;
    open.pop_back();
    if (producer < 0 || node_lives[static_cast<std::size_t>(producer)]) continue;
    node_lives[static_cast<std::size_t>(producer)] = true;
    const auto& inputs = graph.nodes[static_cast<std::size_t>(producer)].inputs;
    open.insert(open.end(), inputs.begin(), inputs.end());
  }
  if (std::find(node_lives.begin(), node_lives.end(), false) == node_lives.end()) return;
  std::vector<int> new_node(graph.nodes.size(), -1);
  std::vector<GraphNode> nodes;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!node_lives[i]) continue;
    new_node[i] = static_cast<int>(nodes.size());
    nodes.push_back(std::move(graph.nodes[i]));
  }
  std::vector<ValueId> new_value(graph.values.size(), -1);
  std::vector<GraphValue> values;
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    GraphValue& value = graph.values[i];
    if (value.producer >= 0 && !node_lives[static_cast<std::size_t>(value.producer)]) continue;
    new_value[i] = static_cast<ValueId>(values.size());
    if (value.producer >= 0) value.producer = new_node[static_cast<std::size_t>(value.producer)];
    values.push_back(std::move(value));
  }
  const auto renumber = [&](std::vector<ValueId>& ids) {
    for (ValueId& id : ids) id = new_value[static_cast<std::size_t>(id)];
  };
  for (GraphNode& node : nodes) {
    renumber(node.inputs);
    renumber(node.outputs);
  }
  renumber(graph.inputs);
  renumber(graph.outputs);
  graph.nodes = std::move(nodes);
  graph.values = std::move(values);
}

}  // namespace strata::graph
