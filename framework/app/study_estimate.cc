// Probes in child processes.
#include "framework/app/study_estimate.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "framework/app/study/halving.h"
#include "framework/app/study_results.h"
#include "framework/base/random.h"

namespace strata::app {
namespace {

constexpr std::size_t kProbes = 24;  // combinations whose time is measured
constexpr double kNotProbed = -2, kDoesNotRun = -1;

// Which combinations are probed. Chosen at random, always the same: every n-th one would have the
// same values of the last axis again and again.
std::vector<std::size_t> probed(std::size_t combinations) {
  const auto all = static_cast<std::uint32_t>(combinations);
  const std::vector<bool> chosen =
      random_choice(StreamKey{0, 0}, all, std::min<std::uint32_t>(all, kProbes));
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < combinations; ++i)
    if (chosen[i]) out.push_back(i);
  return out;
}

std::size_t common_values(const Combination& a, const Combination& b) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) count += a.values[i] == b.values[i] ? 1 : 0;
  return count;
}

// The mean time of the probed combinations that have most values in common with this one.
double of_similar(const Combination& wanted, const std::vector<Combination>& all,
                  const std::vector<double>& seconds) {
  double sum = 0, count = 0;
  std::size_t most = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (seconds[i] < 0) continue;
    const std::size_t common = common_values(wanted, all[i]);
    if (common < most) continue;
    if (common > most) most = common, sum = count = 0;
    sum += seconds[i];
    ++count;
  }
  return count > 0 ? sum / count : kNotProbed;
}

}  // namespace

std::vector<double> estimate_runs(const StudyCall& call, const AskedStudy& asked) {
  const std::vector<Combination> all = combinations(asked.planned);
  std::vector<double> of_combination(all.size(), kNotProbed);
  const std::vector<std::size_t> probes = probed(all.size());
  std::size_t next = 0;
  ChildWatcher watcher;
  watcher.next = [&]() -> std::optional<ChildTask> {
    if (next == probes.size()) return std::nullopt;
    const std::size_t index = probes[next++];
    const RunOfFile task = call.task(asked.record, *all[index].runs[0]);
    return ChildTask{static_cast<std::int64_t>(index),
                     [task](int threads, const auto&) { return probe_run(task, threads); }};
  };
  watcher.ended = [&](std::int64_t id, const ChildEnd& end) {
    of_combination[static_cast<std::size_t>(id)] =
        end.answer.empty() ? kDoesNotRun : std::strtod(end.answer.c_str(), nullptr);
  };
  run_children(call.jobs_for(asked.planned.size()), call.cores, call.stop, watcher);
  std::map<std::vector<std::string>, double> by_values;
  for (std::size_t i = 0; i < all.size(); ++i) {
    by_values[all[i].values] = of_combination[i] == kNotProbed
                                   ? of_similar(all[i], all, of_combination)
                                   : of_combination[i];
  }
  std::vector<double> out;
  for (const RunRecord& run : asked.planned) out.push_back(by_values[run.values]);
  return out;
}

double halving_share(const AskedStudy& asked, std::int64_t epochs) {
  if (!asked.record.halving) return 1;
  const StudySettings::Halving& halving = *asked.record.halving;
  const std::size_t all = combinations(asked.planned).size();
  std::size_t competing = all;
  double trained = 0;
  std::int64_t before = 0;
  for (const std::int64_t rung : rungs(halving, epochs)) {
    trained += static_cast<double>(competing) * static_cast<double>(rung - before);
    before = rung;
    competing = promoted(halving, competing);
  }
  return trained / (static_cast<double>(all) * static_cast<double>(epochs));
}

}  // namespace strata::app
