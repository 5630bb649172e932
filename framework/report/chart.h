// Curves as SVG: lines with bands, drawn when the page is made, so that they need no script.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/report/comparison.h"

namespace strata::report {

enum class Along { kEpochs, kSteps, kSeconds, kValues };
const char* along_name(Along along);  // "epochs"; of kValues "values"

struct ChartLine {
  int group = 0;       // its colour among the lines of its family, and what the legend toggles
  bool faint = false;  // dashed: the training split beside the validation's
  std::vector<CurvePoint> points;
  std::string label = {};  // in a legend of its own
};

struct Chart {
  std::string id;            // unique in the page
  std::string title;         // "val accuracy"
  std::string text;          // what it shows, in words; the page has it once, with the id `id`-d
  std::string figure;        // says the unit
  double low = 0, high = 1;  // of the vertical axis: those of charts that are to be compared
  std::vector<ChartLine> lines;
  std::string family = "g";   // lines of one family have common colours: class "g0"
  std::string across = {};    // kValues: what the horizontal axis is
  std::vector<double> stops;  // kValues: the values that it has, in order
  bool dots = false;          // kValues: points that no line connects
};

// The group of a line that is of all groups together; it has a grey of its own.
inline constexpr int kAllGroups = -1;
// What a line's group is called in classes and for the legend: "g3", "all-g".
std::string line_class(std::string_view family, int group);

inline constexpr double kChartWidth = 480, kChartHeight = 290;  // units of a drawing

// Room for `points` points at most in each line.
std::string draw_chart(const Chart& chart, Along along, std::size_t points);
// What is inside of its <svg>, for drawings that hold more.
std::string chart_content(const Chart& chart, Along along, std::size_t points);

// Style rules that give lines of a family their colours. Few lines have colours that are told
// apart, many a ramp in their order.
std::string line_colours(std::string_view family, const std::vector<int>& groups);
std::string line_colours(std::string_view family, std::size_t count);  // groups 0 to count - 1

// Round numbers that cover [low, high]: about `count` of them.
std::vector<double> ticks(double low, double high, int count);
// What is written at them, all of an axis in the same way: "0.5", "3,000", "2.5 M", "10⁻⁵"; with
// the unit of `figure`: "97 %", "120 MB".
std::vector<std::string> tick_texts(const std::vector<double>& values, std::string_view figure);

// Whether values in order are spread like powers, so that their axis is logarithmic: all above
// zero, the largest at least 8 times the smallest, and more evenly apart by their logarithms.
bool is_geometric(const std::vector<double>& values);

}  // namespace strata::report
