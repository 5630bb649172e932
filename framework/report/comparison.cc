// Axes from differing settings, groups from axes.
#include "framework/report/comparison.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>

namespace strata::report {
namespace {

const char* const kSeed = "train.seed";
const char* const kAbsent = "–";
constexpr std::size_t kFewestPairs = 4;  // of numbers, to tell that they have nothing in common
// What is noted and saved changes no bit of the weights: no setting of its own.
const std::set<std::string> kNotedOnly = {
    "train.log_steps",        "train.statistics",         "train.log",
    "train.checkpoint_steps", "train.checkpoint_minutes", "train.allow"};
// What of the log's start is an experiment of its own, beside the file.
const char* const kVariedFacts[] = {"init", "fuse"};

using Table = std::unordered_map<std::string, std::vector<const std::string*>>;

// For each key its value in every run, null where a run has none.
Table table_of(const std::vector<RunRecord>& runs, std::vector<std::string>& order) {
  Table table;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    for (const Setting& setting : runs[i].settings) {
      auto [at, added] = table.try_emplace(setting.key);
      if (added) {
        at->second.resize(runs.size());
        order.push_back(setting.key);
      }
      at->second[i] = &setting.value;
    }
  }
  return table;
}

bool differs(const std::vector<const std::string*>& values) {
  return std::any_of(values.begin(), values.end(), [&](const std::string* value) {
    return !value != !values[0] || (value && *value != *values[0]);
  });
}

// The numbers of equal values: {"a", "b", "a"} is {0, 1, 0}.
std::vector<int> partition(const std::vector<std::string>& values) {
  std::map<std::string, int> numbers;
  std::vector<int> out;
  for (const std::string& value : values)
    out.push_back(numbers.try_emplace(value, static_cast<int>(numbers.size())).first->second);
  return out;
}

int rank(const std::vector<RunRecord>& runs, const std::string& key) {
  for (const RunRecord& run : runs)
    for (const Setting& setting : run.settings)
      if (setting.key == key) return static_cast<int>(setting.kind);
  return 0;
}

struct Candidate {
  std::string key;
  std::vector<std::string> values;  // of each run
};

std::vector<Candidate> candidates(const std::vector<RunRecord>& runs) {
  std::vector<Candidate> out;
  std::vector<std::pair<int, std::string>> keys;
  for (const std::string& key : differing_keys(runs))
    if (key != kSeed && !kNotedOnly.contains(key)) keys.emplace_back(rank(runs, key), key);
  // The kind of setting that people vary first stands for what follows from it.
  std::stable_sort(keys.begin(), keys.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [unused, key] : keys) {
    Candidate& candidate = out.emplace_back(Candidate{key, {}});
    for (const RunRecord& run : runs) candidate.values.push_back(value_of(run, key));
  }
  for (const char* fact : kVariedFacts) {
    Candidate candidate{fact, {}};
    for (const RunRecord& run : runs) candidate.values.push_back(run.fact(fact));
    if (std::set<std::string>(candidate.values.begin(), candidate.values.end()).size() > 1)
      out.push_back(std::move(candidate));
  }
  return out;
}

// Whether one of them follows from the other, as far as values tell: not where both are numbers
// that neither grow nor fall together, as those of a random search, which are all different.
bool go_together(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::map<double, double> pairs;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto x = as_number(a[i]), y = as_number(b[i]);
    if (!x || !y) return true;
    pairs[*x] = *y;
  }
  if (pairs.size() < kFewestPairs) return true;
  const auto grows = [](const auto& p, const auto& q) { return p.second < q.second; };
  const auto falls = [](const auto& p, const auto& q) { return p.second > q.second; };
  return std::is_sorted(pairs.begin(), pairs.end(), grows) ||
         std::is_sorted(pairs.begin(), pairs.end(), falls);
}

void sort_values(std::vector<std::string>& values) {
  const bool numbers = std::all_of(values.begin(), values.end(),
                                   [](const std::string& text) { return as_number(text); });
  if (!numbers) return;
  std::stable_sort(values.begin(), values.end(), [](const std::string& a, const std::string& b) {
    return *as_number(a) < *as_number(b);
  });
}

void label_axes(std::vector<Axis>& axes) {
  std::map<std::string, int> uses;
  for (Axis& axis : axes) ++uses[short_key(axis.key)];
  for (Axis& axis : axes)
    axis.label = uses[short_key(axis.key)] > 1 ? axis.key : short_key(axis.key);
}

std::string group_label(const std::vector<Axis>& axes, const std::vector<int>& points) {
  constexpr std::size_t kLongest = 48;  // bytes of a value that a label holds
  std::string label;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    std::string value = axes[i].values[static_cast<std::size_t>(points[i])];
    if (value.size() > kLongest) value = value.substr(0, kLongest - 3) + "…";
    label += (label.empty() ? "" : ", ") + axes[i].label + " = " + value;
  }
  return label;
}

std::string own_monitor(const Comparison& all) {
  const auto has = [&](const std::string& name) {
    return std::find(all.figures.begin(), all.figures.end(), name) != all.figures.end();
  };
  for (const RunRecord& run : all.runs) {
    std::string named = value_of(run, "train.monitor");
    if (named.size() > 2 && named.front() == '"') named = named.substr(1, named.size() - 2);
    if (has(named)) return named;
  }
  for (const std::string& figure : all.figures)
    if (figure.starts_with("val.") && figure != "val.loss") return figure;
  for (const char* figure : {"val.loss", "train.loss"})
    if (has(figure)) return figure;
  return all.figures.empty() ? "" : all.figures[0];
}

// A run's best epoch shows which way its monitor goes; a name only helps where no run tells.
bool wants_more(const Comparison& all) {
  int more = 0, less = 0;
  for (const RunRecord& run : all.runs) {
    if (run.best_epoch == 0 || run.epochs.size() < 2) continue;
    const double best = run.best()->figure(all.monitor);
    for (const EpochRecord& epoch : run.epochs) {
      more += epoch.figure(all.monitor) < best;
      less += epoch.figure(all.monitor) > best;
    }
  }
  if (more != less) return more > less;
  return all.monitor.find("loss") == std::string::npos &&
         all.monitor.find("error") == std::string::npos;
}

// Where the log names no best epoch (a run that did not end), it is looked for.
void complete_best(Comparison& all) {
  for (RunRecord& run : all.runs) {
    if (run.best_epoch != 0) continue;
    double best = std::numeric_limits<double>::quiet_NaN();
    for (const EpochRecord& epoch : run.epochs) {
      const double value = epoch.figure(all.monitor);
      if (!std::isfinite(value)) continue;
      if (!std::isfinite(best) || (all.more_is_better ? value > best : value < best)) {
        best = value;
        run.best_epoch = epoch.epoch;
      }
    }
  }
}

}  // namespace

std::optional<double> as_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::string value_of(const RunRecord& run, const std::string& key) {
  for (const Setting& setting : run.settings)
    if (setting.key == key) return setting.value;
  return kAbsent;
}

std::vector<std::string> differing_keys(const std::vector<RunRecord>& runs) {
  std::vector<std::string> order, out;
  const Table table = table_of(runs, order);
  const auto brought_along = [&](const std::string& key, const auto& values) {
    if (std::find(values.begin(), values.end(), nullptr) == values.end()) return false;
    for (std::size_t dot = key.rfind('.'); dot != std::string::npos && dot > 0;
         dot = key.rfind('.', dot - 1)) {
      const auto parent = table.find(key.substr(0, dot));
      if (parent != table.end() && differs(parent->second)) return true;
    }
    return false;
  };
  for (const std::string& key : order) {
    const auto& values = table.at(key);
    if (differs(values) && !brought_along(key, values)) out.push_back(key);
  }
  return out;
}

namespace {

constexpr std::size_t kMostDrawn = 24;  // groups that all have curves
constexpr std::size_t kBestDrawn = 7;   // else: as many as there are colours beside the grey of all

// One run of each seed; runs whose log names none all count.
std::vector<int> counted_of(const std::vector<RunRecord>& runs, const std::vector<int>& members) {
  std::vector<int> counted;
  std::map<std::string, std::size_t> place;
  const auto progress = [&](int member) {
    const RunRecord& run = runs[static_cast<std::size_t>(member)];
    return std::pair(run.status == "done", run.epochs.size());
  };
  for (const int member : members) {
    const std::string seed = runs[static_cast<std::size_t>(member)].seed();
    const auto [at, added] = place.try_emplace(seed, counted.size());
    if (added || seed.empty()) {
      counted.push_back(member);
    } else if (progress(member) >= progress(counted[at->second])) {
      counted[at->second] = member;
    }
  }
  return counted;
}

// Finds the best group; of many groups only the best ones are drawn.
void rank_groups(Comparison& all) {
  std::vector<std::pair<double, int>> order;  // smaller is better
  for (std::size_t i = 0; i < all.groups.size(); ++i) {
    const double value = all.at_best(all.groups[i], all.monitor).mean;
    const double infinity = std::numeric_limits<double>::infinity();
    order.emplace_back(!std::isfinite(value) ? infinity
                       : all.more_is_better  ? -value
                                             : value,
                       static_cast<int>(i));
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  if (!order.empty() && std::isfinite(order[0].first)) all.best_group = order[0].second;
  const std::size_t count = order.size() <= kMostDrawn ? order.size() : kBestDrawn;
  for (std::size_t i = 0; i < count; ++i) all.drawn.push_back(order[i].second);
  std::sort(all.drawn.begin(), all.drawn.end());
}

}  // namespace

Comparison compare(std::vector<RunRecord> runs) {
  Comparison all;
  all.runs = std::move(runs);
  std::map<std::vector<int>, std::vector<std::size_t>> axes_of;
  std::vector<std::vector<std::string>> axis_values;  // of each axis, for each run
  for (Candidate& candidate : candidates(all.runs)) {
    std::vector<std::size_t>& known = axes_of[partition(candidate.values)];
    const auto same = std::find_if(known.begin(), known.end(), [&](std::size_t axis) {
      return go_together(axis_values[axis], candidate.values);
    });
    if (same != known.end()) {
      all.axes[*same].also.push_back(candidate.key);
      continue;
    }
    known.push_back(all.axes.size());
    Axis& axis = all.axes.emplace_back();
    axis.key = candidate.key;
    for (const std::string& value : candidate.values)
      if (std::find(axis.values.begin(), axis.values.end(), value) == axis.values.end())
        axis.values.push_back(value);
    sort_values(axis.values);
    axis_values.push_back(std::move(candidate.values));
  }
  label_axes(all.axes);

  std::map<std::vector<int>, std::vector<int>> groups;
  for (std::size_t run = 0; run < all.runs.size(); ++run) {
    std::vector<int> points;
    for (std::size_t i = 0; i < all.axes.size(); ++i) {
      const auto& values = all.axes[i].values;
      points.push_back(static_cast<int>(
          std::find(values.begin(), values.end(), axis_values[i][run]) - values.begin()));
    }
    groups[points].push_back(static_cast<int>(run));
    all.has_steps = all.has_steps || !all.runs[run].steps.empty();
    for (const std::string& figure : all.runs[run].figures)
      if (std::find(all.figures.begin(), all.figures.end(), figure) == all.figures.end())
        all.figures.push_back(figure);
    for (const auto& [figure, unused] : all.runs[run].measured)
      if (std::find(all.measured.begin(), all.measured.end(), figure) == all.measured.end())
        all.measured.push_back(figure);
  }
  std::stable_partition(all.figures.begin(), all.figures.end(),
                        [](const std::string& figure) { return figure.starts_with("val."); });
  all.group_of.resize(all.runs.size());
  for (auto& [points, members] : groups) {
    for (const int member : members)
      all.group_of[static_cast<std::size_t>(member)] = static_cast<int>(all.groups.size());
    std::string label = all.axes.empty() ? (all.runs.size() == 1 ? all.runs[0].name : "all runs")
                                         : group_label(all.axes, points);
    std::vector<int> counted = counted_of(all.runs, members);
    all.groups.push_back({std::move(label), points, std::move(members), std::move(counted)});
  }

  all.monitor = own_monitor(all);
  all.more_is_better = wants_more(all);
  complete_best(all);
  rank_groups(all);
  return all;
}

}  // namespace strata::report
