// What an author may have meant: the nearest name, and what other frameworks call things.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/plugin/registry.h"

namespace strata::graph {

// The registered thing or one of `others` that `name` most likely stands for; empty where nothing
// is near. Knows the names of Keras, PyTorch and Caffe.
std::string suggest_plugin(std::string_view name, const std::vector<Kind>& kinds,
                           const Registry& registry, const std::vector<std::string>& others = {});

// "did you mean `x`?", or empty where `name` is.
std::string did_you_mean(std::string_view name);

// A sentence for an option that `entry` does not have: other frameworks' spelling of one that it
// has, what the plugin's author says of it, or what to write in its place. Empty where nothing is
// known.
std::string suggest_option(const Entry& entry, std::string_view option,
                           std::string_view value_text);

// The same for a key of a train section.
std::string suggest_setting(std::string_view key);

// The options as a note: "options of `Dense`: units (int at least 1); …".
std::string describe_options(const Entry& entry);

// "a layer", "an optimizer".
std::string a_kind(Kind kind);
// "losses"
std::string plural(Kind kind);
// "`a`, `b` and `c`", at most `most` of them, then "and 7 more".
std::string list_names(const std::vector<std::string>& names, std::size_t most = 12,
                       std::string_view last = "and");
// "1 value", "3 values".
std::string counted(std::int64_t count, std::string_view noun);

}  // namespace strata::graph
