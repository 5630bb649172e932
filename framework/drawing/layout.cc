#include "framework/drawing/layout.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "framework/drawing/text.h"

namespace strata::drawing {
namespace {

constexpr double kCardMargin = 14, kLeastCardWidth = 112;
constexpr double kBoxMargin = 14, kHeader = 22, kLabelMargin = 10, kPortWidth = 8;
constexpr double kPageMargin = 24, kHeading = 40;
constexpr std::size_t kLongestLabel = 40;

std::size_t at(int index) { return static_cast<std::size_t>(index); }

double even(double width) { return 2 * std::ceil(width / 2); }

// A value that goes into or out of a box; against the flow where a line of it was turned round.
using PortKey = std::tuple<bool, ValueId, bool>;  // into, value, against

// The inside of one box: its children, in their order, then its ports.
struct Inside {
  struct End {
    int item = 0;
    PortKey port;  // where the item is a box
  };
  struct Line {
    End from, to;
    ValueId value = 0;
    bool against = false;
  };
  std::vector<PortKey> ports;
  std::map<PortKey, int> port_at;  // index among the ports
  std::vector<Line> lines;
  std::map<std::tuple<int, int, ValueId, bool>, int> line_at;
  LevelDrawing drawing;
  double shift_x = 0, shift_y = 0;  // of the drawing in the box
};

class LayoutMaker {
 public:
  explicit LayoutMaker(const Scene& scene) : scene_(scene), insides_(scene.boxes.size()), child_at_(scene.boxes.size()) {}

  Layout make() {
    out_.cards.resize(scene_.cards.size());
    out_.boxes.resize(scene_.boxes.size());
    for (std::size_t c = 0; c < scene_.cards.size(); ++c) measure(scene_.cards[c], out_.cards[c]);
    index_children();
    turn_cycles();
    for (std::size_t l = 0; l < scene_.lines.size(); ++l) add_line(l);
    for (std::size_t b = scene_.boxes.size(); b-- > 0;) arrange_box(b);
    put_in_place();
    for (std::size_t l = 0; l < scene_.lines.size(); ++l) out_.routes.push_back(route(l));
    return std::move(out_);
  }

 private:
  static void measure(const Card& card, Rect& rect) {
    double width = text_width(card.title, kTitleSize, true);
    if (!card.amount.empty()) width += text_width(" " + card.amount, kTitleSize);
    for (const std::string& detail : card.details) width = std::max(width, text_width(detail, kDetailSize));
    rect.width = even(std::max(kLeastCardWidth, width + 2 * kCardMargin));
    rect.height = 30 + kLineHeight * static_cast<double>(card.details.size());
  }

  void index_children() {
    card_child_.resize(scene_.cards.size());
    for (const Box& box : scene_.boxes) {
      for (std::size_t i = 0; i < box.children.size(); ++i) {
        const Child& child = box.children[i];
        (child.is_box ? child_at_ : card_child_)[at(child.index)] = static_cast<int>(i);
      }
    }
  }

  // The innermost box around both ends of a line, and which of its children they are in.
  struct Meeting {
    int box = 0, from = 0, to = 0;
  };
  Meeting meeting_of(const Line& line) const {
    int a = scene_.cards[at(line.from)].box, b = scene_.cards[at(line.to)].box;
    int from = card_child_[at(line.from)], to = card_child_[at(line.to)];
    const auto leave = [&](int& box, int& child) {
      child = child_at_[at(box)];
      box = scene_.boxes[at(box)].parent;
    };
    while (a != b) {
      if (scene_.boxes[at(a)].depth >= scene_.boxes[at(b)].depth) {
        leave(a, from);
      } else {
        leave(b, to);
      }
    }
    return {a, from, to};
  }

  // A line that would close a cycle among the children of a box (a value that leaves a box and comes back) is drawn from
  // its end to its start.
  void turn_cycles() {
    against_.assign(scene_.lines.size(), 0);
    std::vector<std::vector<std::vector<std::pair<int, std::size_t>>>> next(scene_.boxes.size());
    for (std::size_t b = 0; b < scene_.boxes.size(); ++b) next[b].resize(scene_.boxes[b].children.size());
    for (std::size_t l = 0; l < scene_.lines.size(); ++l) {
      const Meeting meeting = meeting_of(scene_.lines[l]);
      next[at(meeting.box)][at(meeting.from)].emplace_back(meeting.to, l);
    }
    for (const auto& children : next) {
      std::vector<std::uint8_t> state(children.size(), 0);  // 1: on the way, 2: done
      for (std::size_t root = 0; root < children.size(); ++root) {
        if (state[root]) continue;
        std::vector<std::pair<std::size_t, std::size_t>> stack{{root, 0}};
        state[root] = 1;
        while (!stack.empty()) {
          auto& [child, edge] = stack.back();
          if (edge == children[child].size()) {
            state[child] = 2;
            stack.pop_back();
            continue;
          }
          const auto& [to, line] = children[child][edge++];
          if (state[at(to)] == 1) {
            against_[line] = 1;
          } else if (state[at(to)] == 0) {
            state[at(to)] = 1;
            stack.emplace_back(at(to), 0);
          }
        }
      }
    }
  }

  // A line's pieces: out of the boxes around its start, across the box where it meets its end, into those around it.
  void add_line(std::size_t l) {
    Line line = scene_.lines[l];
    const bool against = against_[l] != 0;
    if (against) std::swap(line.from, line.to);
    const PortKey in{true, line.value, against}, out{false, line.value, against};
    const int meeting = meeting_of(line).box;
    std::vector<std::pair<int, int>> path, inward;
    Inside::End from{card_child_[at(line.from)], out};
    int box = scene_.cards[at(line.from)].box;
    for (; box != meeting; box = scene_.boxes[at(box)].parent) {
      path.emplace_back(box, add_piece(box, from, {port_item(box, out), out}, line.value, against));
      from.item = child_at_[at(box)];
    }
    Inside::End to{card_child_[at(line.to)], in};
    for (box = scene_.cards[at(line.to)].box; box != meeting; box = scene_.boxes[at(box)].parent) {
      inward.emplace_back(box, add_piece(box, {port_item(box, in), in}, to, line.value, against));
      to.item = child_at_[at(box)];
    }
    path.emplace_back(meeting, add_piece(meeting, from, to, line.value, against));
    path.insert(path.end(), inward.rbegin(), inward.rend());
    paths_.push_back(std::move(path));
  }

  int port_item(int box, const PortKey& key) {
    Inside& inside = insides_[at(box)];
    const auto [port, is_new] = inside.port_at.try_emplace(key, static_cast<int>(inside.ports.size()));
    if (is_new) inside.ports.push_back(key);
    return static_cast<int>(scene_.boxes[at(box)].children.size()) + port->second;
  }

  int add_piece(int box, const Inside::End& from, const Inside::End& to, ValueId value, bool against) {
    Inside& inside = insides_[at(box)];
    const auto [line, is_new] =
        inside.line_at.try_emplace({from.item, to.item, value, against}, static_cast<int>(inside.lines.size()));
    if (is_new) inside.lines.push_back({from, to, value, against});
    return line->second;
  }

  // Where a value leaves a card: its outputs are spread along the lower edge.
  double output_offset(int card, ValueId value) const {
    const auto& outputs = scene_.cards[at(card)].outputs;
    const auto place = std::find(outputs.begin(), outputs.end(), value) - outputs.begin();
    return std::round(out_.cards[at(card)].width * (static_cast<double>(place + 1) / static_cast<double>(outputs.size() + 1) - 0.5));
  }

  double end_offset(int box, const Inside::End& end, ValueId value, bool is_start) const {
    const auto& children = scene_.boxes[at(box)].children;
    if (at(end.item) >= children.size()) return 0;
    const Child child = children[at(end.item)];
    if (!child.is_box) return is_start && !std::get<2>(end.port) ? output_offset(child.index, value) : 0;
    const Inside& inside = insides_[at(child.index)];
    const std::size_t item = scene_.boxes[at(child.index)].children.size() + at(inside.port_at.at(end.port));
    return inside.drawing.items[item].x + kPortWidth / 2 + inside.shift_x - out_.boxes[at(child.index)].rect.width / 2;
  }

  void arrange_box(std::size_t b) {
    const Box& box = scene_.boxes[b];
    Inside& inside = insides_[b];
    if (box.children.empty() && b > 0) return;  // folded: a card stands for it
    std::vector<LevelItem> items;
    for (const Child& child : box.children) {
      if (child.is_box) {
        const Rect& rect = out_.boxes[at(child.index)].rect;
        items.push_back({rect.width, rect.height, static_cast<double>(scene_.boxes[at(child.index)].layers), Pin::kFree, false});
        continue;
      }
      const Card& card = scene_.cards[at(child.index)];
      const Rect& rect = out_.cards[at(child.index)];
      items.push_back({rect.width, rect.height, static_cast<double>(card.weight),
                       card.style == CardStyle::kInput ? Pin::kTop : Pin::kFree, true});
    }
    bool has_out = false;
    for (const PortKey& port : inside.ports) {
      const bool into = std::get<0>(port);
      has_out |= !into;
      items.push_back({kPortWidth, into ? kHeader : 0, 0, into ? Pin::kTop : Pin::kBottom, false});
    }
    std::vector<LevelLine> lines;
    for (const Inside::Line& line : inside.lines) {
      lines.push_back({line.from.item, line.to.item, end_offset(static_cast<int>(b), line.from, line.value, true),
                       end_offset(static_cast<int>(b), line.to, line.value, false), line.value * 2 + (line.against ? 1 : 0)});
    }
    inside.drawing = arrange(items, lines);
    frame(b, has_out);
  }

  // Margins around the inside, and the label beside the lines that come in.
  void frame(std::size_t b, bool has_out) {
    Inside& inside = insides_[b];
    BoxPlace& place = out_.boxes[b];
    const LevelDrawing& drawing = inside.drawing;
    place.label = shortened(scene_.boxes[b].name, kLongestLabel);
    if (b == 0) {
      const double heading = text_width(place.label, kHeadingSize, true) + 2 * kPageMargin;
      place.rect.width = even(std::max({drawing.width + 2 * kPageMargin, heading, 320.0}));
      inside.shift_x = std::floor((place.rect.width - drawing.width) / 2);
      inside.shift_y = kHeading + kPageMargin;
      place.rect.height = inside.shift_y + drawing.height + kPageMargin;
      place.label_at = {kPageMargin, kPageMargin + 10};
      return;
    }
    const std::size_t first_port = scene_.boxes[b].children.size();
    double leftmost = drawing.width, rightmost = 0;
    bool has_in = false;
    for (std::size_t p = 0; p < inside.ports.size(); ++p) {
      if (!std::get<0>(inside.ports[p])) continue;
      const double x = drawing.items[first_port + p].x;
      leftmost = std::min(leftmost, x);
      rightmost = std::max(rightmost, x + kPortWidth);
      has_in = true;
    }
    const double label = std::ceil(text_width(place.label, kLabelSize, true)) + kLabelMargin;
    const double more_left = std::max(0.0, label - kBoxMargin - leftmost);
    const double more_right = std::max(0.0, label - kBoxMargin - (drawing.width - rightmost));
    place.label_at_right = has_in && more_right < more_left;
    inside.shift_x = kBoxMargin + (place.label_at_right ? 0 : std::ceil(more_left));
    inside.shift_y = has_in ? 0 : kHeader + 4;
    place.rect.width = even(inside.shift_x + drawing.width + kBoxMargin + (place.label_at_right ? std::ceil(more_right) : 0));
    place.rect.height = inside.shift_y + drawing.height + (has_out ? 0 : kBoxMargin);
    place.label_at = {place.label_at_right ? place.rect.width - kLabelMargin : kLabelMargin, 16};
  }

  // From the outermost box in: places become those on the page.
  void put_in_place() {
    for (std::size_t b = 0; b < scene_.boxes.size(); ++b) {
      if (scene_.boxes[b].children.empty() && b > 0) continue;
      const Inside& inside = insides_[b];
      BoxPlace& place = out_.boxes[b];
      place.label_at.x += place.rect.x;
      place.label_at.y += place.rect.y;
      for (std::size_t i = 0; i < scene_.boxes[b].children.size(); ++i) {
        const Child& child = scene_.boxes[b].children[i];
        Rect& rect = child.is_box ? out_.boxes[at(child.index)].rect : out_.cards[at(child.index)];
        rect.x = place.rect.x + inside.shift_x + inside.drawing.items[i].x;
        rect.y = place.rect.y + inside.shift_y + inside.drawing.items[i].y;
      }
    }
    out_.width = out_.boxes[0].rect.width;
    out_.height = out_.boxes[0].rect.height;
  }

  std::vector<Point> route(std::size_t l) const {
    std::vector<Point> points;
    for (const auto& [box, piece] : paths_[l]) {
      const Inside& inside = insides_[at(box)];
      const Rect& rect = out_.boxes[at(box)].rect;
      for (const Point& local : inside.drawing.routes[at(piece)]) {
        const Point point{local.x + rect.x + inside.shift_x, local.y + rect.y + inside.shift_y};
        const std::size_t n = points.size();
        if (n > 0 && points[n - 1].x == point.x && points[n - 1].y == point.y) continue;
        if (n > 1 && points[n - 1].x == point.x && points[n - 2].x == point.x) points.pop_back();
        points.push_back(point);
      }
    }
    if (against_[l]) std::reverse(points.begin(), points.end());
    return points;
  }

  const Scene& scene_;
  std::vector<Inside> insides_;
  std::vector<int> card_child_, child_at_;  // which child of its box a card or box is
  std::vector<std::uint8_t> against_;       // lines that are drawn from their end to their start
  std::vector<std::vector<std::pair<int, int>>> paths_;  // of each line: boxes and pieces in them
  Layout out_;
};

}  // namespace

Layout lay_out(const Scene& scene) { return LayoutMaker(scene).make(); }

}  // namespace strata::drawing
