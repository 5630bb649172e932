// A run as its folder tells it: the resolved model, what the log says of its start, epochs and end.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/report/resolved_settings.h"

namespace strata::report {

// What a run noted of a single step (train.log_steps).
struct StepRecord {
  std::int64_t epoch = 0, step = 0;
  double elapsed = 0;    // seconds of training up to it
  double loss = 0;       // NaN where the log has null
  std::string checksum;  // of weights and states after it
};

// Mean, standard deviation and share of zeros of one set of values; NaN where the log has none.
struct Moments {
  double mean = std::numeric_limits<double>::quiet_NaN(), deviation = mean, zeros = mean;
};

// What a run noted of a layer at one step (train.statistics).
struct LayerRecord {
  std::string layer, kind;
  Moments activation, gradient;
  struct Parameter {
    std::string name;
    Moments value, gradient;
  };
  std::vector<Parameter> parameters;
};
struct StatisticsRecord {
  std::int64_t epoch = 0, step = 0;
  std::vector<LayerRecord> layers;
};

// Seconds of a step that went to a layer, or to several that ran as one; medians.
struct LayerTime {
  std::string layers;
  double forward = 0, backward = 0, update = 0;
  double total() const { return forward + backward + update; }
};

// What predictions.json has: the validation samples at the best epoch.
struct PredictionRecord {
  struct Sample {
    std::int64_t sample = 0;
    double loss = 0;
    std::int64_t label = -1, predicted = -1;  // classes; -1 where there are none
    std::string image;                        // a data URI of a PNG; may be empty
  };
  std::string split;
  std::int64_t epoch = 0, samples = 0;
  std::vector<std::string> classes;
  std::vector<std::vector<std::int64_t>> confusion;  // [right class][predicted class]
  std::vector<Sample> worst;                         // the largest loss first

  std::string class_name(std::int64_t number) const;
};

struct EpochRecord {
  std::int64_t epoch = 0;
  std::int64_t step = 0;  // updates done when it ended
  double seconds = 0;     // of this epoch's training
  double elapsed = 0;     // of this and all epochs before it
  double learning_rate = 0;
  double samples_per_second = 0;
  std::string checksum;                   // of weights and states at its end; may be empty
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
  std::string text;  // model.model; empty where the folder has none
  std::vector<Setting> settings;  // of `text`
  nlohmann::ordered_json facts;   // the "start" event, an object
  std::vector<EpochRecord> epochs;
  std::vector<StepRecord> steps;
  std::vector<StatisticsRecord> statistics;
  std::vector<LayerTime> times;
  std::optional<PredictionRecord> predictions;
  // figures.json: what a study measured of the whole run, beside the figures of its epochs.
  std::map<std::string, double> measured;
  // Names of figures in the log's order, without the cells of a confusion matrix.
  std::vector<std::string> figures;
  std::string status;           // "done"; "unfinished" where the log has no end
  std::string reason;           // why a run was done early, or what went wrong
  std::string weights_hash;     // SHA-256 of the last weights, empty where unknown
  std::int64_t best_epoch = 0;  // by the run's own monitor; 0 where there is none
  double seconds = 0;           // of the whole run; of its epochs where it did not end
  int resumed = 0;              // how often
  int damaged_lines = 0;        // of the log, left out
  // What else could not be read: "has no model.model: its settings are unknown".
  std::vector<std::string> flaws;

  const EpochRecord* best() const;          // null before the first epoch
  std::string fact(const char* key) const;  // as text, empty where there is none
  std::string seed() const { return fact("seed"); }
};

// All runs below these folders, in natural order ("2" before "10"): a folder is a run, or holds
// runs at any depth. The same run twice counts once. Fails where a folder holds no run, or a run
// cannot be read.
Result<std::vector<RunRecord>> read_runs(const std::vector<std::string>& folders);

// Of all runs below these folders: changes when a log grows, or a run is new.
std::string runs_mark(const std::vector<std::string>& folders);

// One run folder; `name` is left empty.
Result<RunRecord> read_run(const std::string& folder);

}  // namespace strata::report
