// Graph to scene: paths become boxes, deep ones are folded, and texts are made.
#include "framework/drawing/scene.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include <fmt/format.h>

#include "framework/drawing/text.h"
#include "framework/plugin/options.h"

namespace strata::drawing {
namespace {

constexpr std::size_t kLongestTitle = 36, kLongestDetail = 44;

std::int64_t parameters_of(const GraphNode& node) {
  std::int64_t count = 0;
  for (const auto& parameter : node.plan.parameters) count += parameter.shape.elements();
  return count;
}

CardStyle style_of(const GraphNode& node) {
  if (node.plan.has(STRATA_BATCH_STATISTICS)) return CardStyle::kNorm;
  if (node.inputs.size() > 1) return CardStyle::kJoin;
  return node.plan.parameters.empty() ? CardStyle::kPlain : CardStyle::kLearns;
}

// Whether a name says nothing that the kind does not: "batch_norm1" of a BatchNorm.
bool is_counted_name(std::string_view name, std::string_view kind) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  for (; !name.empty() && !kind.empty(); name.remove_prefix(1)) {
    if (name[0] == '_') continue;
    if (name[0] != lower(kind[0])) return false;
    kind.remove_prefix(1);
  }
  return kind.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

class SceneMaker {
 public:
  SceneMaker(const Graph& graph, const DrawingOptions& options) : graph_(graph), depth_(options.depth) {}

  Scene make() {
    scene_.name = graph_.name;
    scene_.boxes.push_back({graph_.name, graph_.name, -1, 0, {}, 0, 0});
    for (const GraphValue& value : graph_.values) scene_.shapes.push_back(value.shape.text());
    producers_.assign(graph_.values.size(), -1);
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
      producers_[at(graph_.inputs[i])] = end_card(CardStyle::kInput, graph_.input_names[i], graph_.inputs[i]);
    }
    std::vector<int> card_of_node;
    for (const GraphNode& node : graph_.nodes) {
      card_of_node.push_back(place(node));
      for (const ValueId value : node.outputs) producers_[at(value)] = card_of_node.back();
    }
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      for (const ValueId value : graph_.nodes[n].inputs) connect(value, card_of_node[n]);
    }
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
      connect(graph_.outputs[i], end_card(CardStyle::kOutput, graph_.output_names[i], graph_.outputs[i]));
    }
    finish_folded();
    return std::move(scene_);
  }

 private:
  static std::size_t at(int index) { return static_cast<std::size_t>(index); }

  int add_card(Card card) {
    const int index = static_cast<int>(scene_.cards.size());
    scene_.boxes[at(card.box)].children.push_back({false, index});
    scene_.cards.push_back(std::move(card));
    return index;
  }

  int end_card(CardStyle style, const std::string& name, ValueId value) {
    const std::string& shape = scene_.shapes[at(value)];
    const char* role = style == CardStyle::kInput ? "input" : "output";
    Card card;
    card.style = style;
    card.path = name;
    card.title = shortened(name, kLongestTitle);
    card.details = {shape};
    card.tooltip = fmt::format("{} {}\n{}", role, name, shape);
    return add_card(std::move(card));
  }

  // The box that the names before a node's own lead to; all on the way count it. Stops at one that is folded.
  int box_of(const GraphNode& node, std::string_view& name) {
    int box = 0;
    const std::int64_t parameters = parameters_of(node);
    for (std::string_view rest = node.path;;) {
      scene_.boxes[at(box)].layers += 1;
      scene_.boxes[at(box)].parameters += parameters;
      const std::size_t dot = rest.find('.');
      if (dot == std::string_view::npos || scene_.boxes[at(box)].depth > depth_) {
        name = rest;
        return box;
      }
      box = child_box(box, rest.substr(0, dot), std::string_view(node.path).substr(0, node.path.size() - rest.size() + dot));
      rest.remove_prefix(dot + 1);
    }
  }

  int child_box(int parent, std::string_view name, std::string_view path) {
    const auto [found, is_new] = box_at_.try_emplace(std::string(path), static_cast<int>(scene_.boxes.size()));
    if (is_new) {
      const int depth = scene_.boxes[at(parent)].depth + 1;
      scene_.boxes.push_back({std::string(path), std::string(name), parent, depth, {}, 0, 0});
      folded_.push_back(-1);
      if (depth <= depth_) scene_.boxes[at(parent)].children.push_back({true, found->second});
    }
    return found->second;
  }

  int place(const GraphNode& node) {
    std::string_view name;
    const int box = box_of(node, name);
    if (scene_.boxes[at(box)].depth <= depth_) {
      Card card = layer_card(node, name);
      card.box = box;
      return add_card(std::move(card));
    }
    int& folded = folded_[at(box) - 1];
    if (folded < 0) {
      Card card;
      card.style = CardStyle::kFolded;
      card.path = scene_.boxes[at(box)].path;
      card.title = shortened(scene_.boxes[at(box)].name, kLongestTitle);
      card.box = scene_.boxes[at(box)].parent;
      folded = add_card(std::move(card));
    }
    return folded;
  }

  Card layer_card(const GraphNode& node, std::string_view name) const {
    const PluginCall& call = node.layer->call();
    Card card;
    card.style = style_of(node);
    card.path = node.path;
    card.title = call.entry->name();
    std::vector<std::string> options;
    for (const NotableOption& option : notable_options(call)) {
      if (option.positional) {
        card.amount = shortened(option.value, kLongestTitle);
      } else {
        options.push_back(fmt::format("{} = {}", option.name, option.value));
      }
    }
    if (!is_counted_name(name, card.title)) card.details.push_back("as " + shortened(name, kLongestDetail));
    if (!options.empty()) card.details.push_back(shortened(joined(options, ", "), kLongestDetail));
    const std::int64_t parameters = parameters_of(node);
    std::string facts = shortened(shapes_of(node.outputs), kLongestDetail);
    if (parameters > 0) facts += " · " + counted(parameters, "parameter");
    card.details.push_back(std::move(facts));

    card.tooltip = fmt::format("{}\n{}\n{} → {}", node.path, print_call(call), shapes_of(node.inputs), shapes_of(node.outputs));
    for (const auto& parameter : node.plan.parameters) {
      card.tooltip += fmt::format("\n{} {}", parameter.name, parameter.shape.text());
    }
    return card;
  }

  std::string shapes_of(const std::vector<ValueId>& values) const {
    std::vector<std::string> shapes;
    for (const ValueId value : values) shapes.push_back(scene_.shapes[at(value)]);
    return joined(shapes, ", ");
  }

  void connect(ValueId value, int to) {
    const int from = producers_[at(value)];
    if (from < 0 || from == to || !seen_.emplace(from, to, value).second) return;
    scene_.lines.push_back({from, to, value});
    auto& outputs = scene_.cards[at(from)].outputs;
    if (std::find(outputs.begin(), outputs.end(), value) == outputs.end()) outputs.push_back(value);
  }

  // What is said of a folded block is known once all is in it.
  void finish_folded() {
    for (std::size_t b = 1; b < scene_.boxes.size(); ++b) {
      if (folded_[b - 1] < 0) continue;
      const Box& box = scene_.boxes[b];
      Card& card = scene_.cards[at(folded_[b - 1])];
      card.weight = box.layers;
      const std::string shapes = shapes_of(card.outputs);
      std::string totals = counted(box.layers, "layer");
      if (box.parameters > 0) totals += " · " + counted(box.parameters, "parameter");
      card.details.push_back(totals);
      if (!shapes.empty()) card.details.push_back(shortened(shapes, kLongestDetail));
      card.tooltip = fmt::format("{}\n{}\n→ {}", box.path, totals, shapes);
    }
    for (Card& card : scene_.cards) std::sort(card.outputs.begin(), card.outputs.end());
  }

  const Graph& graph_;
  const int depth_;
  Scene scene_;
  std::vector<int> producers_;                       // card of each value, -1 where nothing makes it
  std::unordered_map<std::string, int> box_at_;      // by path
  std::vector<int> folded_;                          // card of boxes[i + 1], -1 where it is open
  std::set<std::tuple<int, int, ValueId>> seen_;
};

}  // namespace

Scene make_scene(const Graph& graph, const DrawingOptions& options) { return SceneMaker(graph, options).make(); }

}  // namespace strata::drawing
