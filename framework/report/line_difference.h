// Two texts, line by line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace strata::report {

struct LineEdit {
  char kind = ' ';  // ' ' in both, '-' in the first alone, '+' in the second alone
  std::string line;
};

std::vector<std::string> lines_of(std::string_view text);

// A longest common subsequence, with what is removed before what is added.
std::vector<LineEdit> line_difference(const std::vector<std::string>& before,
                                      const std::vector<std::string>& after);

}  // namespace strata::report
