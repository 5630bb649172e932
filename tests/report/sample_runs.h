// Run folders as training writes them, made up.
#pragma once

#include <string>
#include <vector>

#include "framework/report/run_record.h"

namespace strata::testing {

struct SampleRun {
  int seed = 1;
  int batch_size = 50;
  double lr = 0.01;
  int epochs = 10;
  bool ends = true;            // whether the log has its last line
  std::string norm = "batch";  // a param that switches a layer
  std::string optimizer = "";  // instead of Adam(lr = …)
  std::string model = "spirals";
  double shift = 0;                   // added to all losses from epoch 5 on
  int log_steps = 0, statistics = 0;  // every so many steps; 0: never
  int flip_at = 0;                    // a step whose loss differs in its last bit
  std::string noted = "";             // more lines of the train section
  bool predictions = false;           // whether it has predictions.json
};

std::string model_text(const SampleRun& run);
std::string log_text(const SampleRun& run);
std::string predictions_text();

// A fresh folder of this test process.
std::string fresh_folder();
void write_run(const std::string& folder, const SampleRun& run);

// Writes them below one folder, numbered from 1, and reads them back.
std::vector<report::RunRecord> sample_runs(const std::vector<SampleRun>& runs);

// `seeds` runs for every combination.
std::vector<SampleRun> sample_grid(const std::vector<int>& batch_sizes,
                                   const std::vector<double>& rates, int seeds, int epochs);

}  // namespace strata::testing
