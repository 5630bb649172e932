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

}  // namespace strata::graph
