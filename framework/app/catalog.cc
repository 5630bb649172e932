#include "framework/app/catalog.h"

#include <algorithm>

#include "framework/app/format.h"
#include "framework/base/text.h"
#include "framework/dsl/diagnostic_codes.h"
#include "framework/dsl/word_docs.h"
#include "framework/graph/diagnostic_codes.h"
#include "framework/graph/train_settings.h"
#include "framework/plugin/options.h"

namespace strata::app {
namespace {

std::string value_text(const strata_value& value) {
  switch (value.kind) {
    case STRATA_BOOL:
      return value.integer ? "true" : "false";
    case STRATA_INT:
      return std::to_string(value.integer);
    case STRATA_FLOAT:
      return print_float(value.number);
    case STRATA_STRING:
      return print_string(value.text ? value.text : "");
    case STRATA_PLUGIN:
      return value.text ? value.text : "none";
    case STRATA_LIST: {
      std::string out = "[";
      for (std::int64_t i = 0; i < value.item_count; ++i)
        out += (i ? ", " : "") + value_text(value.items[i]);
      return out + "]";
    }
    default:
      return "none";
  }
}

OptionText describe_option(const strata_option& option) {
  const bool required = option.flags & STRATA_OPTION_REQUIRED;
  return {option.name,
          describe_type(option),
          required ? "" : value_text(option.default_value),
          option.doc,
          {}};
}

// What it is called with, then its options.
std::string signature(const EntryText& entry, const strata_schema& schema) {
  std::vector<std::string> parts;
  for (std::int64_t i = 0; i < schema.input_count; ++i) parts.emplace_back(schema.inputs[i]);
  if (schema.variadic) parts.emplace_back("…");
  for (const OptionText& option : entry.options) {
    parts.push_back(option.default_value.empty() ? option.name
                                                 : option.name + " = " + option.default_value);
  }
  if (parts.empty()) return entry.name;
  std::string out = entry.name + "(";
  for (std::size_t i = 0; i < parts.size(); ++i) out += (i ? ", " : "") + parts[i];
  return out + ")";
}

}  // namespace

EntryText describe(const Entry& entry) {
  const strata_schema& schema = entry.schema();
  EntryText text;
  text.name = entry.name();
  text.kind = entry.kind();
  text.origin = entry.library ? fmt::format("plugin {} {}, {}", entry.library->name,
                                            entry.library->version, entry.origin)
                              : entry.origin;
  const std::string_view doc = schema.doc ? schema.doc : "";
  const std::size_t end = doc.find('\n');
  text.sentence = doc.substr(0, end);
  if (end != std::string_view::npos) text.more = doc.substr(end + 1);
  text.example = schema.example ? schema.example : "";
  for (std::int64_t i = 0; i < schema.option_count; ++i)
    text.options.push_back(describe_option(schema.options[i]));
  text.signature = signature(text, schema);
  return text;
}

std::string_view kind_plural(Kind kind) {
  static constexpr std::string_view kNames[] = {"layers",     "losses",     "metrics",
                                                "optimizers", "schedules",  "initializers",
                                                "data sets",  "transforms", "fusions"};
  return kNames[kind];
}

std::vector<std::pair<Kind, std::vector<const Entry*>>> by_kind(const Registry& registry) {
  std::vector<std::pair<Kind, std::vector<const Entry*>>> kinds;
  for (int kind = STRATA_LAYER; kind <= STRATA_FUSION; ++kind) {
    auto entries = registry.all(static_cast<Kind>(kind));
    if (!entries.empty()) kinds.emplace_back(static_cast<Kind>(kind), std::move(entries));
  }
  return kinds;
}

std::vector<OptionText> train_settings() {
  std::vector<OptionText> settings;
  for (const TrainSettingDoc& doc : train_setting_docs()) {
    settings.push_back({doc.name, doc.type, doc.default_value, doc.doc, doc.example});
  }
  return settings;
}

std::vector<DiagnosticDoc> diagnostic_docs() {
  std::vector<DiagnosticDoc> docs = graph_diagnostic_docs();
  const auto& syntax = dsl::diagnostic_docs();
  docs.insert(docs.end(), syntax.begin(), syntax.end());
  std::sort(docs.begin(), docs.end(), [](const auto& a, const auto& b) { return a.code < b.code; });
  return docs;
}

std::vector<std::string> known_names(const Registry& registry) {
  std::vector<std::string> names = {"train"};
  for (const Entry* entry : registry.all()) names.push_back(entry->name());
  for (const OptionText& setting : train_settings()) names.push_back("train." + setting.name);
  for (const dsl::WordDoc& doc : dsl::word_docs()) {
    if (doc.word != "train" && doc.word[0] >= 'a' && doc.word[0] <= 'z')
      names.emplace_back(doc.word);
  }
  for (const DiagnosticDoc& doc : diagnostic_docs()) names.emplace_back(doc.code);
  return names;
}

std::string wrapped(std::string_view text, int width, std::string_view indent) {
  std::string out;
  const int room = std::max(20, width - static_cast<int>(indent.size()));
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    std::string current;
    while (!line.empty()) {
      const std::size_t space = line.find(' ');
      const std::string word(line.substr(0, space));
      line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
      if (!current.empty() && cells(current) + 1 + cells(word) > room) {
        out += std::string(indent) + current + "\n";
        current.clear();
      }
      current += (current.empty() ? "" : " ") + word;
    }
    out += current.empty() ? "\n" : std::string(indent) + current + "\n";
  }
  return out;
}

}  // namespace strata::app
