// The scopes of an expansion: what names mean, and what paths are taken. Private to the expansion.
#pragma once

#include <fmt/format.h>

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "framework/base/text.h"
#include "framework/graph/evaluate.h"

namespace strata::graph {

// Names of a block's or model's body, or of braces in it; then those around it.
class Scope : public Names {
 public:
  explicit Scope(Names& around) : around_(around) {}

  std::optional<Value> find(std::string_view name, Span use) override {
    if (!values_.empty()) {
      const auto at = values_.find(std::string(name));
      if (at != values_.end()) return at->second;
    }
    return around_.find(name, use);
  }
  void list(std::vector<std::string>& names) const override {
    for (const auto& [name, value] : values_) names.push_back(name);
    around_.list(names);
  }
  bool is_incomplete(std::string_view name) const override { return around_.is_incomplete(name); }

  // A second definition of a name is an error that was reported; the first one stays.
  void define(const std::string& name, Value value) { values_.try_emplace(name, std::move(value)); }

 private:
  Names& around_;
  std::unordered_map<std::string, Value> values_;
};

// What instances of a kind are called: snake case, with abbreviations of functions left whole
// ("ReLU" → "relu").
inline std::string kind_word(std::string_view kind) {
  std::string word = snake_case(kind);
  for (const std::string_view torn : {"re_lu", "si_lu"}) {
    const std::size_t at = word.find(torn);
    if (at != std::string::npos) word.erase(at + 2, 1);
  }
  return word;
}

// Paths of instances in one scope.
class PathScope {
 public:
  explicit PathScope(std::string prefix) : prefix_(std::move(prefix)) {}

  void reserve(const std::string& name) { taken_.insert(name); }
  // All that the flow names with `as`, also in its braces.
  void reserve(const dsl::Flow& flow);
  std::string counted(const std::string& kind) {
    int& counter = counters_[kind];
    for (;;) {
      std::string name = fmt::format("{}{}", kind, ++counter);
      if (!taken_.contains(name)) return prefix_ + name;
    }
  }
  std::string named(const std::string& name) const { return prefix_ + name; }

 private:
  std::string prefix_;
  std::unordered_map<std::string, int> counters_;
  std::unordered_set<std::string> taken_;
};

}  // namespace strata::graph
