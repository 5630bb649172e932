// Tables in text files: fields parted by a delimiter, quoted where they hold one (RFC 4180), lines
// that end in LF or CR LF. What is wrong is thrown as a data_error with the file and the line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace strata::plugins {

struct CsvTable {
  std::string path;
  std::vector<std::string> names;              // of the columns
  std::vector<std::vector<std::string>> rows;  // each with a field for every column
  std::vector<std::int64_t> lines;             // where each row begins, from 1
};

// Without a header, columns are called column_0 and so on.
CsvTable read_csv(const std::string& path, char delimiter, bool header);

// A finite number and nothing else, blanks around it aside.
std::optional<double> parse_number(std::string_view field);

}  // namespace strata::plugins
