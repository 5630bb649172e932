// Tables in text files: fields parted by a delimiter, quoted where they hold one (RFC 4180), lines
// that end in LF or CR LF.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/error.h"

namespace strata {

struct CsvTable {
  std::string path;
  std::vector<std::string> names;              // of the columns
  std::vector<std::vector<std::string>> rows;  // each with a field for every column
  std::vector<std::int64_t> lines;             // where each row begins, from 1
};

// Without a header, columns are called column_0 and so on. `path` is for messages, which name it
// and the line (ExitCode::kData).
Result<CsvTable> parse_csv_table(const std::string& path, std::string_view content, char delimiter,
                                 bool header);

// The fields of the first line that is not empty; none where it is damaged.
std::vector<std::string> first_csv_record(std::string_view content, char delimiter);

// A finite number and nothing else, blanks around it aside.
std::optional<double> parse_number(std::string_view field);

}  // namespace strata
