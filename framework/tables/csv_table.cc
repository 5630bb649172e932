// One pass over the bytes.
#include "framework/tables/csv_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

namespace strata {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// What is wrong, on its way out of the reader.
struct Damage {
  Error error;
};

class Reader {
 public:
  Reader(const std::string& path, std::string_view bytes, char delimiter)
      : path_(path), bytes_(bytes), delimiter_(delimiter) {}

  bool at_end() const { return at_ == bytes_.size(); }
  std::int64_t line() const { return line_; }

  // One record, over several lines where a quoted field has line breaks.
  std::vector<std::string> record() {
    std::vector<std::string> fields;
    for (;;) {
      fields.push_back(field());
      if (at_end()) return fields;
      const char c = bytes_[at_++];
      if (c == delimiter_) continue;
      if (c == '\r' && !at_end() && bytes_[at_] == '\n') ++at_;
      ++line_;
      return fields;
    }
  }

  [[noreturn]] void fail(std::int64_t line, const std::string& fact) const {
    throw Damage{make_error(ExitCode::kData, "{}:{}: {}", path_, line, fact)};
  }

 private:
  bool ends_field() const {
    return at_end() || bytes_[at_] == delimiter_ || bytes_[at_] == '\n' ||
           (bytes_[at_] == '\r' && at_ + 1 < bytes_.size() && bytes_[at_ + 1] == '\n');
  }

  std::string field() {
    if (at_end() || bytes_[at_] != '"') {
      const std::size_t begin = at_;
      while (!ends_field()) ++at_;
      return std::string(trimmed(bytes_.substr(begin, at_ - begin)));
    }
    const std::int64_t opened = line_;
    std::string value;
    for (++at_;; ++at_) {
      if (at_end()) fail(opened, "a quoted field begins here and does not end");
      if (bytes_[at_] == '"') {
        ++at_;
        if (at_end() || bytes_[at_] != '"') break;
      }
      line_ += bytes_[at_] == '\n';
      value += bytes_[at_];
    }
    if (!ends_field()) fail(line_, "there is text after the closing quote of a field");
    return value;
  }

  const std::string& path_;
  const std::string_view bytes_;
  const char delimiter_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
};

}  // namespace

namespace {

constexpr std::string_view kMark = "\xef\xbb\xbf";  // UTF-8's

CsvTable read(const std::string& path, std::string_view content, char delimiter, bool header) {
  Reader reader(path, content, delimiter);
  CsvTable table{path, {}, {}, {}};
  while (!reader.at_end()) {
    const std::int64_t line = reader.line();
    std::vector<std::string> fields = reader.record();
    if (fields.size() == 1 && fields[0].empty()) continue;  // an empty line
    if (table.names.empty()) {
      if (header) {
        table.names = std::move(fields);
        const std::set<std::string> unique(table.names.begin(), table.names.end());
        if (unique.size() != table.names.size()) {
          auto sorted = table.names;
          std::sort(sorted.begin(), sorted.end());
          const std::string& twice = *std::adjacent_find(sorted.begin(), sorted.end());
          reader.fail(line, twice.empty() ? "two columns have no name"
                                          : fmt::format("two columns are called `{}`", twice));
        }
        continue;
      }
      for (std::size_t i = 0; i < fields.size(); ++i)
        table.names.push_back(fmt::format("column_{}", i));
    }
    if (fields.size() != table.names.size()) {
      reader.fail(line, fmt::format("the line has {} {}, and the first one has {}", fields.size(),
                                    fields.size() == 1 ? "field" : "fields", table.names.size()));
    }
    table.rows.push_back(std::move(fields));
    table.lines.push_back(line);
  }
  return table;
}

}  // namespace

Result<CsvTable> parse_csv_table(const std::string& path, std::string_view content, char delimiter,
                                 bool header) {
  if (content.find('\0') != std::string_view::npos)
    return make_error(ExitCode::kData, "{} is not a text file: it has bytes of value 0", path);
  if (content.starts_with(kMark)) content.remove_prefix(kMark.size());
  try {
    CsvTable table = read(path, content, delimiter, header);
    if (table.rows.empty()) return make_error(ExitCode::kData, "{} has no rows of data", path);
    return table;
  } catch (const Damage& damage) {
    return damage.error;
  }
}

std::vector<std::string> first_csv_record(std::string_view content, char delimiter) {
  if (content.starts_with(kMark)) content.remove_prefix(kMark.size());
  try {
    const std::string unnamed;
    for (Reader reader(unnamed, content, delimiter); !reader.at_end();) {
      std::vector<std::string> fields = reader.record();
      if (fields.size() > 1 || !fields[0].empty()) return fields;
    }
  } catch (const Damage&) {
  }
  return {};
}

std::optional<double> parse_number(std::string_view field) {
  field = trimmed(field);
  if (field.substr(0, 1) == "+") field.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || end != field.data() + field.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

}  // namespace strata
