// What `take` and `split` of a data section make of a data set's splits.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/plugin/instance.h"

namespace strata {

struct SplitRule {
  enum Kind { kTake, kSplit } kind = kTake;
  // So many samples, or such a share of them.
  struct Part {
    std::string split;  // take: the one that is made smaller; split: the new one
    std::int64_t samples = 0;
    std::optional<double> share;
    std::int64_t of(std::int64_t all) const;
  };
  std::vector<Part> parts;
  std::string from = "train";        // split: what the parts are taken out of
  std::optional<std::int64_t> seed;  // take without one: the first samples
  // A field of class numbers, of each of which the same share is chosen; empty: whichever comes.
  std::string stratify;
};

// Which samples of the data set a split has.
struct SplitView {
  std::string name;
  int source = 0;                                     // split of the data set
  std::optional<std::vector<std::uint32_t>> samples;  // of the source, in order; none: all
};

// The splits that the rules make of the data set's, by names and sizes alone (sizes may be -1, not
// known yet). ExitCode::kModel where a rule asks for what is not there.
Status apply_to_sizes(const SplitRule& rule, std::vector<DataDescription::Split>& splits);

// Whether the field that the rule wants the classes of is there and has class numbers. The error's
// message says what is wrong, its hint what may have been meant.
Status check_stratify(const SplitRule& rule, const std::vector<DataDescription::FieldInfo>& fields);

// The class number of each sample of a split of the data set's, and what the classes are called,
// where they have names.
struct SampleClasses {
  std::vector<std::int32_t> numbers;
  std::vector<std::string> names;
};
using ReadClasses =
    std::function<Result<const SampleClasses*>(int source, const std::string& field)>;

// The same with the samples themselves; sizes are known. ExitCode::kModel also where a class has
// too few samples for a rule that keeps the classes' shares.
Result<std::vector<SplitView>> apply_rules(const std::vector<SplitRule>& rules,
                                           std::vector<DataDescription::Split>& splits,
                                           const ReadClasses& read_classes);

// "take(train = 1000)", as the language writes it.
std::string print_rule(const SplitRule& rule);

}  // namespace strata
