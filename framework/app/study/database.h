// The results of studies: one SQLite file beside the run folders, written by the process that runs
// a study and by nobody else. A study is known by its model's name and its own; its runs are rows
// from the beginning, so that what is still to do can be read from the file alone.
//
// Functions throw Failure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/graph/study.h"
#include "framework/train/training.h"

namespace strata::app {

// "halving by val.accuracy, factor 3, from epoch 1", or "no halving".
std::string halving_text(const std::optional<StudySettings::Halving>& halving);

struct StudyRecord {
  std::int64_t id = 0;
  std::string model, name;
  std::string resolved;                // the file as it was, with the command line's overrides
  std::vector<std::string> overrides;  // of the command line
  std::vector<std::string> paths;      // that vary, axis by axis
  std::vector<std::string> reports;    // figures
  std::optional<double> target;        // of the monitored figure
  std::optional<StudySettings::Halving> halving;
};

// What became of a run. Planned, running, interrupted and paused ones are still to do: "running" is
// what a killed process leaves, and with successive halving a run is "paused" until it is decided
// whether its combination goes on, and "stopped" where it does not.
inline constexpr const char *kPlanned = "planned", *kRunning = "running",
                            *kInterrupted = "interrupted", *kPaused = "paused", *kDone = "done",
                            *kStopped = "stopped", *kDiverged = "diverged", *kFailed = "failed";

struct RunRecord {
  std::int64_t id = 0;
  std::int64_t number = 0;          // from 1, in the order in which runs begin
  std::vector<std::string> values;  // of StudyRecord::paths, as text of the language
  std::int64_t seed = 0;
  std::string status = kPlanned;
  std::string message;  // what stopped it
  std::string folder;
  double seconds = 0;  // of training and validation, over all its processes
  double memory = 0;   // bytes, the largest of its last process
  std::int64_t epochs = 0, best_epoch = 0;
  std::string weights_sha256;
  NamedFigures last, best;  // of the last and the best epoch; a number may be NaN

  bool to_do() const {
    return status == kPlanned || status == kRunning || status == kInterrupted || status == kPaused;
  }
};

class StudyDatabase {
 public:
  // Makes the file where there is none.
  explicit StudyDatabase(const std::string& path);
  ~StudyDatabase();
  StudyDatabase(const StudyDatabase&) = delete;
  StudyDatabase& operator=(const StudyDatabase&) = delete;

  std::optional<StudyRecord> find(const std::string& model, const std::string& name);
  // Adds a study with its runs, in one step; fills in the ids.
  void add(StudyRecord& study, std::vector<RunRecord>& runs);
  // Adds runs to a study that is there; likewise.
  void add_runs(const StudyRecord& study, std::vector<RunRecord>& runs);
  std::vector<RunRecord> runs(std::int64_t study);  // by number

  const std::string& path() const;

  void set_status(const RunRecord& run);
  // A figure after so many epochs, or after the last one before; NaN where there is none.
  double figure_at(std::int64_t run, std::int64_t epochs, const std::string& figure);
  // What a run has come to. `epochs` are the lines of its log (metrics.jsonl), "epoch" events
  // alone.
  void update(const RunRecord& run, const std::vector<std::string>& epochs);

 private:
  struct Handle;
  void add_runs_inside(const StudyRecord& study, std::vector<RunRecord>& runs);

  std::unique_ptr<Handle> handle_;
};

}  // namespace strata::app
