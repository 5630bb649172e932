// Patterns against the parameters that a model has.
#include "framework/graph/parameter_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/base/pattern.h"
#include "framework/base/text.h"
#include "framework/graph/suggest.h"

namespace strata::graph {
namespace {

// What the pattern may have been meant to be: a parameter, or all that end alike.
std::string nearest_pattern(const std::string& pattern, const std::vector<std::string>& names) {
  std::vector<std::string> candidates = names;
  for (const std::string& name : names) {
    for (std::size_t dot = name.find('.'); dot != std::string::npos;
         dot = name.find('.', dot + 1)) {
      candidates.push_back("*" + name.substr(dot));
      candidates.push_back(name.substr(0, dot) + ".*");
    }
  }
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  return nearest_name(pattern, candidates);
}

}  // namespace

std::vector<std::string> parameter_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const GraphNode& node : graph.nodes) {
    for (const auto& parameter : node.plan.parameters)
      names.push_back(node.path + "." + parameter.name);
  }
  return names;
}

bool check_patterns(const std::vector<std::string>& patterns, const Graph& graph,
                    const std::string& setting, Span span, Session& session) {
  const std::vector<std::string> names = parameter_names(graph);
  bool sound = true;
  for (const std::string& pattern : patterns) {
    const auto fits = [&](const std::string& name) { return fits_pattern(pattern, name); };
    if (std::any_of(names.begin(), names.end(), fits)) continue;
    sound = false;
    Diagnostic& error = session.error(
        "unknown-parameter", item_span(span, pattern),
        fmt::format("`{}`: no parameter is called {}", setting, print_string(pattern)));
    error.notes.push_back({{}, "parameters: " + list_names(names, 8)});
    if (const std::string near = nearest_pattern(pattern, names); !near.empty())
      error.help = fmt::format("did you mean {}?", print_string(near));
  }
  return sound;
}

namespace {

using ListPtr = std::shared_ptr<const List>;

// Whether it has the form of ("logits.*", 10), or may have it: what is unknown was reported.
bool is_pair(const Value& value) {
  const auto* list = value.get<ListPtr>();
  if (!list || (*list)->items.size() != 2) return value.is_unknown();
  const Value &pattern = (*list)->items[0], &factor = (*list)->items[1];
  return (pattern.get<std::string>() || pattern.is_unknown()) &&
         (factor.is_number() || factor.is_unknown());
}

// A list as a file would write a pair.
std::string pair_text(const Value& value) {
  std::string text = print_value(value);
  if (value.get<ListPtr>() && text.size() >= 2 && text.back() == ']')
    text = "(" + text.substr(1, text.size() - 2) + ")";
  return text;
}

// What it is in place of a list of pairs; empty where it is one.
std::string not_pairs(const Value& value) {
  const auto* list = value.get<ListPtr>();
  if (!list) return "not " + described(value);
  if (is_pair(value)) return "not one pair alone";
  for (const Value& item : (*list)->items) {
    if (!is_pair(item)) return fmt::format("and {} is none", pair_text(item));
  }
  return {};
}

}  // namespace

std::optional<std::vector<RateScale>> read_rate_scales(const Value& value, Span span,
                                                       Session& session) {
  if (const std::string what = not_pairs(value); !what.empty()) {
    session
        .error("option-type", span,
               fmt::format("`lr_scale` is a list of pairs of a pattern and a factor, {}", what))
        .help = value.get<ListPtr>() && is_pair(value)
                    ? fmt::format("write `[{}]`", pair_text(value))
                    : "for example `lr_scale = [(\"logits.*\", 10), (\"conv*\", 0.1)]`";
    return std::nullopt;
  }
  std::vector<RateScale> scales;
  bool sound = true;
  for (const Value& item : (*value.get<ListPtr>())->items) {
    const auto* pair = item.get<ListPtr>();
    const auto* pattern = pair ? (*pair)->items[0].get<std::string>() : nullptr;
    if (!pattern || !(*pair)->items[1].is_number()) return std::nullopt;  // unknown
    const double factor = (*pair)->items[1].number();
    const auto same = [&](const RateScale& other) { return other.pattern == *pattern; };
    if (!(factor > 0)) {
      sound = false;
      Diagnostic& error = session.error(
          "option-range", item_span(span, *pattern),
          fmt::format("`lr_scale`: a factor is above 0, not {}", print_value((*pair)->items[1])));
      if (factor == 0)
        error.help =
            fmt::format("`frozen = [{}]` leaves parameters as they are", print_string(*pattern));
    } else if (std::any_of(scales.begin(), scales.end(), same)) {
      sound = false;
      session.error("duplicate-name", item_span(span, *pattern),
                    fmt::format("`lr_scale` has {} twice", print_string(*pattern)));
    }
    scales.push_back({*pattern, factor});
  }
  if (!sound) return std::nullopt;
  return scales;
}

}  // namespace strata::graph
