// Values of options on the host's side, and checking them against a schema.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "framework/base/error.h"
#include "framework/plugin/registry.h"

namespace strata {

struct OptionValue;

// A plugin with all its options, in the schema's order: HeNormal(scale = 2).
struct PluginCall {
  const Entry* entry = nullptr;
  std::vector<OptionValue> options;

  const OptionValue* option(std::string_view name) const;  // null where the schema has none
};

struct OptionValue {
  using List = std::vector<OptionValue>;
  // none, bool, int, float, str, list, another plugin
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List,
               std::shared_ptr<const PluginCall>>
      data;

  bool is_none() const { return data.index() == 0; }
  bool operator==(const OptionValue& other) const;
};

// "int", "list of float", "one of "keep", "drop"", "int in 1..": what an option accepts, for
// messages and reference.
std::string describe_type(const strata_option& option);

// Checks one value against its option: type, range, choices. An int becomes a float where a float
// is wanted. Returns a sentence that says what was found and what is allowed, empty where the value
// is good.
std::string check_option(const strata_option& option, OptionValue& value);

// An option's default; plugin references are looked up in the registry (with their own defaults).
Result<OptionValue> default_value(const strata_option& option, const Registry& registry);

// A call with every option at its default. Fails where one is required.
Result<PluginCall> default_call(const Entry& entry, const Registry& registry);

// As the language writes it: 0.001, "keep", [1, 2], HeNormal(scale = 2.0), none. Every option of a
// call is spelled out.
std::string print_value(const OptionValue& value);
std::string print_call(const PluginCall& call);

// The options that tell one call from another: those without a default and those that are not at
// theirs, leaving out other plugins (initializers). In the schema's order.
struct NotableOption {
  std::string_view name;
  std::string value;        // as print_value
  bool positional = false;  // the schema's first, which a file gives without its name
};
std::vector<NotableOption> notable_options(const PluginCall& call);

}  // namespace strata
