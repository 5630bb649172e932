// What an author may have meant: the nearest name, and what other frameworks call things.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/base/source.h"
#include "framework/plugin/registry.h"

namespace strata::graph {

// The registered thing or one of `others` that `name` most likely stands for; empty where nothing
// is near. Knows the names of Keras, PyTorch and Caffe.
std::string suggest_plugin(std::string_view name, const std::vector<Kind>& kinds,
                           const Registry& registry, const std::vector<std::string>& others = {});

// Ours for a name of another framework, or for ours in another spelling; empty where there is none.
std::string our_name(std::string_view name, const std::vector<Kind>& kinds,
                     const Registry& registry);

// What to do in place of something that other frameworks have and this one does not need; empty
// where nothing is known.
std::string foreign_advice(std::string_view name);

// Whether a name is that of another framework's module: `nn`, `tf`.
bool is_module(std::string_view name);

// Whether arguments begin with two counts, as in PyTorch's `Linear(784, 64)`.
bool gives_input_count(const std::vector<std::string>& positional);

// The call that `name` with these arguments most likely stands for, "Dense(64)" for
// `Linear(784, 64)`; empty where nothing is near.
std::string suggest_call(std::string_view name, const std::vector<std::string>& positional,
                         bool has_named, const std::vector<Kind>& kinds, const Registry& registry,
                         const std::vector<std::string>& others = {});

// What to write for an activation that is given as a text; empty where it is none.
std::string suggest_activation(std::string_view value_text);

// "did you mean `x`?", or empty where `name` is.
std::string did_you_mean(std::string_view name);

// A sentence for an option that `entry` does not have: other frameworks' spelling of one that it
// has, what the plugin's author says of it, or what to write in its place. Empty where nothing is
// known.
std::string suggest_option(const Entry& entry, std::string_view option,
                           std::string_view value_text);

// The option of `entry` that another framework calls `option`, or that is called so; empty where
// there is none.
std::string our_option(const Entry& entry, std::string_view option);

// The setting that a key of a train section most likely stands for; empty where none is near.
std::string our_setting(std::string_view key);
// The same as a sentence.
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

// The string literal `text` within a value that is written there; the whole value where it is
// written otherwise.
Span item_span(Span value, std::string_view text);

}  // namespace strata::graph
