#include "framework/app/prediction_text.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

namespace strata::app {
namespace {

// Class names come from data sets: quoted as RFC 4180 asks.
std::string csv_text(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) c == '"' ? out += "\"\"" : out += c;
  return out + "\"";
}

// Classes by falling probability; equal ones by index.
std::vector<std::int64_t> ranking(const double* values, std::int64_t classes, int top) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(classes));
  std::iota(order.begin(), order.end(), 0);
  const auto count = std::min<std::int64_t>(top, classes);
  std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](auto a, auto b) {
    return values[a] != values[b] ? values[a] > values[b] : a < b;
  });
  order.resize(static_cast<std::size_t>(count));
  return order;
}

std::string name_of(const Prediction& prediction, std::int64_t index) {
  const auto at = static_cast<std::size_t>(index);
  return at < prediction.class_names.size() ? prediction.class_names[at] : "";
}

// What a row begins with.
std::string sample_csv(const PredictionStyle& style, std::int64_t sample) {
  std::string out = std::to_string(sample);
  if (!style.files.empty()) out += "," + csv_text(style.files[static_cast<std::size_t>(sample)]);
  return out;
}

std::string values_csv(const Prediction& prediction, const PredictionStyle& style) {
  const std::int64_t elements = prediction.shape.elements();
  std::string out = style.files.empty() ? "index" : "index,file";
  for (std::int64_t i = 0; i < elements; ++i) {
    out += "," +
           csv_text(elements == 1 ? prediction.output : fmt::format("{}{}", prediction.output, i));
  }
  out += "\n";
  for (std::int64_t s = 0; s < prediction.samples; ++s) {
    out += sample_csv(style, s);
    for (std::int64_t i = 0; i < elements; ++i)
      out += fmt::format(",{:.9g}", prediction.values[s * elements + i]);
    out += "\n";
  }
  return out;
}

}  // namespace

bool is_classification(const Program& program, const Prediction& prediction) {
  if (prediction.shape.rank() != 1) return false;
  if (!prediction.class_names.empty()) return true;
  if (!program.has_data) return false;
  for (const Term& loss : program.train.losses) {
    for (const TermInput& input : loss.inputs) {
      if (!input.is_field) continue;
      const auto& field = program.data.result().fields[static_cast<std::size_t>(input.index)];
      if (field.dtype == STRATA_I32 && field.shape.elements() == 1) return true;
    }
  }
  return false;
}

void apply_softmax(Prediction& prediction) {
  const std::int64_t classes = prediction.shape.elements();
  for (std::int64_t s = 0; s < prediction.samples; ++s) {
    double* values = prediction.values.data() + s * classes;
    const double largest = *std::max_element(values, values + classes);
    double sum = 0;
    for (std::int64_t c = 0; c < classes; ++c) sum += values[c] = std::exp(values[c] - largest);
    for (std::int64_t c = 0; c < classes; ++c) values[c] /= sum;
  }
  prediction.probabilities = true;
}

void drop_plain_names(Prediction& prediction) {
  const auto& names = prediction.class_names;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] != std::to_string(i)) return;
  }
  prediction.class_names.clear();
}

std::string predictions_csv(const Prediction& prediction, const PredictionStyle& style) {
  const std::int64_t elements = prediction.shape.elements();
  if (!style.classification) return values_csv(prediction, style);
  const bool named = !prediction.class_names.empty();
  const int top = style.all ? 1 : style.top;
  std::string out = fmt::format("index{}{},class{},probability", style.files.empty() ? "" : ",file",
                                top > 1 ? ",rank" : "", named ? ",name" : "");
  for (std::int64_t c = 0; style.all && c < elements; ++c) out += fmt::format(",p{}", c);
  out += "\n";
  for (std::int64_t s = 0; s < prediction.samples; ++s) {
    const double* values = prediction.values.data() + s * elements;
    const auto order = ranking(values, elements, top);
    for (std::size_t rank = 0; rank < order.size(); ++rank) {
      out += sample_csv(style, s);
      if (top > 1) out += fmt::format(",{}", rank + 1);
      out += fmt::format(",{}", order[rank]);
      if (named) out += "," + csv_text(name_of(prediction, order[rank]));
      out += fmt::format(",{:.6g}", values[order[rank]]);
      for (std::int64_t c = 0; style.all && c < elements; ++c)
        out += fmt::format(",{:.6g}", values[c]);
      out += "\n";
    }
  }
  return out;
}

std::string predictions_json(const Prediction& prediction, const PredictionStyle& style) {
  using Json = nlohmann::ordered_json;
  const std::int64_t elements = prediction.shape.elements();
  Json list = Json::array();
  for (std::int64_t s = 0; s < prediction.samples; ++s) {
    const double* values = prediction.values.data() + s * elements;
    Json item = {{"index", s}};
    if (!style.files.empty()) item["file"] = style.files[static_cast<std::size_t>(s)];
    if (!style.classification) {
      item["values"] = std::vector<double>(values, values + elements);
      list.push_back(std::move(item));
      continue;
    }
    const auto describe = [&](Json& json, std::int64_t c) {
      json["class"] = c;
      if (const std::string name = name_of(prediction, c); !name.empty()) json["name"] = name;
      json["probability"] = values[c];
    };
    const auto order = ranking(values, elements, style.top);
    if (!order.empty()) describe(item, order[0]);
    if (style.top > 1) {
      item["top"] = Json::array();
      for (const std::int64_t c : order) describe(item["top"].emplace_back(Json::object()), c);
    }
    if (style.all) item["probabilities"] = std::vector<double>(values, values + elements);
    list.push_back(std::move(item));
  }
  // One sample a line.
  std::string out = "[";
  for (std::size_t i = 0; i < list.size(); ++i) {
    out += (i ? ",\n " : "\n ") + list[i].dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return out + "\n]\n";
}

}  // namespace strata::app
