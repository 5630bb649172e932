// Arguments to options: names, positions, types, ranges and choices, checked against what the
// plugin declares.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/graph/session.h"
#include "framework/graph/value.h"

namespace strata::graph {

// One argument of a call as far as names go; what the checks need before anything is evaluated.
struct ArgumentName {
  std::string_view name;  // empty for a positional one
  Span name_span;
  Span span;
  std::string text;  // of the value, for hints
};

// For each argument the index of its option, or -1 where an error was reported. The first
// positional argument is the first option; all else is by name. `sound` becomes false where
// something was wrong, also where a required option is missing (reported at `callee`).
std::vector<int> match_arguments(const Entry& entry, Span callee,
                                 const std::vector<ArgumentName>& arguments, Session& session,
                                 bool& sound);

// A call with all its options: given ones checked, the rest at their defaults. Nullopt where an
// error was reported, or where an argument is unknown.
std::optional<PluginCall> bind_arguments(const Entry& entry, Span callee,
                                         const std::vector<CallArgument>& arguments,
                                         Session& session);

// One value for one option of `entry`.
std::optional<OptionValue> bind_option(const Entry& entry, const strata_option& option,
                                       const Value& value, Span span, Session& session);
// The same for what is no plugin's option (a setting of `train`): `owner` is "`train`".
std::optional<OptionValue> bind_value(const std::string& owner, const strata_option& option,
                                      const Value& value, Span span, Session& session);

// What a name stands for where `wanted` is wanted; null after an error that says what it is, or
// what is near.
const Entry* find_wanted(std::string_view name, Span span, Kind wanted, Session& session,
                         const std::vector<std::string>& others = {},
                         std::string_view what_else = {});

// An error for `nn.Linear` and `x.relu`: what to write in place of it. `of_value`: what stands
// before the dot is a value of the model.
void report_dotted_name(std::string_view name, Span span,
                        const std::vector<ArgumentName>& arguments, const std::vector<Kind>& kinds,
                        Session& session, bool of_value = false);

// The value of an option or setting that wants a plugin of one kind. `where` is "`weight_init` of
// `Dense`".
std::optional<PluginCall> bind_plugin(const Value& value, Span span, Kind wanted,
                                      const std::string& where, Session& session);

// Creates the plugin; an error at `span` where it refuses its options.
InstancePtr make_instance(PluginCall call, Span span, Session& session);

}  // namespace strata::graph
