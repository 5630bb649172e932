// Two runs compared: what went into them, and where their results part.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/report/run_record.h"

namespace strata::report {

struct ChangedValue {
  std::string what;  // "train.batch_size", "threads"
  std::string first, second;
};

// The first epoch after which the runs' figures are not all equal.
struct Parting {
  std::int64_t epoch = 0;
  std::int64_t equal_until = 0;                  // the last step after which all figures were equal
  std::int64_t first_step = 0, second_step = 0;  // at the end of `epoch`
  std::vector<ChangedValue> figures;             // those that differ there, all digits
};

// The first step that both runs noted (train.log_steps) whose loss or weights are not the same
// bits.
struct StepParting {
  std::int64_t step = 0;                // 0: there is none
  std::int64_t equal_until = 0;         // the last noted step before it
  std::int64_t compared = 0;            // steps that both noted
  std::string first_loss, second_loss;  // all digits; empty where the weights alone differ
};

struct RunDifference {
  // Settings of the file by what they belong to; facts of the log's start.
  std::vector<ChangedValue> file, data, seed, plugins, environment;
  std::int64_t common_epochs = 0;  // that both have
  bool parted = false;
  Parting parting;
  StepParting steps;
  std::string first_start, second_start;      // SHA-256 of the starting weights; may be empty
  std::string first_weights, second_weights;  // of the last; may be empty
  std::vector<ChangedValue> outcome;          // status, epochs, best epoch

  bool same_input() const {
    return file.empty() && data.empty() && seed.empty() && plugins.empty() && environment.empty();
  }
};

RunDifference difference_of(const RunRecord& first, const RunRecord& second);

// For a terminal, and for programs.
std::string difference_text(const RunRecord& first, const RunRecord& second,
                            const RunDifference& found);
std::string difference_json(const RunRecord& first, const RunRecord& second,
                            const RunDifference& found);

}  // namespace strata::report
