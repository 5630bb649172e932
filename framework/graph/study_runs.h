// Which runs a study has: the combinations of its axes that every `where` keeps, or some of them
// that are drawn.
#pragma once

#include <functional>
#include <vector>

#include "framework/graph/study_check.h"
#include "framework/graph/study_names.h"

namespace strata::graph {

constexpr std::int64_t kMaxRuns = 100'000;

class StudyRuns {
 public:
  StudyRuns(const dsl::Name& study, const StudyContext& context, std::vector<StudyAxisValues>& axes,
            const std::vector<const dsl::WhereStatement*>& wheres)
      : name_(study), context_(context), axes_(axes), wheres_(wheres), names_(context, axes) {}

  // All combinations; false after an error.
  bool combine(Study& study);

  // As many as `random` says, where some axes are ranges. Those with lists go through all of their
  // combinations in a random order, over and over; each gets a new value of every range. `add` adds
  // a value to an axis' points, and says whether it fits. False after an error.
  bool draw(Study& study, Span random,
            const std::function<bool(StudyAxisValues& axis, Value value)>& add);

 private:
  std::int64_t listed_combinations();
  std::vector<int> listed_combination(std::int64_t n) const;
  std::optional<bool> kept();
  void take_back();
  bool report_too_few(const Study& study, std::size_t draws, Span random);

  const dsl::Name& name_;
  const StudyContext& context_;
  std::vector<StudyAxisValues>& axes_;
  const std::vector<const dsl::WhereStatement*>& wheres_;
  RunNames names_;
};

}  // namespace strata::graph
