// Expansion of studies into runs.
#include "framework/app/study/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "framework/train/differences.h"

namespace strata::app {
namespace {

constexpr const char* kSeed = "train.seed";

std::vector<std::string> values_of(const Study& study, const std::vector<int>& run) {
  std::vector<std::string> values;
  for (std::size_t a = 0; a < study.axes.size(); ++a) {
    const auto& point = study.axes[a].values[static_cast<std::size_t>(run[a])];
    values.insert(values.end(), point.begin(), point.end());
  }
  return values;
}

bool varies_seed(const std::vector<std::string>& paths) {
  return std::find(paths.begin(), paths.end(), kSeed) != paths.end();
}

// Whether runs stay comparable: where data lie and how often is saved changes no figure.
bool harmless(const Difference& difference) {
  return difference.allowed && (difference.setting.empty() || difference.setting == "allow" ||
                                difference.setting.starts_with("checkpoint_"));
}

using Key = std::pair<std::vector<std::string>, std::int64_t>;

}  // namespace

std::vector<std::string> study_paths(const Study& study) {
  std::vector<std::string> paths;
  for (const StudyAxis& axis : study.axes)
    paths.insert(paths.end(), axis.paths.begin(), axis.paths.end());
  return paths;
}

std::vector<RunRecord> plan_runs(const Study& study, const std::vector<std::string>& overrides,
                                 const std::string& folder) {
  const std::vector<std::string> paths = study_paths(study);
  for (const std::string& path : paths) {
    for (const std::string& given : overrides) {
      if (given.substr(0, given.find('=')) != path) continue;
      throw Failure{Error{
          ExitCode::kUsage,
          fmt::format("the study `{}` varies {}, and the command line sets it", study.name, path),
          fmt::format("leave `{}` out", given)}};
    }
  }
  if (varies_seed(paths) && study.seeds.size() > 1) {
    throw Failure{Error{ExitCode::kModel,
                        fmt::format("the study `{}` varies {} and has `seeds`, which sets the same",
                                    study.name, kSeed),
                        "leave one of them out"}};
  }
  std::vector<RunRecord> runs;
  std::set<Key> known;  // a value or a seed may be listed twice
  for (const std::int64_t seed : study.seeds) {
    for (const std::vector<int>& combination : study.runs) {
      RunRecord run;
      run.values = values_of(study, combination);
      run.seed = seed;
      if (!known.emplace(run.values, seed).second) continue;
      run.number = static_cast<std::int64_t>(runs.size()) + 1;
      run.folder = fmt::format("{}/{}", folder, run.number);
      runs.push_back(std::move(run));
    }
  }
  return runs;
}

std::vector<std::string> overrides_of(const StudyRecord& study, const RunRecord& run) {
  std::vector<std::string> all;
  // The study's seeds already follow on the command line's.
  for (const std::string& given : study.overrides) {
    if (varies_seed(study.paths) || !given.starts_with(std::string(kSeed) + "="))
      all.push_back(given);
  }
  for (std::size_t i = 0; i < study.paths.size() && i < run.values.size(); ++i)
    all.push_back(study.paths[i] + "=" + run.values[i]);
  if (!varies_seed(study.paths)) all.push_back(fmt::format("{}={}", kSeed, run.seed));
  return all;
}

std::string run_label(const StudyRecord& study, const RunRecord& run) {
  std::string label;
  for (std::size_t i = 0; i < study.paths.size() && i < run.values.size(); ++i)
    label += fmt::format("{}{} = {}", i ? ", " : "", study.paths[i], run.values[i]);
  return varies_seed(study.paths) ? label : label + fmt::format(", seed {}", run.seed);
}

std::vector<RunRecord> runs_to_resume(StudyDatabase& database, const StudyRecord& known,
                                      const Program& program, std::vector<RunRecord> planned) {
  std::string changes;
  for (const Difference& difference : differences(known.resolved, program)) {
    if (!harmless(difference)) changes += "\n  " + difference.text;
  }
  if (!changes.empty()) {
    throw Failure{
        Error{ExitCode::kUsage,
              fmt::format("the study `{}` cannot go on: the file has changed since it began",
                          known.name) +
                  changes,
              "take the changes back, or begin anew in another folder: --runs DIR"}};
  }
  std::vector<RunRecord> runs = database.runs(known.id);
  std::set<Key> had, wanted;
  std::int64_t last = 0;
  for (const RunRecord& run : runs) {
    had.emplace(run.values, run.seed);
    last = std::max(last, run.number);
  }
  std::vector<RunRecord> added;
  const std::string folder =
      planned.empty() ? "" : planned[0].folder.substr(0, planned[0].folder.rfind('/'));
  for (RunRecord& run : planned) {
    const Key key(run.values, run.seed);
    wanted.insert(key);
    if (had.contains(key)) continue;
    run.number = ++last;
    run.folder = fmt::format("{}/{}", folder, run.number);
    added.push_back(std::move(run));
  }
  if (!added.empty()) database.add_runs(known, added);
  // What the file no longer asks for stays where it is done.
  std::erase_if(runs, [&](const RunRecord& run) {
    return run.to_do() && !wanted.contains({run.values, run.seed});
  });
  runs.insert(runs.end(), added.begin(), added.end());
  return runs;
}

}  // namespace strata::app
