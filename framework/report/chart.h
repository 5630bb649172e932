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
  std::vector<double> stops;  // kValues: its ticks, in order
};

inline constexpr double kChartWidth = 480, kChartHeight = 290;  // units of a drawing

// Room for `points` points at most in each line.
std::string draw_chart(const Chart& chart, Along along, std::size_t points);
// What is inside of its <svg>, for drawings that hold more.
std::string chart_content(const Chart& chart, Along along, std::size_t points);

// Style rules that give `count` lines of a family their colours. Few lines have colours that are
// told apart, many a ramp in their order.
std::string line_colours(std::string_view family, std::size_t count);

// Round numbers that cover [low, high]: about `count` of them.
std::vector<double> ticks(double low, double high, int count);

}  // namespace strata::report
