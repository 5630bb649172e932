// Sizes and samples of splits behind `take` and `split`.
#include "framework/graph/split_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
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

// Which of `all` samples are among the `count` that are chosen, by chance where there is a seed.
// `number` of the part and `group` tell streams of one seed apart.
std::vector<bool> choose(std::size_t all, std::int64_t count,
                         const std::optional<std::int64_t>& seed, std::uint64_t number,
                         std::uint64_t group) {
  if (seed)
    return random_choice(
        stream_key(static_cast<std::uint64_t>(*seed), Purpose::kSplit, number, group),
        static_cast<std::uint32_t>(all), static_cast<std::uint32_t>(count));
  std::vector<bool> chosen(all);
  std::fill_n(chosen.begin(), count, true);
  return chosen;
}

// How many of each class make up `count` samples: in proportion, rounded by largest remainder; of
// equal remainders the smaller class number's counts.
std::vector<std::int64_t> proportional(const std::vector<std::int64_t>& sizes, std::int64_t count) {
  const std::int64_t all = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  std::vector<std::int64_t> counts, remainders;  // in units of 1 / all
  std::int64_t left = count;
  for (const std::int64_t size : sizes) {  // both are below 2^32, or memory would not hold them
    const auto product = static_cast<unsigned __int128>(size) * static_cast<std::uint64_t>(count);
    counts.push_back(static_cast<std::int64_t>(product / static_cast<std::uint64_t>(all)));
    remainders.push_back(static_cast<std::int64_t>(product % static_cast<std::uint64_t>(all)));
    left -= counts.back();
  }
  std::vector<std::size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return remainders[a] > remainders[b]; });
  for (std::int64_t i = 0; i < left; ++i) ++counts[order[static_cast<std::size_t>(i)]];
  return counts;
}

std::string class_text(std::int32_t number, const std::vector<std::string>& names) {
  const auto at = static_cast<std::size_t>(number);
  return at < names.size() ? fmt::format("class {} (`{}`)", number, names[at])
                           : fmt::format("class {}", number);
}

// The same of each class: `classes[i]` is that of the i-th sample.
Result<std::vector<bool>> choose_by_class(const SplitRule& rule, const SplitRule::Part& part,
                                          const std::vector<std::int32_t>& classes,
                                          const std::vector<std::string>& names, std::int64_t count,
                                          std::uint64_t number) {
  std::map<std::int32_t, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < classes.size(); ++i) members[classes[i]].push_back(i);
  std::vector<std::int64_t> sizes;
  for (const auto& [of, own] : members) sizes.push_back(static_cast<std::int64_t>(own.size()));
  const std::vector<std::int64_t> counts = proportional(sizes, count);
  std::vector<bool> chosen(classes.size());
  std::size_t at = 0;
  for (const auto& [of, own] : members) {
    const std::int64_t size = sizes[at], wanted = counts[at++];
    const bool all = rule.kind == SplitRule::kSplit && wanted == size;
    if (wanted == 0 || all) {
      Error error =
          make_error(ExitCode::kModel,
                     "`{}` has too few samples of {} for its share: `{} = {}` takes {} of {}",
                     rule.kind == SplitRule::kTake ? part.split : rule.from, class_text(of, names),
                     part.split, text_of(part), wanted, size);
      error.hint = fmt::format("take {} samples, or leave `stratify` out", all ? "fewer" : "more");
      return error;
    }
    const std::vector<bool> of_class =
        choose(own.size(), wanted, rule.seed, number, static_cast<std::uint64_t>(of) + 1);
    for (std::size_t i = 0; i < own.size(); ++i) chosen[own[i]] = of_class[i];
  }
  return chosen;
}

// Both keep their order.
struct Divided {
  std::vector<std::uint32_t> chosen, left;
};
Divided divide(const std::vector<std::uint32_t>& samples, const std::vector<bool>& is_chosen) {
  Divided divided;
  for (std::size_t i = 0; i < samples.size(); ++i)
    (is_chosen[i] ? divided.chosen : divided.left).push_back(samples[i]);
  return divided;
}

Result<std::vector<bool>> choose_of(const SplitRule& rule, const SplitRule::Part& part,
                                    const SplitView& view, std::int64_t count, std::uint64_t number,
                                    const ReadClasses& read_classes) {
  if (rule.stratify.empty()) return choose(view.samples->size(), count, rule.seed, number, 0);
  const auto all = read_classes(view.source, rule.stratify);
  if (!all) return all.error();
  std::vector<std::int32_t> classes;
  for (const std::uint32_t sample : *view.samples) classes.push_back((*all)->numbers[sample]);
  return choose_by_class(rule, part, classes, (*all)->names, count, number);
}

}  // namespace

std::int64_t SplitRule::Part::of(std::int64_t all) const {
  return share ? std::llround(*share * static_cast<double>(all)) : samples;
}

Status apply_to_sizes(const SplitRule& rule, Splits& splits) {
  return rule.kind == SplitRule::kTake ? take(rule, splits) : split(rule, splits);
}

Status check_stratify(const SplitRule& rule,
                      const std::vector<DataDescription::FieldInfo>& fields) {
  if (rule.stratify.empty()) return {};
  const auto has_classes = [](const DataDescription::FieldInfo& field) {
    return field.dtype == STRATA_I32 && field.shape.elements() == 1;
  };
  std::vector<std::string> good;
  const DataDescription::FieldInfo* found = nullptr;
  for (const auto& field : fields) {
    if (has_classes(field)) good.push_back(field.name);
    if (field.name == rule.stratify) found = &field;
  }
  if (found && has_classes(*found)) return {};
  Error error =
      found ? make_error(ExitCode::kModel, "`stratify`: `{}` has no class number of each sample",
                         rule.stratify)
            : make_error(ExitCode::kModel, "`stratify`: the data set has no field `{}`",
                         rule.stratify);
  if (good.empty()) {
    error.hint = "no field of this data set has class numbers: leave `stratify` out";
  } else {
    error.hint = "fields with class numbers: ";
    for (const std::string& name : good)
      error.hint += fmt::format("{}\"{}\"", name == good.front() ? "" : ", ", name);
  }
  return error;
}

Result<std::vector<SplitView>> apply_rules(const std::vector<SplitRule>& rules, Splits& splits,
                                           const ReadClasses& read_classes) {
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
      auto chosen = choose_of(rule, part, views[at], part.of(whole), number++, read_classes);
      if (!chosen) return chosen.error();
      Divided divided = divide(*views[at].samples, *chosen);
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
  if (!rule.stratify.empty()) out += ", stratify = " + print_string(rule.stratify);
  if (rule.seed) out += fmt::format(", seed = {}", *rule.seed);
  return out + ")";
}

}  // namespace strata
