#include "tests/graph_drawing/graphs.h"

#include <fmt/format.h>

#include <random>
#include <stdexcept>

#include "framework/plugin/options.h"

namespace strata::testing {

const Registry& registry() {
  static const Registry registry = Registry::builtin();
  return registry;
}

ValueId GraphBuilder::input(const std::string& name, const Shape& shape) {
  const auto value = static_cast<ValueId>(graph_.values.size());
  graph_.values.push_back({name, shape, -1, 0});
  graph_.inputs.push_back(value);
  graph_.input_names.push_back(name);
  return value;
}

ValueId GraphBuilder::layer(const std::string& path, const std::string& kind,
                            const std::vector<ValueId>& inputs, std::int64_t units) {
  const Entry* entry = registry().find(STRATA_LAYER, kind);
  if (!entry) throw std::runtime_error("no layer " + kind);
  PluginCall call{entry, {}};
  for (std::int64_t i = 0; i < entry->schema().option_count; ++i) {
    const strata_option& option = entry->schema().options[i];
    if (option.flags & STRATA_OPTION_REQUIRED) {
      call.options.push_back({units});
    } else {
      call.options.push_back(default_value(option, registry()).value());
    }
  }
  GraphNode node;
  node.path = path;
  node.layer = Instance::create(std::move(call)).value();
  std::vector<Input> shapes;
  for (const ValueId value : inputs) {
    const GraphValue& from = graph_.values.at(static_cast<std::size_t>(value));
    shapes.push_back({from.name, from.shape, STRATA_REAL, false, 0});
  }
  const auto plan = infer(*node.layer, shapes);
  if (!plan) throw std::runtime_error(plan.error().message);
  node.plan = *plan;
  node.inputs = inputs;
  const auto value = static_cast<ValueId>(graph_.values.size());
  node.outputs = {value};
  graph_.values.push_back(
      {path, node.plan.outputs.at(0), static_cast<int>(graph_.nodes.size()), 0});
  graph_.nodes.push_back(std::move(node));
  return value;
}

void GraphBuilder::output(const std::string& name, ValueId value) {
  graph_.outputs.push_back(value);
  graph_.output_names.push_back(name);
}

Graph residual_graph(int blocks) {
  GraphBuilder builder("residual");
  ValueId x = builder.input("image", {28, 28});
  x = builder.layer("flatten1", "Flatten", {x});
  x = builder.layer("dense1", "Dense", {x}, 64);
  for (int b = 1; b <= blocks; ++b) {
    const std::string block = fmt::format("residual{}.", b);
    ValueId main = builder.layer(block + "main.dense_bn1.dense1", "Dense", {x}, 64);
    main = builder.layer(block + "main.dense_bn1.batch_norm1", "BatchNorm", {main});
    main = builder.layer(block + "main.relu1", "ReLU", {main});
    main = builder.layer(block + "main.dense1", "Dense", {main}, 64);
    const ValueId skip = b % 3 == 0 ? builder.layer(block + "skip.dense1", "Dense", {x}, 64) : x;
    x = builder.layer(block + "add1", "Add", {main, skip});
    x = builder.layer(block + "relu1", "ReLU", {x});
  }
  builder.output("logits", builder.layer("logits", "Dense", {x}, 10));
  return builder.graph();
}

Graph smallest_graph() {
  GraphBuilder builder("one");
  builder.output("y", builder.layer("relu1", "ReLU", {builder.input("x", {3})}));
  return builder.graph();
}

Graph random_graph(unsigned seed, int layers) {
  std::mt19937 random(seed);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  GraphBuilder builder(fmt::format("random{}", seed));
  std::vector<ValueId> values = {builder.input("a", {8}), builder.input("b", {8})};
  const std::vector<std::string> boxes = {
      "", "x.", "x.y.", "x.y.z.", "w.", "w.v.", "a_box_with_quite_a_long_name."};
  for (int i = 0; i < layers; ++i) {
    const std::string path = fmt::format("{}layer{}", boxes[below(boxes.size())], i);
    const std::size_t inputs = 1 + below(3);
    // Mostly what was made last, at times anything.
    std::vector<ValueId> from;
    for (std::size_t k = 0; k < inputs; ++k) {
      const std::size_t recent = std::min<std::size_t>(values.size(), 4);
      from.push_back(below(4) ? values[values.size() - 1 - below(recent)]
                              : values[below(values.size())]);
    }
    values.push_back(inputs == 1 ? builder.layer(path, below(2) ? "Dense" : "ReLU", from, 8)
                                 : builder.layer(path, "Add", from));
  }
  builder.output("first", values.back());
  builder.output("second", values[values.size() / 2]);
  return builder.graph();
}

}  // namespace strata::testing
