// Checking, defaulting and printing of option values.
#include "framework/plugin/options.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "framework/base/text.h"

namespace strata {
namespace {

std::string number(double x) {
  if (x == std::floor(x) && std::abs(x) < 1e15)
    return fmt::format("{}", static_cast<std::int64_t>(x));
  return print_float(x);
}

std::string join(const std::vector<std::string>& words, const char* separator) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) out += (i ? separator : "") + words[i];
  return out;
}

std::vector<std::string> kind_words(std::uint32_t kinds, std::int32_t plugin_kind) {
  std::vector<std::string> words;
  if (kinds & STRATA_NONE) words.push_back("none");
  if (kinds & STRATA_BOOL) words.push_back("bool");
  if (kinds & STRATA_INT) words.push_back("int");
  if (kinds & STRATA_FLOAT) words.push_back("float");
  if (kinds & STRATA_STRING) words.push_back("str");
  if (kinds & STRATA_PLUGIN) words.emplace_back(kind_name(static_cast<Kind>(plugin_kind)));
  return words;
}

std::string range_text(const strata_option& option) {
  const bool low = std::isfinite(option.minimum), high = std::isfinite(option.maximum);
  const bool above = option.flags & STRATA_OPTION_MIN_EXCLUSIVE,
             below = option.flags & STRATA_OPTION_MAX_EXCLUSIVE;
  if (low && high) {
    return fmt::format("from {}{} to {}{}", number(option.minimum), above ? " (not included)" : "",
                       number(option.maximum), below ? " (not included)" : "");
  }
  if (low) return fmt::format("{} {}", above ? "above" : "at least", number(option.minimum));
  if (high) return fmt::format("{} {}", below ? "below" : "at most", number(option.maximum));
  return {};
}

std::string check_range(const strata_option& option, double x, const std::string& shown) {
  const bool low_ok =
      (option.flags & STRATA_OPTION_MIN_EXCLUSIVE) ? x > option.minimum : x >= option.minimum;
  const bool high_ok =
      (option.flags & STRATA_OPTION_MAX_EXCLUSIVE) ? x < option.maximum : x <= option.maximum;
  if (std::isfinite(x) && low_ok && high_ok) return {};
  if (!std::isfinite(x))
    return fmt::format("`{}` must be a finite number, not {}", option.name, shown);
  return fmt::format("`{}` must be {}, not {}", option.name, range_text(option), shown);
}

std::uint32_t kind_of(const OptionValue& value) {
  static constexpr std::uint32_t kKinds[] = {STRATA_NONE,   STRATA_BOOL, STRATA_INT,   STRATA_FLOAT,
                                             STRATA_STRING, STRATA_LIST, STRATA_PLUGIN};
  return kKinds[value.data.index()];
}

// A list's item, or a value that is no list.
std::string check_scalar(const strata_option& option, std::uint32_t kinds, OptionValue& value) {
  if (const auto* i = std::get_if<std::int64_t>(&value.data);
      i && !(kinds & STRATA_INT) && (kinds & STRATA_FLOAT)) {
    value.data = static_cast<double>(*i);
  }
  if (!(kinds & kind_of(value))) return "type";
  if (const auto* i = std::get_if<std::int64_t>(&value.data)) {
    return check_range(option, static_cast<double>(*i), fmt::format("{}", *i));
  }
  if (const auto* x = std::get_if<double>(&value.data))
    return check_range(option, *x, print_float(*x));
  if (const auto* text = std::get_if<std::string>(&value.data); text && option.choice_count > 0) {
    std::vector<std::string> allowed;
    for (std::int64_t i = 0; i < option.choice_count; ++i) {
      if (*text == option.choices[i]) return {};
      allowed.push_back(print_string(option.choices[i]));
    }
    return fmt::format("`{}` must be one of {}, not {}", option.name, join(allowed, ", "),
                       print_string(*text));
  }
  if (const auto* call = std::get_if<std::shared_ptr<const PluginCall>>(&value.data)) {
    if ((*call)->entry->kind() != option.plugin_kind) {
      return fmt::format("`{}` must be a {}, and `{}` is a {}", option.name,
                         kind_name(static_cast<Kind>(option.plugin_kind)), (*call)->entry->name(),
                         kind_name((*call)->entry->kind()));
    }
  }
  return {};
}

}  // namespace

const OptionValue* PluginCall::option(std::string_view name) const {
  const int i = entry->find_option(name);
  return i < 0 ? nullptr : &options[static_cast<std::size_t>(i)];
}

bool OptionValue::operator==(const OptionValue& other) const {
  return print_value(*this) == print_value(other);
}

std::string describe_type(const strata_option& option) {
  std::vector<std::string> words = kind_words(option.kinds, option.plugin_kind);
  if (option.kinds & STRATA_LIST) {
    words.push_back("list of " + join(kind_words(option.item_kinds, option.plugin_kind), " or "));
  }
  std::string out = join(words, " or ");
  if (option.choice_count > 0) {
    std::vector<std::string> allowed;
    for (std::int64_t i = 0; i < option.choice_count; ++i)
      allowed.push_back(print_string(option.choices[i]));
    out += ", one of " + join(allowed, ", ");
  }
  const std::string range = range_text(option);
  if (!range.empty()) out += " " + range;
  return out;
}

std::string check_option(const strata_option& option, OptionValue& value) {
  std::string problem;
  if (auto* list = std::get_if<OptionValue::List>(&value.data);
      list && (option.kinds & STRATA_LIST)) {
    for (OptionValue& item : *list) {
      problem = check_scalar(option, option.item_kinds, item);
      if (!problem.empty()) break;
    }
  } else {
    problem = check_scalar(option, option.kinds & ~static_cast<std::uint32_t>(STRATA_LIST), value);
  }
  if (problem != "type") return problem;
  return fmt::format("`{}` must be {}, not {}", option.name, describe_type(option),
                     print_value(value));
}

Result<OptionValue> default_value(const strata_option& option, const Registry& registry) {
  struct Convert {
    const strata_option& option;
    const Registry& registry;
    Result<OptionValue> operator()(const strata_value& v) const {
      switch (v.kind) {
        case STRATA_BOOL:
          return OptionValue{v.integer != 0};
        case STRATA_INT:
          return OptionValue{v.integer};
        case STRATA_FLOAT:
          return OptionValue{v.number};
        case STRATA_STRING:
          return OptionValue{std::string(v.text ? v.text : "")};
        case STRATA_LIST: {
          OptionValue::List items;
          for (std::int64_t i = 0; i < v.item_count; ++i) {
            auto item = (*this)(v.items[i]);
            if (!item) return item.error();
            items.push_back(std::move(*item));
          }
          return OptionValue{std::move(items)};
        }
        case STRATA_PLUGIN: {
          const auto kind = static_cast<Kind>(option.plugin_kind);
          const Entry* entry = registry.find(kind, v.text);
          if (!entry) {
            return make_error(ExitCode::kPlugin,
                              "the default of `{}` is the {} `{}`, which is not registered",
                              option.name, kind_name(kind), v.text);
          }
          auto call = default_call(*entry, registry);
          if (!call) return call.error();
          return OptionValue{std::make_shared<const PluginCall>(std::move(*call))};
        }
        default:
          return OptionValue{};
      }
    }
  };
  return Convert{option, registry}(option.default_value);
}

Result<PluginCall> default_call(const Entry& entry, const Registry& registry) {
  PluginCall call{&entry, {}};
  for (std::int64_t i = 0; i < entry.schema().option_count; ++i) {
    const strata_option& option = entry.schema().options[i];
    if (option.flags & STRATA_OPTION_REQUIRED) {
      return make_error(ExitCode::kModel, "`{}` needs `{}`: {}", entry.name(), option.name,
                        option.doc);
    }
    auto value = default_value(option, registry);
    if (!value) return value.error();
    call.options.push_back(std::move(*value));
  }
  return call;
}

std::string print_value(const OptionValue& value) {
  struct Printer {
    std::string operator()(std::monostate) const { return "none"; }
    std::string operator()(bool x) const { return x ? "true" : "false"; }
    std::string operator()(std::int64_t x) const { return fmt::format("{}", x); }
    std::string operator()(double x) const { return print_float(x); }
    std::string operator()(const std::string& x) const { return print_string(x); }
    std::string operator()(const OptionValue::List& items) const {
      std::vector<std::string> texts;
      for (const OptionValue& item : items) texts.push_back(print_value(item));
      return "[" + join(texts, ", ") + "]";
    }
    std::string operator()(const std::shared_ptr<const PluginCall>& call) const {
      return print_call(*call);
    }
  };
  return std::visit(Printer{}, value.data);
}

std::string print_call(const PluginCall& call) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < call.options.size(); ++i) {
    texts.push_back(
        fmt::format("{} = {}", call.entry->schema().options[i].name, print_value(call.options[i])));
  }
  return call.entry->name() + (texts.empty() ? "" : "(" + join(texts, ", ") + ")");
}

std::vector<NotableOption> notable_options(const PluginCall& call) {
  const Registry none;  // no plugin is asked for: their options are left out
  std::vector<NotableOption> notable;
  for (std::size_t i = 0; i < call.options.size(); ++i) {
    const strata_option& option = call.entry->schema().options[i];
    if ((option.kinds | option.item_kinds) & STRATA_PLUGIN) continue;
    if (!(option.flags & STRATA_OPTION_REQUIRED)) {
      const auto standard = default_value(option, none);
      if (standard && *standard == call.options[i]) continue;
    }
    notable.push_back({option.name, print_value(call.options[i]), i == 0});
  }
  return notable;
}

}  // namespace strata
