// Names of other frameworks, and the nearest of ours.
#include "framework/graph/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "framework/base/diagnostic.h"
#include "framework/graph/foreign_names.h"
#include "framework/graph/train_settings.h"
#include "framework/plugin/options.h"

namespace strata::graph {
namespace {

std::string folded(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c != '_' && c != '-') out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

std::string activation_of(std::string_view value_text) {
  std::string word;
  for (const char c : value_text) {
    if (std::isalnum(static_cast<unsigned char>(c))) word += c;
  }
  static constexpr Alias kActivations[] = {
      {"relu", "ReLU"},           {"softmax", "Softmax"}, {"sigmoid", "Sigmoid"},
      {"tanh", "Tanh"},           {"gelu", "GELU"},       {"elu", "ELU"},
      {"leakyrelu", "LeakyReLU"}, {"silu", "SiLU"},       {"swish", "SiLU"}};
  for (const Alias& alias : kActivations) {
    if (folded(word) == alias.theirs) return std::string(alias.ours);
  }
  return {};
}

}  // namespace

std::string our_name(std::string_view name, const std::vector<Kind>& kinds,
                     const Registry& registry) {
  const std::string wanted = folded(name);
  const auto registered = [&](std::string_view known) {
    return std::any_of(kinds.begin(), kinds.end(),
                       [&](Kind kind) { return registry.find(kind, known) != nullptr; });
  };
  for (const Kind kind : kinds) {
    for (const std::string& known : registry.names(kind)) {
      if (folded(known) == wanted) return known;
    }
  }
  for (const Alias& alias : kPlugins) {
    if (alias.theirs == wanted && registered(alias.ours)) return std::string(alias.ours);
  }
  return {};
}

std::string suggest_plugin(std::string_view name, const std::vector<Kind>& kinds,
                           const Registry& registry, const std::vector<std::string>& others) {
  const std::string wanted = folded(name);
  for (const std::string& other : others) {
    if (folded(other) == wanted) return other;
  }
  if (std::string ours = our_name(name, kinds, registry); !ours.empty()) return ours;
  // What is something else elsewhere is no slip.
  const auto theirs = [&](const auto& known) { return known.theirs == wanted; };
  const bool foreign =
      std::find(std::begin(kTheirs), std::end(kTheirs), wanted) != std::end(kTheirs) ||
      std::any_of(std::begin(kPlugins), std::end(kPlugins), theirs) ||
      std::any_of(std::begin(kAdvice), std::end(kAdvice), theirs);
  std::vector<std::string> candidates = others;
  if (!foreign) {
    for (const Kind kind : kinds) {
      for (std::string& known : registry.names(kind)) candidates.push_back(std::move(known));
    }
  }
  return nearest_name(name, candidates);
}

std::string foreign_advice(std::string_view name) {
  const std::string wanted = folded(name);
  for (const Advice& advice : kAdvice) {
    if (advice.theirs == wanted) return std::string(advice.instead);
  }
  return {};
}

bool is_module(std::string_view name) {
  return std::find(std::begin(kModules), std::end(kModules), name) != std::end(kModules);
}

bool gives_input_count(const std::vector<std::string>& positional) {
  const auto is_count = [](const std::string& text) {
    return !text.empty() && std::all_of(text.begin(), text.end(),
                                        [](char c) { return (c >= '0' && c <= '9') || c == '_'; });
  };
  return positional.size() >= 2 && is_count(positional[0]) && is_count(positional[1]);
}

std::string suggest_call(std::string_view name, const std::vector<std::string>& positional,
                         bool has_named, const std::vector<Kind>& kinds, const Registry& registry,
                         const std::vector<std::string>& others) {
  const std::string ours = suggest_plugin(name, kinds, registry, others);
  const Entry* entry = nullptr;
  for (const Kind kind : kinds) entry = entry ? entry : registry.find(kind, ours);
  if (!entry) return ours;
  const strata_schema& schema = entry->schema();
  const bool reads_values = entry->kind() == STRATA_LOSS || entry->kind() == STRATA_METRIC;
  if (positional.empty() && !has_named)
    return reads_values && schema.example && *schema.example ? schema.example : ours;
  if (schema.option_count == 0 && !reads_values && !schema.variadic) return ours;
  std::string arguments;
  if (entry->kind() == STRATA_LAYER && !schema.variadic) {
    // Theirs begin with how many values come in: `Linear(784, 64)`, `BatchNorm1d(64)`.
    const bool counts = gives_input_count(positional);
    if (!(schema.options[0].flags & STRATA_OPTION_REQUIRED)) {
      if (!positional.empty() && (schema.options[0].kinds & STRATA_FLOAT) == 0) return ours;
      if (folded(ours) == "batchnorm" || folded(ours) == "layernorm" ||
          folded(ours) == "instancenorm")
        return ours;
    }
    if (!positional.empty()) arguments = positional[counts ? 1 : 0];
    std::size_t taken = counts ? 2 : 1;
    if (counts && positional.size() > 2 && schema.option_count > 1 &&
        (schema.options[1].kinds & STRATA_INT)) {  // Conv2d(1, 32, 3)
      arguments += fmt::format(", {} = {}", schema.options[1].name, positional[taken++]);
    }
    if (positional.size() > taken || has_named) arguments += arguments.empty() ? "…" : ", …";
  } else {
    for (const std::string& text : positional) arguments += (arguments.empty() ? "" : ", ") + text;
    if (has_named) arguments += arguments.empty() ? "…" : ", …";
  }
  return fmt::format("{}({})", ours, arguments);
}

std::string did_you_mean(std::string_view name) {
  return name.empty() ? std::string{} : fmt::format("did you mean `{}`?", name);
}

std::string our_option(const Entry& entry, std::string_view option) {
  if (entry.find_option(option) >= 0) return std::string(option);
  for (const Alias& alias : kOptions) {
    if (alias.theirs == folded(option) && entry.find_option(alias.ours) >= 0)
      return std::string(alias.ours);
  }
  return {};
}

std::string suggest_option(const Entry& entry, std::string_view option,
                           std::string_view value_text) {
  if (std::string hint = entry.hint_for(option); !hint.empty()) return hint;
  const std::string wanted = folded(option);
  if (entry.kind() == STRATA_LAYER) {
    if (wanted == "activation") {
      const std::string help = suggest_activation(value_text);
      return help.empty() ? suggest_activation("relu") : help;
    }
    if (wanted == "inputshape" || wanted == "inputdim" || wanted == "infeatures" ||
        wanted == "inchannels" || wanted == "numfeatures" || wanted == "batchinputshape" ||
        wanted == "normalizedshape") {
      return "leave it out: shapes of inputs are inferred from the model's own";
    }
    if (wanted == "name") return "write `as …` behind it: that names the layer and its value";
    if (wanted == "training") return "leave it out: the trainer knows when it trains";
    if (wanted == "trainable" || wanted == "requiresgrad" || wanted == "freeze")
      return "what is not to be trained is a setting: `train { frozen = [\"dense1.*\"] }`";
    if (wanted == "lrmult" || wanted == "lrscale" || wanted == "lr")
      return "rates of single layers are a setting: `train { lr_scale = [(\"dense1.*\", 0.1)] }`";
  }
  if (const std::string ours = our_option(entry, option); !ours.empty() && ours != option)
    return did_you_mean(ours);
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < entry.schema().option_count; ++i)
    names.emplace_back(entry.schema().options[i].name);
  return did_you_mean(nearest_name(option, names));
}

std::string suggest_activation(std::string_view value_text) {
  const std::string layer = activation_of(value_text);
  if (layer.empty()) return {};
  return fmt::format("an activation is a layer of its own: write `-> {}` behind it", layer);
}

std::string our_setting(std::string_view key) {
  static const std::map<std::string, std::string, std::less<>> kForeign{
      {"max_iter", "steps"},       {"iterations", "steps"},   {"max_steps", "steps"},
      {"num_epochs", "epochs"},    {"n_epochs", "epochs"},    {"max_epochs", "epochs"},
      {"criterion", "loss"},       {"objective", "loss"},     {"solver", "optimizer"},
      {"lr_policy", "schedule"},   {"scheduler", "schedule"}, {"lr_scheduler", "schedule"},
      {"drop_last", "last_batch"}, {"random_seed", "seed"},   {"dtype", "precision"},
      {"dataset", "data"},         {"net", "model"},          {"network", "model"},
      {"freeze", "frozen"},        {"trainable", "frozen"},   {"lr_mult", "lr_scale"}};
  const auto at = kForeign.find(key);
  return at == kForeign.end() ? nearest_name(key, train_setting_names()) : at->second;
}

std::string suggest_setting(std::string_view key) {
  if (key == "lr" || key == "learning_rate" || key == "base_lr")
    return "the learning rate is the optimizer's: `optimizer = Adam(lr = 1e-3)`";
  if (key == "momentum" || key == "weight_decay") {
    return fmt::format("it is an option of the optimizer: `optimizer = SGD(lr = 0.1, {} = …)`",
                       key);
  }
  return did_you_mean(our_setting(key));
}

std::string describe_options(const Entry& entry) {
  const strata_schema& schema = entry.schema();
  if (schema.option_count == 0) return fmt::format("`{}` has no options", entry.name());
  std::string out = fmt::format("options of `{}`: ", entry.name());
  for (std::int64_t i = 0; i < schema.option_count; ++i) {
    if (i > 0) out += "; ";
    out += fmt::format("{} ({})", schema.options[i].name, describe_type(schema.options[i]));
  }
  return out;
}

std::string a_kind(Kind kind) {
  const std::string name(kind_name(kind));
  return (name.find_first_of("aeiou") == 0 ? "an " : "a ") + name;
}

std::string plural(Kind kind) {
  return std::string(kind_name(kind)) + (kind == STRATA_LOSS ? "es" : "s");
}

std::string list_names(const std::vector<std::string>& names, std::size_t most,
                       std::string_view last) {
  std::string out;
  const std::size_t shown = names.size() > most ? most : names.size();
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) out += i + 1 == names.size() ? fmt::format(" {} ", last) : ", ";
    out += "`" + names[i] + "`";
  }
  if (shown < names.size()) out += fmt::format(" {} {} more", last, names.size() - shown);
  return out;
}

std::string counted(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

Span item_span(Span value, std::string_view text) {
  if (!value.file) return value;
  const std::size_t found = value.text().find("\"" + std::string(text) + "\"");
  if (found == std::string_view::npos) return value;
  value.begin += static_cast<std::uint32_t>(found);
  value.end = value.begin + static_cast<std::uint32_t>(text.size()) + 2;
  return value;
}

}  // namespace strata::graph
