// Text for pages: escaping, CSV, data URIs, and numbers as people read them.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace strata::report {

// Safe between tags and in quoted attributes; what is no text of a page is a stand-in.
std::string html(std::string_view text);

// Rows of a CSV file (RFC 4180, lines end with \n).
std::string csv(const std::vector<std::vector<std::string>>& rows);

// "data:text/csv;charset=utf-8,…", safe in a quoted attribute.
std::string csv_uri(std::string_view text);

// A figure by its name: accuracies in percent, memory in MB, times in seconds or minutes, all else
// with four significant digits; "–" for NaN.
std::string figure_text(std::string_view name, double value);
// Mean and standard deviation in the same unit and precision: "96.50 ± 0.29 %".
std::string spread_text(std::string_view name, double mean, double deviation);
std::string figure_label(std::string_view name);  // "val.accuracy" → "val accuracy"
bool is_share(std::string_view name);             // shown in percent
bool is_memory(std::string_view name);            // bytes

std::string plain_number(double value);     // shortest of six digits, for CSV; empty for NaN
std::string duration_text(double seconds);  // "3.1 ms", "0.71 s", "3:05 min", "2:03:20 h"
std::string short_time(double seconds);     // of parts of a step: "12.3 µs", else as above
std::string count_text(std::int64_t number, std::string_view noun);  // "1 run", "2 runs"

// A value of the log on one line; long hashes cut to twelve digits.
std::string fact_text(const nlohmann::ordered_json& value);
std::string short_hash(const std::string& text);

}  // namespace strata::report
