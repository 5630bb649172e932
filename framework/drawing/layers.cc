// Layering by longest path, and order by barycenters.
#include "framework/drawing/layers.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace strata::drawing {
namespace {

constexpr double kBendWidth = 8;
constexpr int kSweeps = 8;

std::size_t at(int index) { return static_cast<std::size_t>(index); }

class LayerMaker {
 public:
  LayerMaker(const std::vector<LevelItem>& items, const std::vector<LevelLine>& lines) : items_(items), lines_(lines) {}

  Layers make() {
    sort_items();
    assign_layers();
    cut_lines();
    first_order();
    improve_order();
    spread_ends();
    return std::move(out_);
  }

 private:
  std::vector<Vertex>& vertices() { return out_.vertices; }

  // Topological order, then the heaviest paths to and from each item.
  void sort_items() {
    const std::size_t n = items_.size();
    lines_from_.resize(n);
    std::vector<int> missing(n, 0);
    for (std::size_t l = 0; l < lines_.size(); ++l) {
      lines_from_[at(lines_[l].from)].push_back(static_cast<int>(l));
      ++missing[at(lines_[l].to)];
    }
    has_above_.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      has_above_[i] = missing[i] > 0;
      if (!has_above_[i]) sorted_.push_back(static_cast<int>(i));
    }
    for (std::size_t i = 0; i < sorted_.size(); ++i) {
      for (const int l : lines_from_[at(sorted_[i])]) {
        const int to = lines_[at(l)].to;
        if (--missing[at(to)] == 0) sorted_.push_back(to);
      }
    }
    up_.resize(n);
    down_.resize(n);
    for (std::size_t i = 0; i < n; ++i) up_[i] = down_[i] = items_[i].weight;
    for (const int i : sorted_) {
      for (const int l : lines_from_[at(i)]) {
        double& up = up_[at(lines_[at(l)].to)];
        up = std::max(up, up_[at(i)] + items_[at(lines_[at(l)].to)].weight);
      }
    }
    for (auto i = sorted_.rbegin(); i != sorted_.rend(); ++i) {
      for (const int l : lines_from_[at(*i)]) {
        down_[at(*i)] = std::max(down_[at(*i)], down_[at(lines_[at(l)].to)] + items_[at(*i)].weight);
      }
    }
  }

  void assign_layers() {
    const bool has_top = std::any_of(items_.begin(), items_.end(), [](const auto& item) { return item.pin == Pin::kTop; });
    for (const LevelItem& item : items_) {
      vertices().push_back({item.width, item.height, has_top && item.pin != Pin::kTop ? 1 : 0, 0, false});
    }
    for (const int i : sorted_) {
      for (const int l : lines_from_[at(i)]) {
        int& layer = vertices()[at(lines_[at(l)].to)].layer;
        layer = std::max(layer, vertices()[at(i)].layer + 1);
      }
    }
    // What nothing leads to stands just above what reads it.
    int last = 0;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      last = std::max(last, vertices()[i].layer + (items_[i].pin == Pin::kBottom ? 0 : 1));
      if (has_above_[i] || items_[i].pin != Pin::kFree || lines_from_[i].empty()) continue;
      int layer = vertices()[at(lines_[at(lines_from_[i][0])].to)].layer;
      for (const int l : lines_from_[i]) layer = std::min(layer, vertices()[at(lines_[at(l)].to)].layer);
      vertices()[i].layer = layer - 1;
    }
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (items_[i].pin == Pin::kBottom) vertices()[i].layer = last;
    }
  }

  void cut_lines() {
    std::map<std::pair<int, std::int64_t>, std::vector<int>> ways;  // bends of a value that leaves an item
    std::map<std::pair<int, int>, int> bend_segments;               // those that lead to bends are shared
    out_.pieces.resize(lines_.size());
    for (std::size_t l = 0; l < lines_.size(); ++l) {
      const LevelLine& line = lines_[l];
      const double weight = up_[at(line.from)] + down_[at(line.to)];
      const int first = vertices()[at(line.from)].layer, end = vertices()[at(line.to)].layer;
      std::vector<int>& way = ways[{line.from, line.value}];
      int from = line.from;
      double offset = line.from_offset;
      for (int layer = first + 1; layer < end; ++layer) {
        const std::size_t step = at(layer - first - 1);
        if (step == way.size()) {
          way.push_back(static_cast<int>(vertices().size()));
          vertices().push_back({kBendWidth, 0, layer, 0, true});
        }
        const auto [segment, is_new] =
            bend_segments.try_emplace({from, way[step]}, static_cast<int>(out_.segments.size()));
        if (is_new) out_.segments.push_back({from, way[step], offset, 0, weight});
        double& heaviest = out_.segments[at(segment->second)].weight;
        heaviest = std::max(heaviest, weight);
        out_.pieces[l].push_back(segment->second);
        from = way[step];
        offset = 0;
      }
      out_.pieces[l].push_back(static_cast<int>(out_.segments.size()));
      out_.segments.push_back({from, line.to, offset, line.to_offset, weight});
    }
    out_.above.resize(vertices().size());
    out_.below.resize(vertices().size());
    for (std::size_t s = 0; s < out_.segments.size(); ++s) {
      out_.below[at(out_.segments[s].from)].push_back(static_cast<int>(s));
      out_.above[at(out_.segments[s].to)].push_back(static_cast<int>(s));
    }
    int layers = 0;
    for (const Vertex& vertex : vertices()) layers = std::max(layers, vertex.layer + 1);
    out_.layers.resize(at(layers));
  }

  // Depth first, heavy paths before light ones: the trunk is on the left of what goes past it.
  void first_order() {
    for (auto& segments : out_.below) {
      std::stable_sort(segments.begin(), segments.end(),
                       [&](int a, int b) { return out_.segments[at(a)].weight > out_.segments[at(b)].weight; });
    }
    std::vector<int> roots;
    for (std::size_t v = 0; v < vertices().size(); ++v) {
      if (out_.above[v].empty()) roots.push_back(static_cast<int>(v));
    }
    std::stable_sort(roots.begin(), roots.end(), [&](int a, int b) { return down_[at(a)] > down_[at(b)]; });
    std::vector<std::uint8_t> seen(vertices().size(), 0);
    std::vector<int> stack(roots.rbegin(), roots.rend());
    while (!stack.empty()) {
      const int v = stack.back();
      stack.pop_back();
      if (seen[at(v)]) continue;
      seen[at(v)] = 1;
      out_.layers[at(vertices()[at(v)].layer)].push_back(v);
      const auto& below = out_.below[at(v)];
      for (auto s = below.rbegin(); s != below.rend(); ++s) stack.push_back(out_.segments[at(*s)].to);
    }
    number();
  }

  void number() {
    for (const auto& layer : out_.layers) {
      for (std::size_t i = 0; i < layer.size(); ++i) vertices()[at(layer[i])].position = static_cast<int>(i);
    }
  }

  // Where along its layer a segment ends: positions, with the place on the vertex as a fraction.
  double upper_end(const Segment& segment) const { return end_at(segment.from, segment.from_offset); }
  double lower_end(const Segment& segment) const { return end_at(segment.to, segment.to_offset); }
  double end_at(int v, double offset) const {
    const Vertex& vertex = out_.vertices[at(v)];
    return vertex.position + (vertex.width > 0 ? offset / (vertex.width + 1) : 0);
  }

  void improve_order() {
    std::int64_t fewest = crossings();
    auto best = out_.layers;
    for (int sweep = 0; sweep < kSweeps && fewest > 0; ++sweep) {
      const bool down = sweep % 2 == 0;
      for (std::size_t i = 0; i < out_.layers.size(); ++i) sort_layer(down ? i : out_.layers.size() - 1 - i, down);
      const std::int64_t now = crossings();
      if (now >= fewest) continue;
      fewest = now;
      best = out_.layers;
    }
    out_.layers = std::move(best);
    number();
  }

  void sort_layer(std::size_t index, bool down) {
    auto& layer = out_.layers[index];
    if (layer.size() < 2) return;
    std::vector<std::pair<double, int>> keys;
    for (const int v : layer) {
      const auto& segments = down ? out_.above[at(v)] : out_.below[at(v)];
      double sum = 0;
      for (const int s : segments) sum += down ? upper_end(out_.segments[at(s)]) : lower_end(out_.segments[at(s)]);
      const double count = static_cast<double>(segments.size());
      keys.emplace_back(count > 0 ? sum / count : vertices()[at(v)].position, v);
    }
    std::stable_sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < layer.size(); ++i) {
      layer[i] = keys[i].second;
      vertices()[at(layer[i])].position = static_cast<int>(i);
    }
  }

  // Pairs of segments that cross, by counting inversions in a Fenwick tree (Barth, Jünger and Mutzel, 2002).
  std::int64_t crossings() const {
    std::int64_t count = 0;
    for (std::size_t i = 0; i + 1 < out_.layers.size(); ++i) {
      std::vector<std::pair<double, double>> ends;
      for (const int v : out_.layers[i]) {
        for (const int s : out_.below[at(v)]) ends.emplace_back(upper_end(out_.segments[at(s)]), lower_end(out_.segments[at(s)]));
      }
      if (ends.size() < 2) continue;
      std::sort(ends.begin(), ends.end());
      std::vector<double> lower;
      for (const auto& end : ends) lower.push_back(end.second);
      std::sort(lower.begin(), lower.end());
      lower.erase(std::unique(lower.begin(), lower.end()), lower.end());
      std::vector<std::int64_t> tree(lower.size() + 1, 0);
      for (std::size_t e = 0; e < ends.size(); ++e) {
        const auto rank = static_cast<std::size_t>(std::lower_bound(lower.begin(), lower.end(), ends[e].second) - lower.begin()) + 1;
        count += static_cast<std::int64_t>(e);
        for (std::size_t t = rank; t > 0; t -= t & (~t + 1)) count -= tree[t];
        for (std::size_t t = rank; t < tree.size(); t += t & (~t + 1)) ++tree[t];
      }
    }
    return count;
  }

  // The heaviest line ends in the middle of an item, the others beside it; many are spread along the whole edge.
  void spread_ends() {
    constexpr double kApart = 22, kLeastApart = 11, kMargin = 12;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      std::vector<int> segments = out_.above[i];
      if (!items_[i].spreads || segments.size() < 2) continue;
      std::stable_sort(segments.begin(), segments.end(), [&](int a, int b) {
        return upper_end(out_.segments[at(a)]) < upper_end(out_.segments[at(b)]);
      });
      const auto heaviest = std::max_element(segments.begin(), segments.end(), [&](int a, int b) {
        return out_.segments[at(a)].weight < out_.segments[at(b)].weight;
      });
      const double last = static_cast<double>(segments.size() - 1), room = items_[i].width / 2 - kMargin;
      double middle = static_cast<double>(heaviest - segments.begin());
      double apart = std::min(kApart, room / std::max(middle, last - middle));
      if (apart < kLeastApart) {
        middle = std::floor(last / 2);
        apart = std::min(kApart, 2 * room / last);
      }
      apart = std::floor(apart * 2) / 2;
      for (std::size_t s = 0; s < segments.size(); ++s) {
        out_.segments[at(segments[s])].to_offset = (static_cast<double>(s) - middle) * apart;
      }
    }
  }

  const std::vector<LevelItem>& items_;
  const std::vector<LevelLine>& lines_;
  Layers out_;
  std::vector<std::vector<int>> lines_from_;
  std::vector<std::uint8_t> has_above_;
  std::vector<int> sorted_;
  std::vector<double> up_, down_;  // weight of the heaviest path that ends or begins at an item
};

}  // namespace

Layers make_layers(const std::vector<LevelItem>& items, const std::vector<LevelLine>& lines) {
  return LayerMaker(items, lines).make();
}

}  // namespace strata::drawing
