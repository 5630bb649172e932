// CSV: a table in a text file (RFC 4180): numbers as they are, words as ones and zeros, and a
// column to predict.
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "framework/plugin/dataset.h"
#include "framework/tables/csv_table.h"
#include "framework/tables/feature_name.h"
#include "plugins/support/bytes.h"
#include "plugins/support/split.h"

namespace strata::plugins {
namespace {

using Names = std::vector<std::string>;

bool has(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

CsvTable read_csv(const std::string& path, char delimiter, bool header) {
  const std::vector<std::uint8_t> bytes = read_bytes(path, {});
  const std::string_view content(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return value_or_throw(parse_csv_table(path, content, delimiter, header));
}

class Csv final : public Dataset {
 public:
  struct Options {
    std::string path;
    std::string target;
    std::optional<std::string> val_path;
    double val = 0.2;
    std::int64_t seed = 0;
    bool header = true;
    std::string delimiter = ",";
    Names categorical;
    Names ignore;
    std::string missing = "error";
    Names missing_values = {"", "NA", "N/A", "nan", "NaN", "null", "?"};
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "A table in a text file: one sample a line, with a column to predict.\n"
            "Fields: features (real), and label (class numbers) where the target is words or is "
            "listed in `categorical`, else target (real, [1]). A column of numbers is one feature; "
            "a column of words, or one that is listed in `categorical`, has a feature for each "
            "word, 1 where it is there and 0 elsewhere. Words are in alphabetical order; a few "
            "words among numbers are an error. Splits: train and val, by a random share of the "
            "rows or from a file of their own. `predict` takes tables with these columns, in any "
            "order and with others besides, or rows of features as numbers alone.")
        .example("CSV(path = \"penguins.csv\", target = \"species\", missing = \"drop\")");
    schema.option("path", &Options::path).required().path().doc("the file");
    schema.option("target", &Options::target)
        .required()
        .doc("the column to predict; without a header, columns are column_0, column_1 and so on");
    schema.option("val_path", &Options::val_path)
        .path()
        .doc("a file with the rows to validate on; none: a share of the rows of `path`");
    describe_split(schema);
    schema.option("header", &Options::header).doc("whether the first line names the columns");
    schema.option("delimiter", &Options::delimiter).doc("what parts the fields: one character");
    schema.option("categorical", &Options::categorical)
        .doc("columns whose numbers are names of something, such as codes");
    schema.option("ignore", &Options::ignore).doc("columns to leave out");
    schema.option("missing", &Options::missing)
        .choices({"error", "drop", "fill"})
        .doc(
            "what to do where a value is missing: stop, leave the row out, or take the mean of the "
            "training rows (of words: none of them)");
    schema.option("missing_values", &Options::missing_values).doc("how a missing value is written");
    schema.hint_for("sep", "it is called `delimiter` here")
        .hint_for("label", "it is called `target` here")
        .hint_for("na_values", "they are called `missing_values` here");
  }

  explicit Csv(const Options& options) : options_(options) {
    if (options.delimiter.size() != 1 || options.delimiter == "\"" || options.delimiter == "\n") {
      throw PluginError(text("`delimiter` is one character, not `", options.delimiter, "`"),
                        "write \"\\t\" for a tab");
    }
  }

  // The columns are known by reading the file.
  DataPlan describe() { return open({}); }

  DataPlan open(const std::vector<std::string>&) {
    if (!loaded_) load();
    DataPlan plan;
    plan.field({"features", STRATA_REAL, {width_}, 0});
    // Checkpoints keep them: `predict` reads raw tables by them.
    constexpr std::int64_t kMostNamed = 100'000;
    if (width_ <= kMostNamed) plan.class_names("features", feature_names_);
    if (classes_.empty()) {
      plan.field({"target", STRATA_REAL, {1}, 0});
    } else {
      plan.field({"label", STRATA_I32, {}, static_cast<std::int64_t>(classes_.size())})
          .class_names("label", classes_);
    }
    plan.split("train", static_cast<std::int64_t>(splits_[0].size()));
    if (!splits_[1].empty()) plan.split("val", static_cast<std::int64_t>(splits_[1].size()));
    return plan;
  }

  void read(const ReadPass& pass) const {
    if (pass.real_dtype == STRATA_F32) {
      read_rows<float>(pass);
    } else {
      read_rows<double>(pass);
    }
  }

 private:
  struct Column {
    std::size_t index = 0;  // in the table
    bool words = false;
    Names names;  // of words
    double mean = 0;
  };

  bool is_missing(const std::string& field) const { return has(options_.missing_values, field); }

  void load() {
    CsvTable table = read_csv(options_.path, options_.delimiter[0], options_.header);
    std::size_t from_val = table.rows.size();
    if (options_.val_path) {
      CsvTable more = read_csv(*options_.val_path, options_.delimiter[0], options_.header);
      if (more.names != table.names) {
        throw data_error(text(more.path, " has other columns than ", table.path));
      }
      for (std::size_t i = 0; i < more.rows.size(); ++i) {
        table.rows.push_back(std::move(more.rows[i]));
        table.lines.push_back(more.lines[i]);
      }
    }
    check_names(table);
    drop_rows(table, from_val);
    const auto count = static_cast<std::int64_t>(table.rows.size());
    if (options_.val_path) {
      for (std::int64_t i = 0; i < count; ++i)
        splits_[i >= static_cast<std::int64_t>(from_val)].push_back(i);
    } else {
      random_split(count, options_.val, options_.seed, splits_);
    }
    if (splits_[0].empty()) throw data_error(text(options_.path, " leaves no rows to train on"));
    Column target;
    std::vector<Column> columns;
    for (std::size_t c = 0; c < table.names.size(); ++c) {
      if (has(options_.ignore, table.names[c])) continue;
      Column column = column_of(table, c, from_val);
      if (table.names[c] == options_.target) {
        target = std::move(column);
      } else {
        columns.push_back(std::move(column));
      }
    }
    if (columns.empty()) throw data_error(text(options_.path, " has no column besides the target"));
    encode(table, columns, target);
    loaded_ = true;
  }

  void check_names(const CsvTable& table) const {
    Names wanted = options_.categorical;
    wanted.insert(wanted.end(), options_.ignore.begin(), options_.ignore.end());
    wanted.push_back(options_.target);
    for (const std::string& name : wanted) {
      if (has(table.names, name)) continue;
      std::string all;
      for (const std::string& known : table.names) all += (all.empty() ? "`" : ", `") + known + "`";
      std::string hint = text("it has ", all);
      for (const char other : {';', '\t', '|', ','}) {
        if (table.names.size() > 1 || table.names[0].find(other) == std::string::npos) continue;
        hint += text("; is that several, with `delimiter = \"",
                     other == '\t' ? std::string("\\t") : std::string(1, other), "\"`?");
        break;
      }
      throw PluginError(text(table.path, " has no column `", name, "`"), hint);
    }
    if (has(options_.ignore, options_.target))
      throw PluginError(text("the target `", options_.target, "` is in `ignore`"));
  }

  std::string place(const CsvTable& table, std::size_t row, std::size_t from_val) const {
    return text(row < from_val ? table.path : *options_.val_path, ":", table.lines[row], ": ");
  }

  // Leaves rows with a missing value out, or refuses them.
  void drop_rows(CsvTable& table, std::size_t& from_val) const {
    std::size_t kept = 0, kept_before_val = 0;
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
      bool keep = true;
      for (std::size_t c = 0; keep && c < table.names.size(); ++c) {
        if (has(options_.ignore, table.names[c]) || !is_missing(table.rows[row][c])) continue;
        const bool fill = options_.missing == "fill" && table.names[c] != options_.target;
        if (fill) continue;
        if (options_.missing != "drop") {
          throw data_error(text(place(table, row, from_val), "`", table.names[c], "` is missing"),
                           "missing = \"drop\" leaves such rows out, and missing = \"fill\" fills "
                           "them in, but for the target");
        }
        keep = false;
      }
      if (!keep) continue;
      kept_before_val += row < from_val;
      if (kept != row) table.rows[kept] = std::move(table.rows[row]);
      table.lines[kept++] = table.lines[row];
    }
    table.rows.resize(kept);
    table.lines.resize(kept);
    from_val = kept_before_val;
  }

  Column column_of(const CsvTable& table, std::size_t index, std::size_t from_val) const {
    Column column;
    column.index = index;
    column.words = has(options_.categorical, table.names[index]);
    std::set<std::string> names;
    std::size_t numbers = 0, words = 0, first_word = 0;
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
      const std::string& field = table.rows[row][index];
      if (is_missing(field)) continue;
      names.insert(field);
      if (column.words || parse_number(field)) {
        ++numbers;
      } else if (++words == 1) {
        first_word = row;
      }
    }
    // One slip of the pen must not make thousands of features out of a column of numbers.
    if (words > 0 && numbers >= words) {
      throw data_error(
          text(place(table, first_word, from_val), "`", table.names[index], "` is `",
               table.rows[first_word][index], "`, and most values of the column are numbers"),
          "`missing_values` has the words for a missing value, and `categorical` the "
          "columns whose values are names");
    }
    column.words = column.words || words > 0;
    if (column.words) {
      constexpr std::size_t kMost = 10000;
      if (names.size() > kMost) {
        throw data_error(text("the column `", table.names[index], "` of ", table.path, " has ",
                              names.size(), " different words, and the most is ", kMost),
                         "`ignore` leaves columns such as names and numbers of orders out");
      }
      column.names.assign(names.begin(), names.end());
      return column;
    }
    double sum = 0, found = 0;
    for (const std::int64_t row : splits_[0]) {
      const std::string& field = table.rows[static_cast<std::size_t>(row)][index];
      if (is_missing(field)) continue;
      sum += *parse_number(field);
      ++found;
    }
    column.mean = found > 0 ? sum / found : 0;
    return column;
  }

  void encode(const CsvTable& table, const std::vector<Column>& columns, const Column& target) {
    width_ = 0;
    for (const Column& column : columns)
      width_ += column.words ? static_cast<std::int64_t>(column.names.size()) : 1;
    if (width_ == 0) throw data_error(text(table.path, " has no values besides the target"));
    constexpr std::int64_t kMostValues = std::int64_t{1} << 31;  // 16 GiB
    if (width_ > kMostValues / static_cast<std::int64_t>(table.rows.size())) {
      throw data_error(text(table.path, " has ", table.rows.size(), " rows of ", width_,
                            " features, and all values together may be ", kMostValues),
                       "columns of words have a feature for each word; `ignore` leaves them out");
    }
    for (const Column& column : columns) {
      features_of_.insert(features_of_.end(), column.words ? column.names.size() : 1,
                          table.names[column.index]);
    }
    for (const Column& column : columns) {
      const std::string& name = table.names[column.index];
      for (const std::string& word : column.names)
        feature_names_.push_back(print_feature({name, word, {}}));
      if (column.words) continue;
      const bool fill = options_.missing == "fill";
      feature_names_.push_back(
          print_feature({name, {}, fill ? std::optional(column.mean) : std::nullopt}));
    }
    classes_ = target.names;
    if (target.words && classes_.size() < 2) {
      throw data_error(text("the target `", options_.target, "` of ", table.path,
                            " is the same word in all rows"));
    }
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
      for (const Column& column : columns) {
        const std::string& field = table.rows[row][column.index];
        if (column.words) {
          for (const std::string& name : column.names) features_.push_back(name == field);
        } else {
          features_.push_back(is_missing(field) ? column.mean : *parse_number(field));
        }
      }
      const std::string& field = table.rows[row][target.index];
      if (target.words) {
        targets_.push_back(static_cast<double>(
            std::lower_bound(classes_.begin(), classes_.end(), field) - classes_.begin()));
      } else {
        targets_.push_back(*parse_number(field));
      }
    }
  }

  template <class T>
  static T in_range(double value, const std::string& column) {
    if (std::abs(value) <= static_cast<double>(std::numeric_limits<T>::max()))
      return static_cast<T>(value);
    throw data_error(text("`", column, "` has the value ", value, ", and f32 ends at 3.4e+38"),
                     "train with precision = \"f64\", or leave the column out with `ignore`");
  }

  template <class T>
  void read_rows(const ReadPass& pass) const {
    auto* features = static_cast<T*>(pass.fields[0]);
    for (std::int64_t i = 0; i < pass.count; ++i) {
      const std::int64_t row = splits_[pass.split][static_cast<std::size_t>(pass.indices[i])];
      const double* from = features_.data() + row * width_;
      for (std::int64_t f = 0; f < width_; ++f) {
        features[i * width_ + f] = in_range<T>(from[f], features_of_[static_cast<std::size_t>(f)]);
      }
      if (classes_.empty()) {
        static_cast<T*>(pass.fields[1])[i] =
            in_range<T>(targets_[static_cast<std::size_t>(row)], options_.target);
      } else {
        static_cast<std::int32_t*>(pass.fields[1])[i] =
            static_cast<std::int32_t>(targets_[static_cast<std::size_t>(row)]);
      }
    }
  }

  const Options options_;
  bool loaded_ = false;
  std::int64_t width_ = 0;
  Names features_of_;                    // the column of each feature
  Names feature_names_;                  // as feature_name.h has them
  Names classes_;                        // of a label; empty where the target is a number
  std::vector<double> features_;         // [rows, width]
  std::vector<double> targets_;          // [rows]: numbers, or classes
  std::vector<std::int64_t> splits_[2];  // rows of train and val
};

const DatasetRegistration<Csv> kRegistration{"CSV"};

}  // namespace
}  // namespace strata::plugins
