// What a run folder has beside its log: predictions.json and figures.json.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/report/run_record.h"

namespace strata::report {

// Nothing where the run has none, or what is there is no record at all; `damaged` becomes true
// where parts were left out. Whatever wrote it, only short data URIs of PNGs come through as
// images.
std::optional<PredictionRecord> read_predictions(const std::string& folder, bool& damaged);

// figures.json, {"gap.loss": 0.1, "peak_memory": 1e8}: what a study measured of the run when it had
// ended. Empty where there is none, or it is damaged.
std::map<std::string, double> read_measured(const std::string& folder, bool& damaged);
Status write_measured(const std::string& folder, const std::map<std::string, double>& figures);

// Figures of a ConfusionMatrix metric ("val.confusion_0_1") are cells of a matrix.
bool is_confusion_cell(const std::string& figure);
// The matrix from such figures whose names begin with `split`; empty where there are none.
std::vector<std::vector<double>> confusion_of(const std::map<std::string, double>& figures,
                                              std::string_view split);

}  // namespace strata::report
