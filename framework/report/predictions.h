// predictions.json of a run folder.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/report/run_record.h"

namespace strata::report {

// Nothing where the run has none, or what is there is not sound: whatever wrote it, only short data
// URIs of PNGs come through as images.
std::optional<PredictionRecord> read_predictions(const std::string& folder);

// Figures of a ConfusionMatrix metric ("val.confusion_0_1") are cells of a matrix.
bool is_confusion_cell(const std::string& figure);
// The matrix from such figures whose names begin with `split`; empty where there are none.
std::vector<std::vector<double>> confusion_of(const std::map<std::string, double>& figures,
                                              std::string_view split);

}  // namespace strata::report
