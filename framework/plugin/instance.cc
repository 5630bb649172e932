// Instances: options as C sees them, and what an instance must be from the start.
#include "framework/plugin/instance.h"

#include <deque>

#include "framework/plugin/collector.h"

namespace strata {

// The C view of the options; deques keep addresses.
struct Instance::Values {
  std::deque<std::vector<strata_value>> lists;

  strata_value convert(const OptionValue& value) {
    strata_value out = schema_internal::make_value(STRATA_NONE);
    if (const auto* b = std::get_if<bool>(&value.data)) {
      out.kind = STRATA_BOOL;
      out.integer = *b;
    } else if (const auto* i = std::get_if<std::int64_t>(&value.data)) {
      out.kind = STRATA_INT;
      out.integer = *i;
      out.number = static_cast<double>(*i);
    } else if (const auto* x = std::get_if<double>(&value.data)) {
      out.kind = STRATA_FLOAT;
      out.number = *x;
    } else if (const auto* text = std::get_if<std::string>(&value.data)) {
      out.kind = STRATA_STRING;
      out.text = text->c_str();
    } else if (const auto* items = std::get_if<OptionValue::List>(&value.data)) {
      out.kind = STRATA_LIST;
      out.items = convert_all(*items).data();
      out.item_count = static_cast<std::int64_t>(items->size());
    } else if (const auto* call = std::get_if<std::shared_ptr<const PluginCall>>(&value.data)) {
      out.kind = STRATA_PLUGIN;
      out.plugin = call->get();
      out.text = (*call)->entry->table->name;
    }
    return out;
  }

  const std::vector<strata_value>& convert_all(const std::vector<OptionValue>& values) {
    std::vector<strata_value>& out = lists.emplace_back();
    std::vector<strata_value> converted;
    for (const OptionValue& value : values) converted.push_back(convert(value));
    out = std::move(converted);
    return out;
  }
};

namespace {

// What is wrong with the slots that an optimizer asks for; empty where nothing is.
std::string why_no_slots(const Instance& optimizer) {
  const auto& table = optimizer.functions<strata_optimizer>();
  const Running running({&optimizer.entry(), "slot_name"});
  const std::int64_t count = table.slot_count(optimizer.raw());
  if (count < 0 || count > static_cast<std::int64_t>(kMostSlots))
    return fmt::format("it wants {} slots for each weight, and {} are the most", count, kMostSlots);
  std::vector<std::string> names;
  for (std::int64_t slot = 0; slot < count; ++slot) {
    const char* name = table.slot_name(optimizer.raw(), slot);
    if (!name || !*name) return fmt::format("its slot {} has no name", slot);
    if (std::find(names.begin(), names.end(), name) != names.end())
      return fmt::format("two of its slots are called `{}`", name);
    names.emplace_back(name);
  }
  return {};
}

}  // namespace

std::vector<std::string> slot_names(const Instance& optimizer) {
  const auto& table = optimizer.functions<strata_optimizer>();
  const Running running({&optimizer.entry(), "slot_name"});
  std::vector<std::string> names;
  for (std::int64_t slot = 0; slot < table.slot_count(optimizer.raw()); ++slot)
    names.emplace_back(table.slot_name(optimizer.raw(), slot));
  return names;
}

Result<std::shared_ptr<Instance>> Instance::create(PluginCall call) {
  std::shared_ptr<Instance> instance(new Instance);
  instance->call_ = std::move(call);
  instance->values_ = std::make_unique<Values>();
  // Strings and plugin calls are pointed to inside call_, which no longer moves.
  const std::vector<strata_value>& values = instance->values_->convert_all(instance->call_.options);
  const strata_entry& table = *instance->call_.entry->table;
  const Status made = call_noted({&instance->entry(), "create"}, table.create, values.data(),
                                 static_cast<std::int64_t>(values.size()), &instance->raw_);
  if (!made) return made.error();
  if (!instance->raw_)
    return plugin_fault(plugin_host::path_of(instance->entry()),
                        "it says that it was created, and hands no instance over");
  if (instance->entry().kind() == STRATA_OPTIMIZER) {
    const std::string problem = why_no_slots(*instance);
    if (!problem.empty())
      return plugin_fault(plugin_host::path_of(instance->entry()),
                          fmt::format("`{}`: {}", instance->entry().name(), problem));
  }
  return instance;
}

const std::vector<strata_value>& Instance::raw_options() const { return values_->lists.front(); }

Instance::~Instance() {
  if (raw_) plugin_host::destroy(entry(), entry().table->destroy, raw_);
}

namespace plugin_host {

std::string path_of(const Entry& entry) { return entry.library ? entry.library->path : ""; }

void destroy(const Entry& entry, void (*function)(void*), void* instance) noexcept {
  const Running running({&entry, "destroy"});
  function(instance);
}

}  // namespace plugin_host

}  // namespace strata
