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
  const auto [at, added] =
      entries_.try_emplace({table->kind, table->name}, Entry{table, origin, nullptr});
  if (!added) {
    return make_error(ExitCode::kPlugin, "two plugins offer the {} `{}`: {} and {}",
                      kind_name(kind), table->name, at->second.origin, origin);
  }
  return {};
}

Status Registry::add(PluginLibrary library, const std::vector<const strata_entry*>& tables) {
  if (const PluginLibrary* before = find_library(library.name)) {
    return Error{ExitCode::kPlugin,
                 fmt::format("two plugins are called `{}`: {} and {}", library.name, before->path,
                             library.path),
                 "remove one of them"};
  }
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const auto kind = static_cast<Kind>(tables[i]->kind);
    const std::string name = tables[i]->name;
    if (const Entry* before = find(kind, name)) {
      return before->library
                 ? Error{ExitCode::kPlugin,
                         fmt::format("two plugins offer the {} `{}`: {} and {}", kind_name(kind),
                                     name, before->origin, library.path),
                         "remove one of them, or rename what one offers"}
                 : Error{ExitCode::kPlugin,
                         fmt::format("{} offers the {} `{}`, which is built in", library.path,
                                     kind_name(kind), name),
                         "what a plugin offers needs a name of its own"};
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (tables[j]->kind == kind && tables[j]->name == name)
        return make_error(ExitCode::kPlugin, "{} offers the {} `{}` twice", library.path,
                          kind_name(kind), name);
    }
  }
  const auto kept = std::make_shared<const PluginLibrary>(std::move(library));
  libraries_.push_back(kept);
  for (const strata_entry* table : tables)
    entries_[{table->kind, table->name}] = Entry{table, kept->path, kept.get()};
  return {};
}

const PluginLibrary* Registry::find_library(std::string_view name) const {
  for (const auto& library : libraries_) {
    if (library->name == name) return library.get();
  }
  return nullptr;
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
