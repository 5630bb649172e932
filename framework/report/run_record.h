// A run as its folder tells it: the resolved model, what the log says of its start, epochs and end.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/report/resolved_settings.h"

namespace strata::report {

struct EpochRecord {
  std::int64_t epoch = 0;
  std::int64_t step = 0;  // updates done when it ended
  double seconds = 0;     // of this epoch's training
  double elapsed = 0;     // of this and all epochs before it
  double learning_rate = 0;
  double samples_per_second = 0;
  std::map<std::string, double> figures;  // "val.accuracy"; NaN where the log has null

  // NaN where there is none.
  double figure(const std::string& name) const {
    const auto at = figures.find(name);
    return at == figures.end() ? std::numeric_limits<double>::quiet_NaN() : at->second;
  }
};

struct RunRecord {
  std::string path;  // as it was named
  std::string name;  // short, and different from all other runs of the comparison: "spirals/1"
  std::string text;  // model.model
  std::vector<Setting> settings;  // of `text`
  nlohmann::ordered_json facts;   // the "start" event, an object
  std::vector<EpochRecord> epochs;
  std::vector<std::string> figures;  // names of figures in the log's order
  std::string status;                // "done"; "unfinished" where the log has no end
  std::string reason;                // why a run was done early, or what went wrong
  std::string weights_hash;          // SHA-256 of the last weights, empty where unknown
  std::int64_t best_epoch = 0;       // by the run's own monitor; 0 where there is none
  double seconds = 0;                // of the whole run; of its epochs where it did not end
  int resumed = 0;                   // how often
  int damaged_lines = 0;             // of the log, left out

  const EpochRecord* best() const;          // null before the first epoch
  std::string fact(const char* key) const;  // as text, empty where there is none
  std::string seed() const { return fact("seed"); }
};

// All runs below these folders, in natural order ("2" before "10"): a folder is a run, or holds
// runs at any depth. The same run twice counts once. Fails where a folder holds no run, or a run
// cannot be read.
Result<std::vector<RunRecord>> read_runs(const std::vector<std::string>& folders);

// One run folder; `name` is left empty.
Result<RunRecord> read_run(const std::string& folder);

}  // namespace strata::report
