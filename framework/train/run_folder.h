// The folder that a run writes: runs/<model>/<number>/ with model.model, metrics.jsonl,
// checkpoints/.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "framework/base/error.h"
#include "framework/train/training.h"

namespace strata {

class RunFolder {
 public:
  // Makes the next number under runs_folder/model; two processes never get the same one.
  static Result<RunFolder> make(const std::string& runs_folder, const std::string& model);
  // Exactly this folder, which must not hold a run yet.
  static Result<RunFolder> make_exactly(const std::string& path);
  // A run that is there already, to go on with.
  static Result<RunFolder> existing(std::string path);

  // Sees to it that the folder is still there: one that is gone is made again, empty, and `made`
  // says so. Fails where that cannot be, or another folder has taken its place.
  Status ensure(bool& made);
  // Where the run comes to nothing before its first step: removes what was made for it.
  void abandon() const;

  const std::string& path() const { return path_; }
  std::string checkpoints() const { return path_ + "/checkpoints"; }
  std::string model_file() const { return path_ + "/model.model"; }
  std::string metrics_file() const { return path_ + "/metrics.jsonl"; }

 private:
  explicit RunFolder(std::string path) : path_(std::move(path)) {}
  // Takes the folder for this process until the object goes; another process that writes to it is
  // refused.
  Status claim();

  std::string path_;
  bool made_ = false;  // by this process
  int folder_ = -1;    // open while lock_ lives
  std::shared_ptr<void> lock_;
};

// metrics.jsonl, one event a line. A line that cannot be written is kept and written with the next
// one, and where the file is gone all of it is written anew.
class MetricsLog {
 public:
  // Starts the log; after a resume the lines of finished epochs before `first_epoch` and of single
  // steps up to `last_step` are kept and later ones dropped.
  static Result<MetricsLog> open(const std::string& path, std::int64_t first_epoch,
                                 std::int64_t last_step);

  Status start(const RunFacts& facts, const std::string& version);
  Status epoch(const EpochReport& report);
  Status step(const StepRecord& record);
  Status end(const EndReport& report, const std::string& weights_hash);
  // Writes the whole log again, as it stands in memory.
  Status rewrite();
  bool complete() const { return !behind_; }  // whether the file has every line

 private:
  explicit MetricsLog(std::string path) : path_(std::move(path)) {}
  Status append(const std::string& line);
  std::string path_;
  std::string text_;
  bool behind_ = false;
  bool resumed_ = false;
};

// What the log of a run says of its beginning and its end; empty where it says nothing.
struct LogFacts {
  std::string init_file, start_hash;
  std::string status;  // of the last line, where that is an "end": "done"
};
LogFacts read_log(const std::string& path);

}  // namespace strata
