// The nearest name, for "did you mean": optimal string alignment (edits and swaps of neighbours).
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/diagnostic.h"

namespace strata {
namespace {

constexpr std::size_t kLongestName =
    64;  // longer ones are no slip of a known name; keeps the cost small
constexpr int kFar = 1000;

// Case and underscores are what people mix up between frameworks: batch_norm, BatchNorm, batchnorm.
std::string folded(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '_' || c == '-') continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

int alignment_distance(std::string_view a, std::string_view b) {
  std::vector<int> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

int slips_allowed(std::size_t length) {
  return length <= 2 ? 0 : length <= 4 ? 1 : length <= 7 ? 2 : 3;
}

int distance(const std::string& name, const std::string& candidate) {
  if (candidate.empty() || candidate.size() > kLongestName) return kFar;
  const std::size_t shorter = std::min(name.size(), candidate.size());
  const std::size_t longer = std::max(name.size(), candidate.size());
  const int slips = slips_allowed(shorter);
  // One is the beginning of the other: "CrossEntropyLoss", "Batch".
  const bool extends = shorter >= 4 && (candidate.starts_with(name) || name.starts_with(candidate));
  if (!extends && longer - shorter > static_cast<std::size_t>(slips)) return kFar;
  const int edits = alignment_distance(name, candidate);
  return edits <= slips ? edits : extends ? 10 + edits : kFar;
}

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  const std::string wanted = folded(name);
  if (wanted.empty() || wanted.size() > kLongestName) return {};
  int best = kFar;
  std::string nearest;
  for (const std::string& candidate : candidates) {
    const int d = distance(wanted, folded(candidate));
    if (d < best) {
      best = d;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace strata
