// Rungs and promotions.
#include "framework/app/study/halving.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace strata::app {
namespace {

bool ended(const RunRecord& run) {
  return run.status == kDone || run.status == kDiverged || run.status == kFailed;
}

struct Competitor {
  std::vector<std::size_t> runs;

  bool reached(const std::vector<RunRecord>& all, std::int64_t epochs) const {
    return std::all_of(runs.begin(), runs.end(), [&](std::size_t run) {
      return ended(all[run]) || all[run].epochs >= epochs;
    });
  }
  // Higher is better; the worst there is where a run has no figure.
  double score(const StudySettings::Halving& halving, const std::vector<RunRecord>& all,
               std::int64_t epochs, const FigureAt& at) const {
    double mean = 0;
    for (const std::size_t run : runs)
      mean += at(all[run], epochs) / static_cast<double>(runs.size());
    if (!std::isfinite(mean)) return -std::numeric_limits<double>::infinity();
    return halving.higher_is_better ? mean : -mean;
  }
};

std::vector<Competitor> competitors(const std::vector<RunRecord>& runs) {
  std::vector<Competitor> all;
  std::map<std::vector<std::string>, std::size_t> places;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto [at, added] = places.try_emplace(runs[i].values, all.size());
    if (added) all.emplace_back();
    all[at->second].runs.push_back(i);
  }
  return all;
}

}  // namespace

std::vector<std::int64_t> rungs(const StudySettings::Halving& halving, std::int64_t epochs) {
  std::vector<std::int64_t> all;
  for (std::int64_t rung = halving.epochs; rung < epochs;) {
    all.push_back(rung);
    if (__builtin_mul_overflow(rung, halving.factor, &rung)) break;
  }
  all.push_back(epochs);
  return all;
}

std::size_t promoted(const StudySettings::Halving& halving, std::size_t competing) {
  return std::max<std::size_t>(1, competing / static_cast<std::size_t>(halving.factor));
}

std::vector<std::int64_t> halving_goals(const StudySettings::Halving& halving, std::int64_t epochs,
                                        const std::vector<RunRecord>& runs, const FigureAt& at) {
  std::vector<std::int64_t> goals(runs.size());
  std::vector<Competitor> competing = competitors(runs);
  for (const std::int64_t rung : rungs(halving, epochs)) {
    bool complete = true;
    for (const Competitor& one : competing) {
      for (const std::size_t run : one.runs) goals[run] = rung;
      complete = complete && one.reached(runs, rung);
    }
    if (!complete || rung == epochs) break;
    std::vector<double> scores;
    for (const Competitor& one : competing) scores.push_back(one.score(halving, runs, rung, at));
    std::vector<std::size_t> order(competing.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    order.resize(promoted(halving, competing.size()));
    std::sort(order.begin(), order.end());
    std::vector<Competitor> next;
    for (const std::size_t place : order) next.push_back(std::move(competing[place]));
    competing = std::move(next);
  }
  return goals;
}

}  // namespace strata::app
