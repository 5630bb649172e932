#include "framework/app/table_samples.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/base/text.h"
#include "framework/base/utf8.h"
#include "framework/graph/suggest.h"
#include "framework/tables/csv_table.h"
#include "framework/train/prediction.h"

namespace strata::app {
namespace {

using Names = std::vector<std::string>;

template <class T>
const T* option(const PluginCall& call, std::string_view name) {
  const OptionValue* value = call.option(name);
  return value ? std::get_if<T>(&value->data) : nullptr;
}

// Of the features, each once.
Names columns_of(const TableFormat& format) {
  Names columns;
  for (const FeatureName& feature : format.features) {
    if (columns.empty() || columns.back() != feature.column) columns.push_back(feature.column);
  }
  return columns;
}

bool has(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Names shown(const Names& names) {
  Names out;
  for (const std::string& name : names) out.push_back(safe_text(name));
  return out;
}

// A row of a table whose columns are known to be there.
class RowReader {
 public:
  RowReader(const CsvTable& table, const TableFormat& format) : table_(table), format_(format) {
    for (const FeatureName& feature : format.features) {
      const auto at = std::find(table.names.begin(), table.names.end(), feature.column);
      places_.push_back(static_cast<std::size_t>(at - table.names.begin()));
    }
  }

  Status read(std::size_t row, std::vector<double>& values) const {
    for (std::size_t f = 0; f < format_.features.size();) {
      const std::string& field = table_.rows[row][places_[f]];
      const bool missing = has(format_.missing_values, field);
      const Status done = format_.features[f].word ? words(row, f, field, missing, values)
                                                   : number(row, f++, field, missing, values);
      if (!done) return done;
    }
    return {};
  }

 private:
  template <class... Args>
  Error wrong(std::size_t row, fmt::format_string<Args...> format, Args&&... args) const {
    return make_error(ExitCode::kData, "{}:{}: {}", table_.path, table_.lines[row],
                      fmt::format(format, std::forward<Args>(args)...));
  }

  Status missing(std::size_t row, const std::string& column) const {
    Error error = wrong(row, "`{}` is missing", safe_text(column));
    error.hint =
        "the model was trained on rows without missing values; `missing = \"fill\"` of its data "
        "set would have told it what stands for them";
    return error;
  }

  Status number(std::size_t row, std::size_t f, const std::string& field, bool is_missing,
                std::vector<double>& values) const {
    const FeatureName& feature = format_.features[f];
    if (is_missing) {
      if (!feature.fill) return missing(row, feature.column);
      values.push_back(*feature.fill);
      return {};
    }
    const std::optional<double> value = parse_number(field);
    if (!value)
      return wrong(row, "`{}` is `{}`, and the model reads a number there",
                   safe_text(feature.column), safe_text(field));
    values.push_back(*value);
    return {};
  }

  // All features of a column of words, from the first on.
  Status words(std::size_t row, std::size_t& f, const std::string& field, bool is_missing,
               std::vector<double>& values) const {
    const std::string& column = format_.features[f].column;
    Names known;
    bool found = false;
    for (; f < format_.features.size() && format_.features[f].column == column; ++f) {
      known.push_back(*format_.features[f].word);
      values.push_back(known.back() == field);
      found = found || known.back() == field;
    }
    if (found || (is_missing && format_.fills_words)) return {};
    if (is_missing) return missing(row, column);
    Error error = wrong(row, "`{}` is `{}`, and the model knows {}", safe_text(column),
                        safe_text(field), graph::list_names(shown(known)));
    error.hint = graph::did_you_mean(safe_text(nearest_name(field, known)));
    return error;
  }

  const CsvTable& table_;
  const TableFormat& format_;
  std::vector<std::size_t> places_;  // of each feature's column
};

}  // namespace

std::optional<TableFormat> table_format(const Program& program) {
  const PluginCall& call = program.data.dataset->call();
  const DataDescription::FieldInfo& field = prediction_input(program);
  if (field.dtype != STRATA_REAL || field.class_names.empty() ||
      static_cast<std::int64_t>(field.class_names.size()) != field.shape.elements())
    return std::nullopt;
  TableFormat format;
  for (const std::string& name : field.class_names) {
    auto feature = parse_feature(name);
    if (!feature) return std::nullopt;
    format.features.push_back(std::move(*feature));
  }
  if (const auto* delimiter = option<std::string>(call, "delimiter");
      delimiter && delimiter->size() == 1)
    format.delimiter = (*delimiter)[0];
  if (const auto* header = option<bool>(call, "header")) format.header = *header;
  const auto* missing = option<std::string>(call, "missing");
  format.fills_words = missing && *missing == "fill";
  if (const auto* words = option<OptionValue::List>(call, "missing_values")) {
    for (const OptionValue& word : *words) {
      if (const auto* text = std::get_if<std::string>(&word.data))
        format.missing_values.push_back(*text);
    }
  }
  return format;
}

Result<std::optional<Samples>> parse_table(const std::string& name, std::string_view content,
                                           const TableFormat& format) {
  const Names wanted = columns_of(format);
  const Names first = first_csv_record(content, format.delimiter);
  const auto is_number = [](const std::string& cell) { return parse_number(cell).has_value(); };
  const auto is_wanted = [&](const std::string& cell) { return has(wanted, cell); };
  const bool other = format.header ? std::none_of(first.begin(), first.end(), is_wanted)
                                   : first.size() == format.features.size() &&
                                         std::all_of(first.begin(), first.end(), is_number);
  if (other) return std::optional<Samples>();
  const auto table = parse_csv_table(safe_text(name), content, format.delimiter, format.header);
  if (!table) return table.error();
  Names lacking;
  for (const std::string& column : wanted) {
    if (!has(table->names, column)) lacking.push_back(column);
  }
  if (!lacking.empty()) {
    Error error =
        make_error(ExitCode::kData, "{} has no {} {}, which the model reads", table->path,
                   lacking.size() == 1 ? "column" : "columns", graph::list_names(shown(lacking)));
    error.hint = "it has " + graph::list_names(shown(table->names), 20);
    return error;
  }
  Samples samples;
  samples.count = static_cast<std::int64_t>(table->rows.size());
  samples.shape = Shape{static_cast<std::int64_t>(format.features.size())};
  const RowReader reader(*table, format);
  for (std::size_t row = 0; row < table->rows.size(); ++row) {
    if (const Status done = reader.read(row, samples.values); !done) return done.error();
  }
  return std::optional(std::move(samples));
}

std::string columns_hint(const TableFormat& format) {
  const Names columns = columns_of(format);
  return fmt::format("the model also takes tables with {} {}{}",
                     columns.size() == 1 ? "the column" : "the columns",
                     graph::list_names(shown(columns)),
                     format.header ? ", which the first line has to name" : "");
}

}  // namespace strata::app
