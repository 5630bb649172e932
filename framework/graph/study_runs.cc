// Combinations, listed and drawn.
#include "framework/graph/study_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "framework/graph/suggest.h"

namespace strata::graph {
namespace {

// How often is drawn before it is said that there are no more combinations.
constexpr std::size_t kLeastDraws = 1000, kDrawsEach = 20;

}  // namespace

// Of the axes that list their values; 0 after an error.
std::int64_t StudyRuns::listed_combinations() {
  std::int64_t total = 1;
  for (const StudyAxisValues& axis : axes_) {
    const auto size = static_cast<std::int64_t>(axis.points.size());
    if (axis.drawn || (!__builtin_mul_overflow(total, size, &total) && total <= kMaxRuns)) continue;
    context_.session.error(
        "too-many-runs", name_.span,
        fmt::format("study `{}` has more than {} combinations", name_.text, kMaxRuns));
    return 0;
  }
  return total;
}

// The n-th of them; the last axis changes fastest.
std::vector<int> StudyRuns::listed_combination(std::int64_t n) const {
  std::vector<int> run(axes_.size(), 0);
  for (std::size_t a = axes_.size(); a-- > 0;) {
    if (axes_[a].drawn) continue;
    const auto size = static_cast<std::int64_t>(axes_[a].points.size());
    run[a] = static_cast<int>(n % size);
    n /= size;
  }
  return run;
}

// Whether every `where` keeps names_.run; nullopt after an error.
std::optional<bool> StudyRuns::kept() {
  bool kept = true;
  for (const dsl::WhereStatement* where : wheres_) {
    const std::optional<bool> truth =
        evaluate_condition(where->condition, names_, context_.session, "`where`");
    if (!truth) return std::nullopt;
    kept = kept && *truth;
  }
  return kept;
}

bool StudyRuns::combine(Study& study) {
  const std::int64_t total = listed_combinations();
  for (std::int64_t n = 0; n < total; ++n) {
    names_.run = listed_combination(n);
    const std::optional<bool> keep = kept();
    if (!keep) return false;
    if (*keep) study.runs.push_back(names_.run);
  }
  if (total > 0 && study.runs.empty()) {
    context_.session.error("no-runs", wheres_.front()->condition.span,
                           fmt::format("`where` keeps none of the {} combinations", total));
  }
  return !study.runs.empty();
}

bool StudyRuns::draw(Study& study, Span random,
                     const std::function<bool(StudyAxisValues& axis, Value value)>& add) {
  const auto wanted = static_cast<std::size_t>(*study.settings.random);
  const std::int64_t listed = listed_combinations();
  if (listed == 0) return false;
  const auto seed = static_cast<std::uint64_t>(context_.result->settings.seed);
  const auto stream = [&](const std::string& name, std::uint64_t number) {
    return stream_key(seed, Purpose::kStudy, name_hash(name.data(), name.size()), number);
  };
  std::set<std::vector<std::string>> had;
  std::vector<std::uint32_t> order;
  const std::size_t most = kLeastDraws + kDrawsEach * wanted;
  for (std::size_t n = 0; n < most && study.runs.size() < wanted; ++n) {
    const std::size_t place = n % static_cast<std::size_t>(listed);
    if (place == 0) {
      order = random_permutation(stream(study.name, n / static_cast<std::size_t>(listed)),
                                 static_cast<std::uint32_t>(listed));
    }
    names_.run = listed_combination(order[place]);
    std::vector<std::string> texts;
    for (std::size_t a = 0; a < axes_.size(); ++a) {
      StudyAxisValues& axis = axes_[a];
      if (axis.drawn) {
        const StreamKey key = stream(study.name + "/" + axis.paths[0].text(), 0);
        if (!add(axis, drawn_value(*axis.drawn, key, n))) return false;
        names_.run[a] = static_cast<int>(axis.points.size()) - 1;
      }
      for (const Value& value : axis.points[static_cast<std::size_t>(names_.run[a])])
        texts.push_back(full_text(value));
    }
    const std::optional<bool> keep = kept();
    if (!keep) return false;
    if (*keep && had.insert(std::move(texts)).second) {
      study.runs.push_back(names_.run);
    } else {
      take_back();
    }
  }
  return study.runs.size() == wanted || report_too_few(study, most, random);
}

// The values that were drawn last.
void StudyRuns::take_back() {
  for (StudyAxisValues& axis : axes_) {
    if (axis.drawn) axis.points.pop_back(), axis.spans.pop_back();
  }
}

bool StudyRuns::report_too_few(const Study& study, std::size_t draws, Span random) {
  Diagnostic& error = context_.session.error(
      "option-range", random,
      fmt::format("`random` draws {}, and {} attempts found {} that differ{}",
                  *study.settings.random, draws,
                  counted(static_cast<std::int64_t>(study.runs.size()), "combination"),
                  wheres_.empty() ? "" : " and that `where` keeps"));
  for (const StudyAxisValues& axis : axes_) {
    if (!axis.drawn || !axis.drawn->of_ints()) continue;
    if (axis.drawn->first.number() == 0 && axis.drawn->last.number() == 1)
      error.help = "`0..1` holds the ints 0 and 1 alone; `0.0..1.0` holds all numbers between";
  }
  return false;
}

}  // namespace strata::graph
