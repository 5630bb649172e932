// Read with suspicion: the file may be of anybody.
#include "framework/report/predictions.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "framework/base/atomic_file.h"

namespace strata::report {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostClasses = 100, kMostSamples = 100, kLongestImage = 20000;
constexpr std::size_t kMostFigures = 60, kLongestName = 80;  // of figures.json
const char* const kMeasuredFile = "/figures.json";

std::int64_t integer(const Json& object, const char* key, std::int64_t otherwise) {
  const auto at = object.find(key);
  return at != object.end() && at->is_number_integer() ? at->get<std::int64_t>() : otherwise;
}

std::string image_of(const Json& object) {
  static const std::string kHead = "data:image/png;base64,";
  const auto at = object.find("image");
  if (at == object.end() || !at->is_string()) return {};
  const auto text = at->get<std::string>();
  const bool plain =
      text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=",
                             kHead.size()) == std::string::npos;
  return text.starts_with(kHead) && plain && text.size() <= kLongestImage ? text : "";
}

// Whether classes and matrix are absent or sound; a matrix that is only partly sound is left out
// whole, since it would show numbers in the wrong places.
bool read_matrix(const Json& found, PredictionRecord& out) {
  const auto names = found.find("classes"), matrix = found.find("confusion");
  if (names == found.end()) return matrix == found.end();
  if (!names->is_array() || names->size() > kMostClasses) return false;
  for (const Json& name : *names)
    out.classes.push_back(name.is_string() ? name.get<std::string>() : "?");
  if (matrix == found.end()) return true;
  if (!matrix->is_array() || names->size() != matrix->size()) return false;
  std::vector<std::vector<std::int64_t>> rows;
  for (const Json& row : *matrix) {
    if (!row.is_array() || row.size() != names->size()) return false;
    std::vector<std::int64_t>& counts = rows.emplace_back();
    for (const Json& count : row) {
      if (!count.is_number_integer() || count.get<std::int64_t>() < 0) return false;
      counts.push_back(count.get<std::int64_t>());
    }
  }
  out.confusion = std::move(rows);
  return true;
}

// "confusion_3_5" behind the split's name.
bool cell_of(const std::string& figure, int& row, int& column) {
  const std::size_t dot = figure.find('.');
  int end = 0;
  const char* name = figure.c_str() + (dot == std::string::npos ? 0 : dot + 1);
  return std::sscanf(name, "confusion_%d_%d%n", &row, &column, &end) == 2 && name[end] == '\0' &&
         row >= 0 && column >= 0 && row < static_cast<int>(kMostClasses) &&
         column < static_cast<int>(kMostClasses);
}

}  // namespace

std::string PredictionRecord::class_name(std::int64_t number) const {
  return number >= 0 && static_cast<std::size_t>(number) < classes.size()
             ? classes[static_cast<std::size_t>(number)]
             : std::to_string(number);
}

std::optional<PredictionRecord> read_predictions(const std::string& folder, bool& damaged) {
  const auto text = read_ordinary_file(folder + "/predictions.json");
  if (!text) return {};
  const Json found = Json::parse(*text, nullptr, false);
  damaged = !found.is_object();
  if (damaged) return {};
  PredictionRecord out;
  out.split = found.contains("split") && found["split"].is_string()
                  ? found["split"].get<std::string>()
                  : "val";
  out.epoch = integer(found, "epoch", 0);
  out.samples = integer(found, "samples", 0);
  damaged = !read_matrix(found, out);
  const auto worst = found.find("worst");
  if (worst == found.end()) return out;
  if (!worst->is_array()) {
    damaged = true;
    return out;
  }
  for (const Json& entry : *worst) {
    if (!entry.is_object()) damaged = true;
    if (!entry.is_object() || out.worst.size() == kMostSamples) continue;
    PredictionRecord::Sample& sample = out.worst.emplace_back();
    sample.sample = integer(entry, "sample", 0);
    sample.label = integer(entry, "label", -1);
    sample.predicted = integer(entry, "predicted", -1);
    sample.loss = entry.contains("loss") && entry["loss"].is_number()
                      ? entry["loss"].get<double>()
                      : std::numeric_limits<double>::quiet_NaN();
    sample.image = image_of(entry);
  }
  return out;
}

std::map<std::string, double> read_measured(const std::string& folder, bool& damaged) {
  std::map<std::string, double> figures;
  const auto text = read_ordinary_file(folder + kMeasuredFile);
  if (!text) return figures;
  const Json found = Json::parse(*text, nullptr, false);
  damaged = !found.is_object() || found.size() > kMostFigures;
  if (damaged) return figures;
  for (const auto& [name, value] : found.items())
    if (value.is_number() && name.size() <= kLongestName) figures[name] = value.get<double>();
  return figures;
}

Status write_measured(const std::string& folder, const std::map<std::string, double>& figures) {
  Json json = Json::object();
  for (const auto& [name, value] : figures)
    if (std::isfinite(value)) json[name] = value;
  return write_file_atomically(folder + kMeasuredFile, json.dump(2) + "\n");
}

bool is_confusion_cell(const std::string& figure) {
  int row = 0, column = 0;
  return cell_of(figure, row, column);
}

std::vector<std::vector<double>> confusion_of(const std::map<std::string, double>& figures,
                                              std::string_view split) {
  std::vector<std::vector<double>> matrix;
  for (const auto& [figure, value] : figures) {
    int row = 0, column = 0;
    if (!figure.starts_with(split) || !cell_of(figure, row, column)) continue;
    const auto size = static_cast<std::size_t>(std::max(row, column)) + 1;
    if (matrix.size() < size) matrix.resize(size);
    for (auto& cells : matrix) cells.resize(std::max(cells.size(), matrix.size()));
    matrix[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)] = value;
  }
  return matrix;
}

}  // namespace strata::report
