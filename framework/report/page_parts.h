// The sections of a report's page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/report/comparison.h"

namespace strata::report {

std::string verdict_section(const Comparison& all);
std::string curves_section(const Comparison& all);
std::string values_section(const Comparison& all);       // empty where no setting is a number
std::string heat_maps_section(const Comparison& all);    // empty without two axes
std::string layers_section(const Comparison& all);       // empty where no run noted any
std::string predictions_section(const Comparison& all);  // empty where no run has any
std::string tables_section(const Comparison& all);
std::string file_section(const Comparison& all);
std::string environment_section(const Comparison& all);

// Buttons that show and hide lines; empty for fewer than two.
struct LegendKey {
  std::string line;  // line_class: what it toggles
  std::string label;
};
std::string legend_of(const std::vector<LegendKey>& keys);
// A link that saves `text` as the file `name`.
std::string csv_link(std::string_view name, std::string_view label, std::string_view text);
// A link to what the script cuts from the CSV inside the element `whole`: its first five columns
// and those of `columns` (by spaces), of one run or of all. Without the script it leads to that
// CSV.
std::string data_link(std::string_view whole, std::string_view columns, std::string_view run = {});
// A dot in a group's colour; empty where it has none.
std::string swatch(const Comparison& all, int group);
// What Comparison::measured are, in words.
std::string measured_note(const Comparison& all);

}  // namespace strata::report
