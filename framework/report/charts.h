// Which charts a comparison of runs has: the page and the SVG files draw the same ones.
#pragma once

#include <string>
#include <vector>

#include "framework/report/chart.h"
#include "framework/report/comparison.h"

namespace strata::report {

// Figures over training: one chart for each of a split; with few groups one for each of both
// splits. A line per group, in the groups' order; of many groups the best, and one line for all.
std::vector<Chart> curve_charts(const Comparison& all);
std::string all_groups_label(const Comparison& all);  // of that one

// The losses of single steps, a line per group. Not drawn for many groups: lines as noisy as these
// would hide each other.
bool has_step_chart(const Comparison& all);
Chart step_chart(const Comparison& all);

// Figures of validation and speed against each setting that has three numbers or more. A line for
// every combination of what else was varied; where these are many a dot for each group.
std::vector<Chart> value_charts(const Comparison& all);

// Means at the best epoch over the values of the first two settings.
struct HeatMap {
  std::string figure, title;
  Axis down, across;
  std::vector<std::vector<double>> means;  // [down][across]; NaN where there is none
  double low = 0, high = 0;

  double share(double mean) const;  // 0 to 1 between the lowest and the highest
};
std::vector<HeatMap> heat_maps(const Comparison& all);  // none where fewer were varied

std::string figure_base(const std::string& figure);  // "val.accuracy" → "accuracy"

}  // namespace strata::report
