#include "framework/drawing/level.h"

#include <algorithm>
#include <cmath>

#include "framework/drawing/layers.h"

namespace strata::drawing {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

// Room for curves: more of it the farther they go to the side.
constexpr double kGap = 30, kEdgeGap = 14, kMostGap = 96, kGapPerSideways = 0.2;

class Arrangement {
 public:
  Arrangement(const std::vector<LevelItem>& items, const std::vector<LevelLine>& lines)
      : items_(items), lines_(lines), layers_(make_layers(items, lines)), x_(place(layers_)) {}

  LevelDrawing make() {
    move_to_edge();
    stack_layers();
    for (std::size_t i = 0; i < items_.size(); ++i) {
      out_.items.push_back({x_[i] - items_[i].width / 2, top_of(static_cast<int>(i))});
    }
    for (std::size_t l = 0; l < lines_.size(); ++l) out_.routes.push_back(route(l));
    return std::move(out_);
  }

 private:
  void move_to_edge() {
    double left = 0, right = 0;
    for (std::size_t v = 0; v < x_.size(); ++v) {
      const double half = layers_.vertices[v].width / 2;
      left = v == 0 ? x_[v] - half : std::min(left, x_[v] - half);
      right = v == 0 ? x_[v] + half : std::max(right, x_[v] + half);
    }
    for (double& x : x_) x -= left;
    out_.width = std::ceil(right - left);
  }

  double sideways(const Segment& segment) const {
    return std::abs(x_[at(segment.to)] + segment.to_offset - x_[at(segment.from)] - segment.from_offset);
  }

  double gap_below(const std::vector<int>& layer) const {
    bool to_edge = true;
    double farthest = 0;
    for (const int v : layer) {
      for (const int s : layers_.below[at(v)]) {
        const Segment& segment = layers_.segments[at(s)];
        to_edge &= is_edge(segment.from) || is_edge(segment.to);
        farthest = std::max(farthest, sideways(segment));
      }
    }
    if (farthest < 1) return to_edge ? kEdgeGap : kGap;
    return std::min(kMostGap, std::max(kGap, 16 + kGapPerSideways * farthest));
  }
  bool is_edge(int v) const {
    return at(v) < items_.size() && items_[at(v)].pin != Pin::kFree && items_[at(v)].width < 20;
  }

  void stack_layers() {
    double y = 0;
    for (const auto& layer : layers_.layers) {
      double height = 0;
      for (const int v : layer) height = std::max(height, layers_.vertices[at(v)].height);
      tops_.push_back(y);
      heights_.push_back(height);
      y += height;
      out_.height = y;
      y += std::round(gap_below(layer));
    }
  }

  double top_of(int v) const {
    const Vertex& vertex = layers_.vertices[at(v)];
    return tops_[at(vertex.layer)] + std::floor((heights_[at(vertex.layer)] - vertex.height) / 2);
  }

  std::vector<Point> route(std::size_t line) const {
    std::vector<Point> points;
    const auto add = [&](double x, double y) {
      const std::size_t n = points.size();
      if (n > 0 && points[n - 1].x == x && points[n - 1].y == y) return;
      if (n > 1 && points[n - 1].x == x && points[n - 2].x == x) points.pop_back();
      points.push_back({x, y});
    };
    for (const int s : layers_.pieces[line]) {
      const Segment& segment = layers_.segments[at(s)];
      const Vertex &from = layers_.vertices[at(segment.from)], &to = layers_.vertices[at(segment.to)];
      const double x = x_[at(segment.from)] + segment.from_offset, end = x_[at(segment.to)] + segment.to_offset;
      if (!from.is_bend) add(x, top_of(segment.from) + from.height);
      add(x, tops_[at(from.layer)] + heights_[at(from.layer)]);
      add(end, tops_[at(to.layer)]);
      if (!to.is_bend) add(end, top_of(segment.to));
    }
    return points;
  }

  const std::vector<LevelItem>& items_;
  const std::vector<LevelLine>& lines_;
  const Layers layers_;
  std::vector<double> x_;
  std::vector<double> tops_, heights_;  // of layers
  LevelDrawing out_;
};

}  // namespace

LevelDrawing arrange(const std::vector<LevelItem>& items, const std::vector<LevelLine>& lines) {
  return Arrangement(items, lines).make();
}

}  // namespace strata::drawing
