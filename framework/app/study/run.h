// One run of a study, in its own process: the file with the run's overrides, trained as `trainer
// train` would.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "framework/app/study/database.h"
#include "framework/plugin/registry.h"

namespace strata::app {

struct RunOfFile {
  std::string file, text;
  std::vector<std::string> overrides;
  std::string folder;
  bool begun = false;  // before: goes on with what the folder holds
  const Registry* registry = nullptr;
  const std::atomic<bool>* stop = nullptr;
  std::int64_t pause_after = 0;      // epochs, after which it is "paused"; 0: never
  std::vector<std::string> reports;  // figures, some of which are measured when it has ended
  std::optional<double> target;      // of the monitored figure
  double memory = 0;                 // bytes, the most that earlier processes of the run had
};

// The lines of a run's metrics.jsonl; none where it cannot be read.
std::vector<std::string> log_lines(const std::string& folder);

// Trains, measures, writes the run's page, and gives the result as text for read_result. Says
// "epoch/epochs" as they pass.
std::string train_run(const RunOfFile& run, int threads,
                      const std::function<void(const std::string&)>& say);

// A run that was paused does not go on: its log and its page say so.
void note_stopped(const std::string& folder);

// Fills in what the run has come to. False where the text is no result.
bool read_result(const std::string& text, RunRecord& run);

// Seconds that a whole run would take, from some steps of it in a folder that is gone afterwards;
// as text. Of an unsound run: empty.
std::string probe_run(const RunOfFile& run, int threads);

}  // namespace strata::app
