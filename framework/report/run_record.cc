// Finding run folders, and reading them.
#include "framework/report/run_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include "framework/base/atomic_file.h"
#include "framework/base/utf8.h"
#include "framework/report/log_events.h"
#include "framework/report/markup.h"
#include "framework/report/predictions.h"

namespace strata::report {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kDeepest = 6;  // folders between an argument and a run

bool is_run(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / "metrics.jsonl", ignored);
}

// Numbers in names count as numbers.
bool natural_less(const std::string& a, const std::string& b) {
  std::size_t i = 0, j = 0;
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  while (i < a.size() && j < b.size()) {
    if (digit(a[i]) && digit(b[j])) {
      const std::size_t a_begin = i, b_begin = j;
      while (i < a.size() && digit(a[i])) ++i;
      while (j < b.size() && digit(b[j])) ++j;
      std::string x = a.substr(a_begin, i - a_begin), y = b.substr(b_begin, j - b_begin);
      x.erase(0, std::min(x.find_first_not_of('0'), x.size() - 1));
      y.erase(0, std::min(y.find_first_not_of('0'), y.size() - 1));
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else if (a[i] != b[j]) {
      return a[i] < b[j];
    } else {
      ++i, ++j;
    }
  }
  return a.size() - i < b.size() - j;
}

void find_runs(const fs::path& folder, int depth, std::vector<std::string>& found) {
  if (is_run(folder)) {
    found.push_back(folder.string());
    return;
  }
  if (depth == 0) return;
  std::vector<std::string> children;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    std::error_code ignored;
    if (entry.is_directory(ignored)) children.push_back(entry.path().string());
  }
  std::sort(children.begin(), children.end(), natural_less);
  for (const std::string& child : children) find_runs(child, depth - 1, found);
}

// "/a/runs/spirals/1" and "/a/runs/spirals/2" are called spirals/1 and spirals/2.
void name_runs(std::vector<RunRecord>& runs) {
  std::vector<std::vector<std::string>> parts;
  for (const RunRecord& run : runs) {
    std::vector<std::string>& steps = parts.emplace_back();
    std::error_code failed;
    const fs::path whole = fs::weakly_canonical(run.path, failed);
    for (const fs::path& step : failed ? fs::path(run.path) : whole)
      if (!step.empty()) steps.push_back(step.string());
  }
  std::size_t longest = 0;
  for (const auto& steps : parts) longest = std::max(longest, steps.size());
  std::vector<std::string> names(runs.size());
  for (std::size_t count = 2; count <= std::max<std::size_t>(longest, 2); ++count) {
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const std::size_t from = parts[i].size() - std::min(count, parts[i].size());
      names[i].clear();
      for (std::size_t k = from; k < parts[i].size(); ++k)
        names[i] += (k > from && names[i] != "/" ? "/" : "") + parts[i][k];
    }
    if (std::set<std::string>(names.begin(), names.end()).size() == names.size()) break;
  }
  for (std::size_t i = 0; i < runs.size(); ++i) runs[i].name = names[i];
}

}  // namespace

const EpochRecord* RunRecord::best() const {
  if (epochs.empty()) return nullptr;
  for (const EpochRecord& epoch : epochs)
    if (epoch.epoch == best_epoch) return &epoch;
  return &epochs.back();
}

std::string RunRecord::fact(const char* key) const {
  const auto at = facts.find(key);
  return at == facts.end() ? "" : fact_text(*at);
}

Result<RunRecord> read_run(const std::string& folder) {
  RunRecord run;
  run.path = folder;
  run.facts = Json::object();
  auto text = read_ordinary_file(folder + "/model.model");
  const auto log = read_ordinary_file(folder + "/metrics.jsonl");
  if (!log) return log.error();
  if (text) run.text = std::move(*text);
  if (run.text.empty()) run.flaws.push_back("has no model.model: its settings are unknown");
  run.settings = settings_of(run.text);
  run.status = "unfinished";
  std::istringstream lines(*log);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    const Json event = Json::parse(line, nullptr, false);
    if (event.is_object()) {
      read_event(event, run);
    } else {
      ++run.damaged_lines;
    }
  }
  finish_events(run);
  bool damaged = false;
  run.predictions = read_predictions(folder, damaged);
  if (damaged) run.flaws.push_back("has a damaged predictions.json");
  damaged = false;
  run.measured = read_measured(folder, damaged);
  if (damaged) run.flaws.push_back("has a damaged figures.json");
  return run;
}

std::string runs_mark(const std::vector<std::string>& folders) {
  std::vector<std::string> found;
  for (const std::string& folder : folders) find_runs(folder, kDeepest, found);
  std::uint64_t hash = 14695981039346656037u;  // FNV-1a
  const auto add = [&](std::string_view bytes) {
    for (const char c : bytes) hash = (hash ^ static_cast<std::uint8_t>(c)) * 1099511628211u;
  };
  for (const std::string& path : found) {
    add(path);
    for (const char* file : {"/metrics.jsonl", "/predictions.json"}) {
      std::error_code failed;
      const auto size = fs::file_size(path + file, failed);
      const auto time = fs::last_write_time(path + file, failed);
      if (!failed)
        add(std::to_string(size) + " " + std::to_string(time.time_since_epoch().count()));
    }
  }
  return fmt::format("{:016x}", hash);
}

Result<std::vector<RunRecord>> read_runs(const std::vector<std::string>& folders) {
  std::vector<RunRecord> runs;
  std::set<std::string> seen;
  for (const std::string& folder : folders) {
    std::error_code failed;
    if (!fs::is_directory(folder, failed)) {
      Error error = make_error(ExitCode::kUsage, "there is no run folder `{}`", safe_text(folder));
      error.hint = "`trainer train` makes them, below runs/ by default";
      return error;
    }
    std::vector<std::string> found;
    find_runs(folder, kDeepest, found);
    if (found.empty())
      return make_error(ExitCode::kUsage, "the folder `{}` holds no run: no metrics.jsonl",
                        safe_text(folder));
    for (const std::string& path : found) {
      const fs::path whole = fs::canonical(path, failed);
      if (!seen.insert(failed ? path : whole.string()).second) continue;
      auto run = read_run(path);
      if (!run) return run.error();
      runs.push_back(std::move(*run));
    }
  }
  name_runs(runs);
  return runs;
}

}  // namespace strata::report
