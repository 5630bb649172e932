// What one feature of a table is, as a text: data sets name their features so, checkpoints keep the
// names, and `predict` makes features of raw tables by them.
//
//   body_mass_g            the number in this column
//   body_mass_g~4201.5     the same; this number stands for a missing one
//   sex=female             1 where the column holds this word, else 0
//
// Backslashes stand before `=`, `~` and backslashes of columns and words.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace strata {

struct FeatureName {
  std::string column;
  std::optional<std::string> word;
  std::optional<double> fill;  // of a number

  bool operator==(const FeatureName&) const = default;
};

std::string print_feature(const FeatureName& name);
// Nullopt for a text that print_feature does not give.
std::optional<FeatureName> parse_feature(std::string_view text);

}  // namespace strata
