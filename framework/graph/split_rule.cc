// Sizes and samples of splits behind `take` and `split`.
#include "framework/graph/split_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "framework/base/random.h"
#include "framework/base/text.h"

namespace strata {
namespace {

using Splits = std::vector<DataDescription::Split>;

std::string names_of(const Splits& splits) {
  std::string names;
  for (const auto& split : splits) names += (names.empty() ? "`" : ", `") + split.name + "`";
  return names;
}

Result<DataDescription::Split*> find(Splits& splits, const std::string& name) {
  for (auto& split : splits) {
    if (split.name == name) return &split;
  }
  Error error =
      make_error(ExitCode::kModel, "the data has no split `{}`; it has {}", name, names_of(splits));
  return error;
}

std::string text_of(const SplitRule::Part& part) {
  return part.share ? print_float(*part.share) : fmt::format("{}", part.samples);
}

Status take(const SplitRule& rule, Splits& splits) {
  for (const SplitRule::Part& part : rule.parts) {
    auto found = find(splits, part.split);
    if (!found) return found.error();
    std::int64_t& samples = (*found)->samples;
    if (samples < 0) {
      if (!part.share) samples = part.samples;  // at most: more is an error once it is open
      continue;
    }
    const std::int64_t wanted = part.of(samples);
    if (wanted > samples)
      return make_error(ExitCode::kModel, "`take({} = {})`: the split has {} samples", part.split,
                        text_of(part), samples);
    if (wanted == 0)
      return make_error(ExitCode::kModel, "`take({} = {})` leaves none of its {} samples",
                        part.split, text_of(part), samples);
    samples = wanted;
  }
  return {};
}

Status split(const SplitRule& rule, Splits& splits) {
  auto source = find(splits, rule.from);
  if (!source) return source.error();
  const std::int64_t before = (*source)->samples;
  std::int64_t left = before;
  Splits made;
  for (const SplitRule::Part& part : rule.parts) {
    const auto taken = [&](const auto& other) { return other.name == part.split; };
    if (std::any_of(splits.begin(), splits.end(), taken) ||
        std::any_of(made.begin(), made.end(), taken)) {
      Error error = make_error(ExitCode::kModel, "the data has a split `{}` already", part.split);
      error.hint = fmt::format("`take({} = …)` makes it smaller", part.split);
      return error;
    }
    const std::int64_t wanted = before < 0 && part.share ? -1 : part.of(before);
    made.push_back({part.split, wanted});
    if (before < 0) continue;
    if (wanted == 0)
      return make_error(ExitCode::kModel, "`split({} = {})` takes none of the {} samples of `{}`",
                        part.split, text_of(part), before, rule.from);
    left -= wanted;
  }
  if (before >= 0 && left <= 0)
    return make_error(ExitCode::kModel, "`split` leaves none of the {} samples of `{}`", before,
                      rule.from);
  (*source)->samples = before < 0 ? -1 : left;
  splits.insert(splits.end(), made.begin(), made.end());
  return {};
}

// `count` of them, by chance where there is a seed; both keep their order.
struct Divided {
  std::vector<std::uint32_t> chosen, left;
};
Divided divide(const std::vector<std::uint32_t>& samples, std::int64_t count,
               const std::optional<std::int64_t>& seed, std::uint64_t number) {
  std::vector<bool> is_chosen(samples.size());
  if (seed) {
    is_chosen = random_choice(
        stream_key(static_cast<std::uint64_t>(*seed), Purpose::kSplit, number, 0),
        static_cast<std::uint32_t>(samples.size()), static_cast<std::uint32_t>(count));
  } else {
    std::fill_n(is_chosen.begin(), count, true);
  }
  Divided divided;
  for (std::size_t i = 0; i < samples.size(); ++i)
    (is_chosen[i] ? divided.chosen : divided.left).push_back(samples[i]);
  return divided;
}

}  // namespace

std::int64_t SplitRule::Part::of(std::int64_t all) const {
  return share ? std::llround(*share * static_cast<double>(all)) : samples;
}

Status apply_to_sizes(const SplitRule& rule, Splits& splits) {
  return rule.kind == SplitRule::kTake ? take(rule, splits) : split(rule, splits);
}

Result<std::vector<SplitView>> apply_rules(const std::vector<SplitRule>& rules, Splits& splits) {
  std::vector<SplitView> views;
  for (std::size_t s = 0; s < splits.size(); ++s)
    views.push_back({splits[s].name, static_cast<int>(s), std::nullopt});
  std::uint64_t number = 0;
  for (const SplitRule& rule : rules) {
    const Splits before = splits;
    const Status fits = apply_to_sizes(rule, splits);
    if (!fits) return fits.error();
    for (const SplitRule::Part& part : rule.parts) {
      const std::string& name = rule.kind == SplitRule::kTake ? part.split : rule.from;
      const auto at = static_cast<std::size_t>(
          std::find_if(views.begin(), views.end(),
                       [&](const SplitView& view) { return view.name == name; }) -
          views.begin());
      const std::int64_t whole = before[at].samples;
      if (!views[at].samples) {
        views[at].samples.emplace(static_cast<std::size_t>(whole));
        std::iota(views[at].samples->begin(), views[at].samples->end(), 0u);
      }
      Divided divided = divide(*views[at].samples, part.of(whole), rule.seed, number++);
      if (rule.kind == SplitRule::kTake) {
        views[at].samples = std::move(divided.chosen);
      } else {
        views[at].samples = std::move(divided.left);
        views.push_back({part.split, views[at].source, std::move(divided.chosen)});
      }
    }
  }
  return views;
}

std::string print_rule(const SplitRule& rule) {
  std::string out = rule.kind == SplitRule::kTake ? "take(" : "split(";
  std::string separator;
  for (const SplitRule::Part& part : rule.parts) {
    out += separator + part.split + " = " + text_of(part);
    separator = ", ";
  }
  if (rule.kind == SplitRule::kSplit && rule.from != "train")
    out += ", from = " + print_string(rule.from);
  if (rule.seed) out += fmt::format(", seed = {}", *rule.seed);
  return out + ")";
}

}  // namespace strata
