// Positions across a level: vertices that one straight line joins move as one.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "framework/drawing/layers.h"

namespace strata::drawing {
namespace {

constexpr double kItemGap = 26, kBendGap = 16;
constexpr int kRounds = 12;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::size_t at(int index) { return static_cast<std::size_t>(index); }

class Placement {
 public:
  explicit Placement(const Layers& layers) : layers_(layers) {}

  std::vector<double> make() {
    align();
    make_blocks();
    push_apart();
    for (int round = 0; round < kRounds; ++round) pull(round % 2 == 0);
    // Half pixels make short numbers, and straight lines stay straight; gaps have that much to spare.
    for (double& x : x_) x = std::round(x * 2) / 2;
    std::vector<double> middles(layers_.vertices.size());
    for (std::size_t v = 0; v < middles.size(); ++v) middles[v] = x_[at(block_[v])] + inside_[v];
    return middles;
  }

 private:
  // A pair of vertices in neighbouring blocks: how far apart the blocks are at least.
  struct Distance {
    int block = 0;
    double least = 0;
  };
  // A segment that is not straight pulls a block to where it would be.
  struct Pull {
    int block = 0;
    double offset = 0;  // wanted: x of this block = x of that one + offset
    double weight = 0;
  };

  // Picks segments to be straight: between two bends first (long lines), then by weight; none crosses another.
  void align() {
    const auto& segments = layers_.segments;
    std::vector<int> order(segments.size());
    std::iota(order.begin(), order.end(), 0);
    const auto is_inner = [&](int s) {
      return layers_.vertices[at(segments[at(s)].from)].is_bend && layers_.vertices[at(segments[at(s)].to)].is_bend;
    };
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      if (is_inner(a) != is_inner(b)) return is_inner(a);
      return segments[at(a)].weight > segments[at(b)].weight;
    });
    straight_.assign(segments.size(), 0);
    aligned_above_.assign(layers_.vertices.size(), -1);
    std::vector<std::uint8_t> has_below(layers_.vertices.size(), 0);
    std::vector<std::map<int, int>> chosen(layers_.layers.size());  // of each layer: position to position in the next
    for (const int s : order) {
      const Segment& segment = segments[at(s)];
      if (aligned_above_[at(segment.to)] >= 0 || has_below[at(segment.from)]) continue;
      const Vertex &from = layers_.vertices[at(segment.from)], &to = layers_.vertices[at(segment.to)];
      std::map<int, int>& others = chosen[at(from.layer)];
      const auto right = others.upper_bound(from.position);
      if (right != others.end() && right->second <= to.position) continue;
      if (right != others.begin() && std::prev(right)->second >= to.position) continue;
      others.emplace(from.position, to.position);
      aligned_above_[at(segment.to)] = s;
      has_below[at(segment.from)] = 1;
      straight_[at(s)] = 1;
    }
  }

  void make_blocks() {
    block_.assign(layers_.vertices.size(), -1);
    inside_.assign(layers_.vertices.size(), 0);
    int blocks = 0;
    for (const auto& layer : layers_.layers) {
      for (const int v : layer) {
        const int s = aligned_above_[at(v)];
        if (s < 0) {
          block_[at(v)] = blocks++;
          continue;
        }
        const Segment& segment = layers_.segments[at(s)];
        block_[at(v)] = block_[at(segment.from)];
        inside_[at(v)] = inside_[at(segment.from)] + segment.from_offset - segment.to_offset;
      }
    }
    left_.resize(at(blocks));
    right_.resize(at(blocks));
    pulls_.resize(at(blocks));
    for (const auto& layer : layers_.layers) {
      for (std::size_t i = 1; i < layer.size(); ++i) {
        const int a = layer[i - 1], b = layer[i];
        const Vertex &left = layers_.vertices[at(a)], &right = layers_.vertices[at(b)];
        const double gap = left.is_bend || right.is_bend ? kBendGap : kItemGap;
        const double least = (left.width + right.width) / 2 + gap + inside_[at(a)] - inside_[at(b)];
        right_[at(block_[at(a)])].push_back({block_[at(b)], least});
        left_[at(block_[at(b)])].push_back({block_[at(a)], least});
      }
    }
    for (std::size_t s = 0; s < layers_.segments.size(); ++s) {
      const Segment& segment = layers_.segments[s];
      const int a = block_[at(segment.from)], b = block_[at(segment.to)];
      if (straight_[s] || a == b) continue;
      const double offset = inside_[at(segment.from)] + segment.from_offset - inside_[at(segment.to)] - segment.to_offset;
      pulls_[at(b)].push_back({a, offset, 1});
      pulls_[at(a)].push_back({b, -offset, 1});
    }
  }

  // From left to right, each block as far left as it goes. Straight lines do not cross, so "left of" has no cycles.
  void push_apart() {
    x_.assign(left_.size(), 0);
    std::vector<std::size_t> missing(left_.size());
    for (std::size_t b = 0; b < left_.size(); ++b) {
      missing[b] = left_[b].size();
      if (missing[b] == 0) sorted_.push_back(static_cast<int>(b));
    }
    for (std::size_t i = 0; i < sorted_.size(); ++i) {
      const int b = sorted_[i];
      for (const Distance& next : right_[at(b)]) {
        x_[at(next.block)] = std::max(x_[at(next.block)], x_[at(b)] + next.least);
        if (--missing[at(next.block)] == 0) sorted_.push_back(next.block);
      }
    }
  }

  // Each block goes to the middle of where its lines want it, as far as its neighbours let it.
  void pull(bool from_right) {
    const auto move = [&](int b) {
      if (pulls_[at(b)].empty()) return;
      double sum = 0, weights = 0, low = -kInfinity, high = kInfinity;
      for (const Pull& pull : pulls_[at(b)]) {
        sum += pull.weight * (x_[at(pull.block)] + pull.offset);
        weights += pull.weight;
      }
      for (const Distance& left : left_[at(b)]) low = std::max(low, x_[at(left.block)] + left.least);
      for (const Distance& right : right_[at(b)]) high = std::min(high, x_[at(right.block)] - right.least);
      // What rounding leaves of the room is never less than nothing.
      x_[at(b)] = low < high ? std::clamp(sum / weights, low, high) : x_[at(b)];
    };
    if (from_right) {
      std::for_each(sorted_.rbegin(), sorted_.rend(), move);
    } else {
      std::for_each(sorted_.begin(), sorted_.end(), move);
    }
  }

  const Layers& layers_;
  std::vector<std::uint8_t> straight_;
  std::vector<int> aligned_above_;      // the straight segment that ends at a vertex, -1 where there is none
  std::vector<int> block_;              // of each vertex
  std::vector<double> inside_;          // the vertex's middle, from its block's
  std::vector<std::vector<Distance>> left_, right_;
  std::vector<std::vector<Pull>> pulls_;
  std::vector<int> sorted_;             // blocks from left to right
  std::vector<double> x_;
};

}  // namespace

std::vector<double> place(const Layers& layers) { return Placement(layers).make(); }

}  // namespace strata::drawing
