// By dynamic programming between the common beginning and the common end.
#include "framework/report/line_difference.h"

#include <algorithm>
#include <cstdint>

namespace strata::report {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<LineEdit> line_difference(const std::vector<std::string>& before,
                                      const std::vector<std::string>& after) {
  constexpr std::size_t kMost = 3000;  // lines that are compared each with each
  std::size_t head = 0, tail = 0;
  const std::size_t least = std::min(before.size(), after.size());
  while (head < least && before[head] == after[head]) ++head;
  while (tail < least - head && before[before.size() - 1 - tail] == after[after.size() - 1 - tail])
    ++tail;
  const std::size_t rows = before.size() - head - tail, columns = after.size() - head - tail;
  const bool careful = rows <= kMost && columns <= kMost;

  // length[i][j]: of the longest common subsequence of what follows i and j.
  std::vector<std::uint16_t> length(careful ? (rows + 1) * (columns + 1) : 0);
  const auto at = [&](std::size_t i, std::size_t j) -> std::uint16_t& {
    return length[i * (columns + 1) + j];
  };
  if (careful) {
    for (std::size_t i = rows; i-- > 0;)
      for (std::size_t j = columns; j-- > 0;)
        at(i, j) = before[head + i] == after[head + j]
                       ? static_cast<std::uint16_t>(at(i + 1, j + 1) + 1)
                       : std::max(at(i + 1, j), at(i, j + 1));
  }

  std::vector<LineEdit> edits;
  for (std::size_t i = 0; i < head; ++i) edits.push_back({' ', before[i]});
  std::size_t i = 0, j = 0;
  while (i < rows || j < columns) {
    if (careful && i < rows && j < columns && before[head + i] == after[head + j]) {
      edits.push_back({' ', before[head + i++]}), ++j;
    } else if (i < rows && (j == columns || !careful || at(i + 1, j) >= at(i, j + 1))) {
      edits.push_back({'-', before[head + i++]});
    } else {
      edits.push_back({'+', after[head + j++]});
    }
  }
  for (std::size_t k = before.size() - tail; k < before.size(); ++k)
    edits.push_back({' ', before[k]});
  return edits;
}

}  // namespace strata::report
