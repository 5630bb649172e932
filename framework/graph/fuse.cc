// Patterns against chains.
#include "framework/graph/fuse.h"

#include <algorithm>
#include <string_view>

namespace strata {
namespace {

class Planner {
 public:
  Planner(const Graph& graph, const std::vector<const Entry*>& fusions)
      : graph_(graph), fusions_(fusions), readers_(graph.values.size()) {
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
      for (const ValueId v : graph.nodes[n].inputs) readers_[at(v)].push_back(static_cast<int>(n));
    }
    for (const ValueId v : graph.outputs) readers_[at(v)].push_back(kOutside);
    // Longest first, so that the first that fits is the best.
    std::stable_sort(fusions_.begin(), fusions_.end(),
                     [](const Entry* a, const Entry* b) { return length(*a) > length(*b); });
  }

  std::vector<Unit> go() const {
    std::vector<Unit> units;
    std::vector<bool> taken(graph_.nodes.size(), false);
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (taken[n]) continue;
      Unit unit = unit_from(static_cast<int>(n));
      for (const int node : unit.nodes) taken[static_cast<std::size_t>(node)] = true;
      units.push_back(std::move(unit));
    }
    // By their ends: what a branch brings to a unit is made between its first layer and its last.
    std::sort(units.begin(), units.end(),
              [](const Unit& a, const Unit& b) { return a.last() < b.last(); });
    return units;
  }

 private:
  static constexpr int kOutside = -1;
  static std::size_t at(ValueId v) { return static_cast<std::size_t>(v); }
  static const strata_fusion& functions(const Entry& entry) {
    return *static_cast<const strata_fusion*>(entry.table->functions);
  }
  static std::int64_t length(const Entry& entry) { return functions(entry).pattern_count; }
  const GraphNode& node(int n) const { return graph_.nodes[static_cast<std::size_t>(n)]; }

  // The chain from `first` as long as `count`; shorter where it branches or ends.
  std::vector<int> chain(int first, std::int64_t count) const {
    std::vector<int> nodes{first};
    while (static_cast<std::int64_t>(nodes.size()) < count) {
      const GraphNode& last = node(nodes.back());
      if (last.outputs.size() != 1) break;
      const std::vector<int>& readers = readers_[at(last.outputs[0])];
      if (readers.size() != 1 || readers[0] == kOutside ||
          node(readers[0]).inputs[0] != last.outputs[0])
        break;
      nodes.push_back(readers[0]);
    }
    return nodes;
  }

  Unit unit_from(int first) const {
    for (const Entry* fusion : fusions_) {
      const strata_fusion& table = functions(*fusion);
      const std::vector<int> nodes = chain(first, table.pattern_count);
      bool fits = static_cast<std::int64_t>(nodes.size()) == table.pattern_count &&
                  node(first).inputs.size() == 1;
      for (std::size_t i = 0; fits && i < nodes.size(); ++i) {
        const Entry& entry = node(nodes[i]).layer->entry();
        // A plugin from elsewhere may have a built-in layer's name and another meaning.
        fits = std::string_view(entry.table->name) == table.pattern[i] &&
               entry.origin == fusion->origin;
      }
      if (!fits) continue;
      std::vector<const Instance*> members;
      for (const int n : nodes) members.push_back(node(n).layer.get());
      std::vector<ValueId> values = inputs_of(nodes);
      std::vector<Input> inputs;
      for (const ValueId v : values) {
        const GraphValue& value = graph_.values[at(v)];
        inputs.push_back({value.name, value.shape, STRATA_REAL, false, 0});
      }
      if (auto fused = FusedInstance::create(*fusion, members, inputs))
        return {nodes, std::move(values), std::move(fused)};
    }
    return {{first}, node(first).inputs, nullptr};
  }

  // What a chain reads from outside: the first layer's input, then what branches bring to the
  // others.
  std::vector<ValueId> inputs_of(const std::vector<int>& nodes) const {
    std::vector<ValueId> values = node(nodes[0]).inputs;
    for (std::size_t i = 1; i < nodes.size(); ++i) {
      const std::vector<ValueId>& of = node(nodes[i]).inputs;
      values.insert(values.end(), of.begin() + 1, of.end());
    }
    return values;
  }

  const Graph& graph_;
  std::vector<const Entry*> fusions_;
  std::vector<std::vector<int>> readers_;
};

}  // namespace

std::vector<Unit> plan_units(const Graph& graph, const std::vector<const Entry*>& fusions) {
  return Planner(graph, fusions).go();
}

}  // namespace strata
