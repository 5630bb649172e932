// A layout as an SVG document.
#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "framework/drawing/drawing.h"
#include "framework/drawing/layout.h"
#include "framework/drawing/text.h"

namespace strata {
namespace drawing {
namespace {

// Plain rules, no variables: programs that draw SVG without being browsers read these, too.
constexpr std::string_view kStyle = R"(
.strata { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
.strata text { fill: #1b2330; font-size: 11px; }
.strata .page { fill: #ffffff; }
.strata .heading { font-size: 15px; font-weight: 600; }
.strata .title { font-size: 13px; font-weight: 600; }
.strata .amount { font-size: 13px; }
.strata .detail { fill: #566175; }
.strata .label { fill: #566175; font-weight: 600; }
.strata .box { fill: #51658f; fill-opacity: 0.055; stroke: #51658f; stroke-opacity: 0.35; }
.strata .card { fill: #f6f7f9; stroke: #b9c1ce; }
.strata .learns .card { fill: #eaf2ff; stroke: #86aef0; }
.strata .norm .card { fill: #e6f6f1; stroke: #68bda3; }
.strata .join .card { fill: #f4edfd; stroke: #b593e3; }
.strata .folded .card { fill: #fff6e2; stroke: #d8ae52; }
.strata .end .card { fill: #2e3a50; stroke: #2e3a50; }
.strata .end text { fill: #ffffff; }
.strata .end .detail { fill: #c9d2e2; }
.strata .line { fill: none; stroke: #77839a; stroke-width: 1.5; }
.strata .head { fill: #77839a; }
@media (prefers-color-scheme: dark) {
.strata text { fill: #e7ebf2; }
.strata .page { fill: #12161d; }
.strata .detail { fill: #a3aec0; }
.strata .label { fill: #a3aec0; }
.strata .box { fill: #9db3e0; stroke: #9db3e0; }
.strata .card { fill: #222934; stroke: #4b5668; }
.strata .learns .card { fill: #1b2c49; stroke: #4b79c4; }
.strata .norm .card { fill: #16342d; stroke: #3d8f78; }
.strata .join .card { fill: #2f2344; stroke: #8561b8; }
.strata .folded .card { fill: #372b12; stroke: #a17d2e; }
.strata .end .card { fill: #d9e0ec; stroke: #d9e0ec; }
.strata .end text { fill: #12161d; }
.strata .end .detail { fill: #47526a; }
.strata .line { stroke: #8893a8; }
.strata .head { fill: #8893a8; }
}
)";

constexpr double kArrow = 7;  // length of a line's head

std::string_view class_of(CardStyle style) {
  switch (style) {
    case CardStyle::kInput:
    case CardStyle::kOutput: return "end";
    case CardStyle::kFolded: return "folded";
    case CardStyle::kJoin: return "join";
    case CardStyle::kNorm: return "norm";
    case CardStyle::kLearns: return "learns";
    case CardStyle::kPlain: break;
  }
  return "plain";
}

// At most two decimals, and none that say nothing.
std::string number(double x) {
  std::string text = fmt::format("{:.2f}", x);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string rect_element(std::string_view css, const Rect& rect, double radius) {
  return fmt::format(R"(<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="{}"/>)", css, number(rect.x),
                     number(rect.y), number(rect.width), number(rect.height), number(radius)) +
         "\n";
}

class SvgWriter {
 public:
  explicit SvgWriter(const Scene& scene) : scene_(scene), layout_(lay_out(scene)) {}

  std::string write() {
    begin();
    write_boxes();
    write_lines();
    return std::move(out_) + "</svg>\n";
  }

 private:
  template <class... Args>
  void print(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  void begin() {
    const std::string width = number(layout_.width), height = number(layout_.height);
    const Box& model = scene_.boxes[0];
    const std::string totals = counted(model.layers, "layer") + " · " + counted(model.parameters, "parameter");
    print(R"(<svg xmlns="http://www.w3.org/2000/svg" class="strata" width="{0}" height="{1}" viewBox="0 0 {0} {1}")"
          R"( role="graphics-document document" aria-label="model {2}: {3}">)"
          "\n",
          width, height, xml_text(scene_.name), xml_text(totals));
    print("<title>{}</title>\n<style>{}</style>\n", xml_text(scene_.name), kStyle);
    print(R"(<rect class="page" width="{}" height="{}"/>)"
          "\n",
          width, height);
    const BoxPlace& place = layout_.boxes[0];
    print(R"(<text class="heading" x="{0}" y="{1}">{2}</text><text class="detail" x="{0}" y="{3}">{4}</text>)"
          "\n",
          number(place.label_at.x), number(place.label_at.y), xml_text(place.label), number(place.label_at.y + 17),
          xml_text(totals));
  }

  // Boxes hold what is in them, as groups in groups. An own stack: nesting is as deep as names are.
  void write_boxes() {
    std::vector<std::pair<int, std::size_t>> stack{{0, 0}};  // box, next child
    while (!stack.empty()) {
      auto& [box, next] = stack.back();
      const auto& children = scene_.boxes[static_cast<std::size_t>(box)].children;
      if (next == children.size()) {
        if (box > 0) out_ += "</g>\n";
        stack.pop_back();
        continue;
      }
      const Child child = children[next++];
      if (child.is_box) {
        begin_box(static_cast<std::size_t>(child.index));
        stack.emplace_back(child.index, 0);
      } else {
        write_card(static_cast<std::size_t>(child.index));
      }
    }
  }

  void begin_box(std::size_t b) {
    const Box& box = scene_.boxes[b];
    const BoxPlace& place = layout_.boxes[b];
    std::string totals = counted(box.layers, "layer");
    if (box.parameters > 0) totals += " · " + counted(box.parameters, "parameter");
    print(R"(<g role="graphics-object group" aria-label="block {0}: {1}"><title>{0}&#10;{1}</title>)"
          "\n",
          xml_text(box.path), totals);
    out_ += rect_element("box", place.rect, 10);
    print(R"(<text class="label" x="{}" y="{}"{}>{}</text>)"
          "\n",
          number(place.label_at.x), number(place.label_at.y), place.label_at_right ? R"( text-anchor="end")" : "",
          xml_text(place.label));
  }

  void write_card(std::size_t c) {
    const Card& card = scene_.cards[c];
    const Rect& rect = layout_.cards[c];
    std::string spoken = card.path + ": " + card.title;
    if (!card.amount.empty()) spoken += " " + card.amount;
    for (const std::string& detail : card.details) spoken += ", " + detail;
    print(R"(<g class="{}" role="graphics-symbol img" aria-label="{}"><title>{}</title>)"
          "\n",
          class_of(card.style), xml_text(spoken), xml_text(card.tooltip));
    const bool is_end = card.style == CardStyle::kInput || card.style == CardStyle::kOutput;
    if (card.style == CardStyle::kFolded) {  // a stack of cards
      out_ += rect_element("card", {rect.x + 4, rect.y + 3, rect.width, rect.height}, 7);
    }
    out_ += rect_element("card", rect, is_end ? std::min(rect.height / 2, 24.0) : 7);
    const std::string x = number(rect.x + rect.width / 2);
    print(R"(<text text-anchor="middle" x="{}" y="{}"><tspan class="title">{}</tspan>)", x, number(rect.y + 21),
          xml_text(card.title));
    if (!card.amount.empty()) print(R"( <tspan class="amount">{}</tspan>)", xml_text(card.amount));
    out_ += "</text>\n";
    for (std::size_t i = 0; i < card.details.size(); ++i) {
      print(R"(<text class="detail" text-anchor="middle" x="{}" y="{}">{}</text>)"
            "\n",
            x, number(rect.y + 21 + kLineHeight * static_cast<double>(i + 1)), xml_text(card.details[i]));
    }
    out_ += "</g>\n";
  }

  // Lines of one value are one path: where they share their way, nothing is painted twice.
  void write_lines() {
    const auto& lines = scene_.lines;
    std::vector<std::size_t> order(lines.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return std::pair(lines[a].from, lines[a].value) < std::pair(lines[b].from, lines[b].value);
    });
    for (std::size_t first = 0, end = 0; first < order.size(); first = end) {
      const Line& line = lines[order[first]];
      std::string ends, path, heads;
      for (; end < order.size() && lines[order[end]].from == line.from && lines[order[end]].value == line.value; ++end) {
        ends += (end > first ? ", " : "") + card(lines[order[end]].to).path;
        draw_line(layout_.routes[order[end]], path, heads);
      }
      print(R"(<g><title>{} → {}&#10;{}</title><path class="line" d="{}"/><path class="head" d="{}"/></g>)"
            "\n",
            xml_text(card(line.from).path), xml_text(ends), scene_.shapes[static_cast<std::size_t>(line.value)], path, heads);
    }
  }

  static void draw_line(std::vector<Point> points, std::string& path, std::string& heads) {
    if (points.size() < 2) return;
    Point& end = points.back();
    const double arrow = end.y > points[points.size() - 2].y ? kArrow : -kArrow;
    end.y -= arrow;
    path += fmt::format("M{} {}", number(points[0].x), number(points[0].y));
    for (std::size_t i = 1; i < points.size(); ++i) {
      const Point &a = points[i - 1], &b = points[i];
      if (a.x == b.x) {
        path += "V" + number(b.y);
      } else {
        const std::string middle = number((a.y + b.y) / 2);
        path += fmt::format("C{} {} {} {} {} {}", number(a.x), middle, number(b.x), middle, number(b.x), number(b.y));
      }
    }
    heads += fmt::format("M{} {}h8l-4 {}z", number(end.x - 4), number(end.y), number(arrow));
  }

  const Card& card(int index) const { return scene_.cards[static_cast<std::size_t>(index)]; }

  const Scene& scene_;
  const Layout layout_;
  std::string out_;
};

}  // namespace
}  // namespace drawing

std::string draw_svg(const Graph& graph, const DrawingOptions& options) {
  return drawing::SvgWriter(drawing::make_scene(graph, options)).write();
}

}  // namespace strata
