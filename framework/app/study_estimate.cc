// Probes in child processes.
#include "framework/app/study_estimate.h"

#include <cstdlib>
#include <map>

#include "framework/app/study/halving.h"
#include "framework/app/study_results.h"

namespace strata::app {
namespace {

constexpr std::size_t kProbes = 24;  // combinations whose time is measured; others have the mean
constexpr double kNotProbed = -2, kDoesNotRun = -1;

}  // namespace

std::vector<double> estimate_runs(const StudyCall& call, const AskedStudy& asked) {
  const std::vector<Combination> all = combinations(asked.planned);
  std::vector<double> of_combination(all.size(), kNotProbed);
  const std::size_t stride = (all.size() + kProbes - 1) / kProbes;
  std::size_t next = 0;
  ChildWatcher watcher;
  watcher.next = [&]() -> std::optional<ChildTask> {
    if (next >= all.size()) return std::nullopt;
    const std::size_t index = next;
    next += stride;
    const RunOfFile task = call.task(asked.record, *all[index].runs[0]);
    return ChildTask{static_cast<std::int64_t>(index),
                     [task](int threads, const auto&) { return probe_run(task, threads); }};
  };
  watcher.ended = [&](std::int64_t id, const ChildEnd& end) {
    of_combination[static_cast<std::size_t>(id)] =
        end.answer.empty() ? kDoesNotRun : std::strtod(end.answer.c_str(), nullptr);
  };
  run_children(call.jobs_for(asked.planned.size()), call.cores, call.stop, watcher);
  double sum = 0, count = 0;
  for (const double seconds : of_combination) {
    if (seconds < 0) continue;
    sum += seconds;
    ++count;
  }
  std::map<std::vector<std::string>, double> by_values;
  for (std::size_t i = 0; i < all.size(); ++i) {
    by_values[all[i].values] =
        of_combination[i] == kNotProbed && count > 0 ? sum / count : of_combination[i];
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
