// The registry, filled from the registrations that are linked into this program.
#include "framework/plugin/registry.h"

#include <cstddef>

#include "framework/plugin/registration.h"

namespace strata {

std::string_view kind_name(Kind kind) {
  static constexpr std::string_view kNames[] = {"layer",     "loss",      "metric",
                                                "optimizer", "schedule",  "initializer",
                                                "data set",  "transform", "fusion"};
  return kNames[kind];
}

int Entry::find_option(std::string_view name) const {
  for (std::int64_t i = 0; i < schema().option_count; ++i) {
    if (name == schema().options[i].name) return static_cast<int>(i);
  }
  return -1;
}

std::string Entry::hint_for(std::string_view name) const {
  if (schema().struct_size < offsetof(strata_schema, hint_count) + sizeof(schema().hint_count))
    return {};
  for (std::int64_t i = 0; i < schema().hint_count; ++i) {
    if (name == schema().hint_names[i]) return schema().hint_texts[i];
  }
  return {};
}

Registry Registry::builtin() {
  Registry registry;
  for (const auto* r = plugin_internal::registrations(); r; r = r->next) {
    // Two built-ins of one name are a bug that the conformance test shows; the first one stays.
    (void)registry.add(r->entry(*r), "built in").ok();
  }
  return registry;
}

Status Registry::add(const strata_entry* table, std::string origin) {
  if (!table || !table->name || table->kind < STRATA_LAYER || table->kind > STRATA_FUSION ||
      !table->functions || !table->schema) {
    return make_error(ExitCode::kPlugin,
                      "{} offers something without a name, kind, schema or functions", origin);
  }
  const auto kind = static_cast<Kind>(table->kind);
  const auto [at, added] = entries_.try_emplace({table->kind, table->name}, Entry{table, origin});
  if (!added) {
    return make_error(ExitCode::kPlugin, "two plugins offer the {} `{}`: {} and {}",
                      kind_name(kind), table->name, at->second.origin, origin);
  }
  return {};
}

const Entry* Registry::find(Kind kind, std::string_view name) const {
  const auto at = entries_.find({static_cast<int>(kind), std::string(name)});
  return at == entries_.end() ? nullptr : &at->second;
}

std::vector<const Entry*> Registry::find(std::string_view name) const {
  std::vector<const Entry*> found;
  for (const auto& [key, entry] : entries_) {
    if (key.second == name) found.push_back(&entry);
  }
  return found;
}

std::vector<const Entry*> Registry::all(Kind kind) const {
  std::vector<const Entry*> found;
  for (const auto& [key, entry] : entries_) {
    if (key.first == static_cast<int>(kind)) found.push_back(&entry);
  }
  return found;
}

std::vector<const Entry*> Registry::all() const {
  std::vector<const Entry*> found;
  for (const auto& [key, entry] : entries_) found.push_back(&entry);
  return found;
}

std::vector<std::string> Registry::names(Kind kind) const {
  std::vector<std::string> names;
  for (const Entry* entry : all(kind)) names.push_back(entry->name());
  return names;
}

}  // namespace strata
