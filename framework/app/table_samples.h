// Samples for prediction from tables such as a model was trained on: columns by name, words among
// them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/app/sample_files.h"
#include "framework/graph/program.h"
#include "framework/tables/feature_name.h"

namespace strata::app {

// How the model's features follow from the columns of a table.
struct TableFormat {
  std::vector<FeatureName> features;  // in the model's order
  char delimiter = ',';
  bool header = true;
  bool fills_words = false;  // whether a missing word is none of them, or an error
  std::vector<std::string> missing_values;
};

// By the names that the model's input has in the program's data; nullopt where they are no table.
std::optional<TableFormat> table_format(const Program& program);

// The samples of a table. Nullopt where the text names none of the columns, so that it may be rows
// of numbers in the features' order. ExitCode::kData where a column is missing, a word is not known
// or a value is missing that the model was not trained without.
Result<std::optional<Samples>> parse_table(const std::string& name, std::string_view content,
                                           const TableFormat& format);

// "its columns are `island` and `sex`", for rows that are none.
std::string columns_hint(const TableFormat& format);

}  // namespace strata::app
