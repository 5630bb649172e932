// Curves as SVG: lines with bands, drawn when the page is made, so that they need no script.
#pragma once

#include <string>
#include <vector>

#include "framework/report/comparison.h"

namespace strata::report {

enum class Along { kEpochs, kSteps, kSeconds };

struct ChartLine {
  int group = 0;       // its colour, and what the legend toggles
  bool faint = false;  // dashed: the training split beside the validation's
  std::vector<CurvePoint> points;
};

struct Chart {
  std::string id;            // unique in the page
  std::string title;         // "val accuracy"
  std::string text;          // what it shows, in words; the page has it once, with the id `id`-d
  std::string figure;        // says the unit
  double low = 0, high = 1;  // of the vertical axis: those of charts that are to be compared
  std::vector<ChartLine> lines;
};

// Room for `points` points at most in each line.
std::string draw_chart(const Chart& chart, Along along, std::size_t points);

// Round numbers that cover [low, high]: about `count` of them.
std::vector<double> ticks(double low, double high, int count);

}  // namespace strata::report
