// Numbers and tables as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/text.h"
#include "framework/train/training.h"

namespace strata::app {

std::string counted(std::int64_t number, std::string_view noun);  // "1 warning", "2 warnings"
std::string duration(double seconds);  // "3.1 ms", "0.71 s", "42.0 s", "3:05 min", "2:03:20 h"
std::string clock(double seconds);     // of a countdown: "0:42", "1:02:05"
std::string shape_text(const Shape& shape);  // "[28, 28]"

// A figure by its name: accuracies in percent, all else with four significant digits or more.
std::string figure(std::string_view name, double value);
// "val.accuracy" → "val accuracy": names as words.
std::string figure_label(std::string_view name);
const double* find_figure(const NamedFigures& figures,
                          std::string_view name);  // null where there is none

// Rows of cells, columns padded to the widest; the first `left` columns to the left, the rest to
// the right.
std::string table(const std::vector<std::vector<std::string>>& rows, int left,
                  std::string_view indent = "  ");

// How many cells a text takes on a terminal.
int cells(std::string_view text);

}  // namespace strata::app
