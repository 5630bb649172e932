// A scene in Graphviz's language.
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "framework/base/utf8.h"
#include "framework/drawing/drawing.h"
#include "framework/drawing/scene.h"
#include "framework/drawing/text.h"

namespace strata {
namespace drawing {
namespace {

// A quoted string. Line ends are kept, as `\n`, and backslashes stand for themselves, not for an escape of a label.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const Utf8Char next = decode_utf8(text);
    switch (next.code_point) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      default: out += shown(next, text).text;
    }
    text.remove_prefix(next.size);
  }
  return out + "\"";
}

std::string_view attributes_of(CardStyle style) {
  switch (style) {
    case CardStyle::kInput:
    case CardStyle::kOutput: return R"(shape=oval, fillcolor="#2e3a50", color="#2e3a50", fontcolor="#ffffff")";
    case CardStyle::kFolded: return R"(shape=box3d, style=filled, fillcolor="#fff6e2", color="#d8ae52")";
    case CardStyle::kJoin: return R"(fillcolor="#f4edfd", color="#b593e3")";
    case CardStyle::kNorm: return R"(fillcolor="#e6f6f1", color="#68bda3")";
    case CardStyle::kLearns: return R"(fillcolor="#eaf2ff", color="#86aef0")";
    case CardStyle::kPlain: break;
  }
  return R"(fillcolor="#f6f7f9", color="#b9c1ce")";
}

class DotWriter {
 public:
  explicit DotWriter(const Scene& scene) : scene_(scene) {}

  std::string write() {
    const Box& model = scene_.boxes[0];
    const std::string title = fmt::format("{}\n{} · {}", model.name, counted(model.layers, "layer"),
                                          counted(model.parameters, "parameter"));
    out_ = fmt::format(
        "digraph {} {{\n"
        "  graph [label={}, labelloc=t, labeljust=l, fontname=\"Helvetica\", fontsize=12];\n"
        "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11];\n"
        "  edge [color=\"#77839a\", arrowsize=0.7];\n",
        quoted(model.name), quoted(title));
    name_cards();
    write_boxes();
    for (const Line& line : scene_.lines) {
      out_ += fmt::format("  {} -> {} [tooltip={}];\n", names_[at(line.from)], names_[at(line.to)],
                          quoted(scene_.shapes[at(line.value)]));
    }
    return std::move(out_) + "}\n";
  }

 private:
  static std::size_t at(int index) { return static_cast<std::size_t>(index); }

  // Paths; only where two are alike (an input called as a layer) one gets a number.
  void name_cards() {
    std::unordered_set<std::string> taken;
    for (const Card& card : scene_.cards) {
      std::string name = quoted(card.path);
      for (int i = 2; !taken.insert(name).second; ++i) name = quoted(fmt::format("{} ({})", card.path, i));
      names_.push_back(std::move(name));
    }
  }

  void write_boxes() {
    std::vector<std::pair<int, std::size_t>> stack{{0, 0}};  // box, next child
    while (!stack.empty()) {
      const std::string indent(2 * stack.size(), ' ');
      auto& [box, next] = stack.back();
      const auto& children = scene_.boxes[at(box)].children;
      if (next == children.size()) {
        if (box > 0) out_ += indent.substr(2) + "}\n";
        stack.pop_back();
        continue;
      }
      const Child child = children[next++];
      if (child.is_box) {
        const Box& inner = scene_.boxes[at(child.index)];
        out_ += fmt::format("{0}subgraph {1} {{\n{0}  label={2}; tooltip={3}; style=\"rounded,filled\"; "
                            "fillcolor=\"{4}\"; color=\"#b4bfd3\"; fontcolor=\"#566175\"; fontsize=11;\n",
                            indent, quoted("cluster_" + inner.path), quoted(inner.name), quoted(inner.path),
                            inner.depth % 2 ? "#f4f6fa" : "#e9edf4");
        stack.emplace_back(child.index, 0);
      } else {
        const Card& card = scene_.cards[at(child.index)];
        std::string label = card.title + (card.amount.empty() ? "" : " " + card.amount);
        for (const std::string& detail : card.details) label += "\n" + detail;
        out_ += fmt::format("{}{} [label={}, tooltip={}, {}];\n", indent, names_[at(child.index)], quoted(label),
                            quoted(card.tooltip), attributes_of(card.style));
      }
    }
  }

  const Scene& scene_;
  std::vector<std::string> names_;  // of cards, quoted
  std::string out_;
};

}  // namespace
}  // namespace drawing

std::string draw_dot(const Graph& graph, const DrawingOptions& options) {
  return drawing::DotWriter(drawing::make_scene(graph, options)).write();
}

}  // namespace strata
