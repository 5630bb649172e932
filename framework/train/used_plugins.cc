#include "framework/train/used_plugins.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace strata {
namespace {

class Collector {
 public:
  void add(const Entry& entry) {
    if (entry.library) found_.emplace(entry.library->name, entry.library);
  }
  void add(const OptionValue& value) {
    if (const auto* call = std::get_if<std::shared_ptr<const PluginCall>>(&value.data)) {
      add(**call);
    } else if (const auto* items = std::get_if<OptionValue::List>(&value.data)) {
      for (const OptionValue& item : *items) add(item);
    }
  }
  void add(const PluginCall& call) {
    add(*call.entry);
    for (const OptionValue& option : call.options) add(option);
  }
  void add(const InstancePtr& instance) {
    if (instance) add(instance->call());
  }

  std::vector<PluginLibrary> found() const {
    std::vector<PluginLibrary> out;
    for (const auto& [name, library] : found_) out.push_back(*library);
    return out;
  }

 private:
  std::map<std::string, const PluginLibrary*> found_;
};

const PluginLibrary* find(const std::vector<PluginLibrary>& all, const std::string& name) {
  const auto at = std::find_if(all.begin(), all.end(),
                               [&](const PluginLibrary& one) { return one.name == name; });
  return at == all.end() ? nullptr : &*at;
}

}  // namespace

std::vector<PluginLibrary> used_plugins(const Program& program) {
  Collector collector;
  for (const GraphNode& node : program.graph.nodes) collector.add(node.layer);
  for (const Term& term : program.train.losses) collector.add(term.instance);
  for (const Term& term : program.train.metrics) collector.add(term.instance);
  collector.add(program.train.optimizer);
  collector.add(program.train.schedule);
  collector.add(program.data.dataset);
  for (const InstancePtr& transform : program.data.transforms) collector.add(transform);
  for (const Entry* fusion : program.fusions) collector.add(*fusion);
  return collector.found();
}

std::vector<std::string> changed_plugins(const std::vector<PluginLibrary>& before,
                                         const std::vector<PluginLibrary>& now) {
  std::vector<std::string> changes;
  for (const PluginLibrary& library : now) {
    const PluginLibrary* old = find(before, library.name);
    if (!old) {
      changes.push_back(fmt::format("plugin {}: none -> {}", library.name, library.version));
    } else if (old->version != library.version) {
      changes.push_back(
          fmt::format("plugin {}: {} -> {}", library.name, old->version, library.version));
    } else if (old->sha256 != library.sha256) {
      changes.push_back(
          fmt::format("plugin {}: another build of {}", library.name, library.version));
    }
  }
  for (const PluginLibrary& library : before) {
    if (!find(now, library.name))
      changes.push_back(fmt::format("plugin {}: {} -> none", library.name, library.version));
  }
  return changes;
}

}  // namespace strata
