// Binding of plugin calls.
#include "framework/graph/bind.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <filesystem>

#include "framework/base/text.h"
#include "framework/graph/suggest.h"

namespace strata::graph {
namespace {

using ListPtr = std::shared_ptr<const List>;
using CallPtr = std::shared_ptr<const CallValue>;

// Relative to the file that says it; on the command line, to the caller's folder.
std::string absolute_path(const std::string& text, Span span) {
  namespace fs = std::filesystem;
  if (text.empty()) return text;
  fs::path path(text);
  if (path.is_relative() && span.file && span.file->name() != "command line") {
    path = fs::path(span.file->name()).parent_path() / path;
  }
  std::error_code error;
  const fs::path whole = fs::absolute(path, error);
  return (error ? path : whole).lexically_normal().string();
}

// A plain value as an option value; nullopt for what has no such form.
std::optional<OptionValue> plain(const Value& value) {
  if (value.is_none()) return OptionValue{};
  if (const auto* b = value.get<bool>()) return OptionValue{*b};
  if (const auto* i = value.get<std::int64_t>()) return OptionValue{*i};
  if (const auto* x = value.get<double>()) return OptionValue{*x};
  if (const auto* text = value.get<std::string>()) return OptionValue{*text};
  return std::nullopt;
}

bool is_whole(double x) { return x == std::floor(x) && std::abs(x) < 9e15; }

bool parses_as_number(const std::string& text) {
  double x = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// How to mend a value of the wrong type.
std::string type_help(const strata_option& option, const Value& value, Span span,
                      Session& session) {
  const std::uint32_t kinds = option.kinds;
  const std::string_view source = span.text();
  if (const auto* x = value.get<double>(); x && (kinds & STRATA_INT)) {
    if (source.find('/') != std::string_view::npos && source.find("//") == std::string_view::npos) {
      return fmt::format(
          "`/` gives a float where it does not divide evenly: write `//` to round down");
    }
    if (is_whole(*x))
      return fmt::format("write `{}`: a whole number without a point",
                         static_cast<std::int64_t>(*x));
    return {};
  }
  if (const auto* i = value.get<std::int64_t>();
      i && (kinds & STRATA_BOOL) && (*i == 0 || *i == 1)) {
    return fmt::format("write `{}`", *i ? "true" : "false");
  }
  if ((value.is_number() || value.get<std::string>()) && (kinds & STRATA_LIST))
    return fmt::format("write it as a list: `[{}]`", print_value(value));
  if (const auto* text = value.get<std::string>()) {
    if (kinds & STRATA_PLUGIN) {
      const auto kind = static_cast<Kind>(option.plugin_kind);
      const std::string near = suggest_plugin(*text, {kind}, session.registry);
      return fmt::format("{} are written without quotes: `{}`", plural(kind),
                         near.empty() ? *text : near);
    }
    if ((kinds & (STRATA_INT | STRATA_FLOAT)) && parses_as_number(*text)) {
      return fmt::format("write it without quotes: `{}`", *text);
    }
    if ((kinds & STRATA_BOOL) && (*text == "true" || *text == "false")) {
      return fmt::format("write it without quotes: `{}`", *text);
    }
  }
  if (value.get<ListPtr>() && (kinds & STRATA_INT) && !(kinds & STRATA_LIST))
    return "write one number, not a list";
  if (const auto* call = value.get<CallPtr>(); call && (kinds & STRATA_STRING)) {
    return fmt::format("write it in quotes: `\"{}\"`", snake_case((*call)->name));
  }
  return {};
}

class Binder {
 public:
  Binder(std::string owner, const strata_option& option, Span span, Session& session)
      : owner_(std::move(owner)), option_(option), span_(span), session_(session) {}

  std::optional<OptionValue> run(const Value& value) {
    std::optional<OptionValue> converted = convert(value, option_.kinds, true);
    if (!converted) return std::nullopt;
    const std::string problem = check_option(option_, *converted);
    if (problem.empty()) {
      if (auto* text = std::get_if<std::string>(&converted->data);
          text && (option_.flags & STRATA_OPTION_PATH)) {
        if (!session_.options.allow_files) {
          session_.error("refused-options", span_, "this text may not name files");
          return std::nullopt;
        }
        *text = absolute_path(*text, span_);
      }
      return converted;
    }
    report(problem, value, *converted);
    return std::nullopt;
  }

 private:
  std::optional<OptionValue> convert(const Value& value, std::uint32_t kinds, bool outer) {
    if (value.is_unknown()) return std::nullopt;
    if (std::optional<OptionValue> simple = plain(value)) return simple;
    if (const auto* call = value.get<CallPtr>(); call && (kinds & STRATA_PLUGIN)) {
      const std::string where = fmt::format("`{}` of {}", option_.name, owner_);
      auto bound =
          bind_plugin(value, span_, static_cast<Kind>(option_.plugin_kind), where, session_);
      if (!bound) return std::nullopt;
      return OptionValue{std::make_shared<const PluginCall>(std::move(*bound))};
    }
    if (outer && (kinds & STRATA_LIST)) {
      OptionValue::List items;
      if (const auto* list = value.get<ListPtr>()) {
        for (const Value& item : (*list)->items) {
          std::optional<OptionValue> converted = convert(item, option_.item_kinds, false);
          if (!converted) return std::nullopt;
          items.push_back(std::move(*converted));
        }
        return OptionValue{std::move(items)};
      }
      if (const auto* range = value.get<Range>(); range && range->size() <= kMaxListWeight) {
        for (std::int64_t i = 0; i < range->size(); ++i)
          items.emplace_back().data = range->first + i;
        return OptionValue{std::move(items)};
      }
    }
    wrong_type(value);
    return std::nullopt;
  }

  void wrong_type(const Value& value) {
    Diagnostic& error = session_.error(
        "option-type", span_,
        fmt::format("`{}` must be {}, not {}", option_.name, describe_type(option_),
                    value.get<FlowRef>() ? "a value of the model" : print_value(value)));
    add_doc(error);
    error.help = value.get<FlowRef>()
                     ? "an option can read a value's attributes: `x.size`, `x.shape`"
                     : type_help(option_, value, span_, session_);
  }

  void report(const std::string& problem, const Value& value, const OptionValue& converted) {
    const auto* text = std::get_if<std::string>(&converted.data);
    const bool is_choice = text && (option_.kinds & STRATA_STRING) && option_.choice_count > 0;
    const bool range = !is_choice && is_range_problem(converted);
    Diagnostic& error = session_.error(is_choice ? "option-choice"
                                       : range   ? "option-range"
                                                 : "option-type",
                                       span_, problem);
    add_doc(error);
    if (is_choice) {
      std::vector<std::string> choices;
      for (std::int64_t i = 0; i < option_.choice_count; ++i)
        choices.emplace_back(option_.choices[i]);
      const std::string near = nearest_name(*text, choices);
      if (!near.empty()) error.help = fmt::format("did you mean \"{}\"?", near);
    } else if (!range) {
      error.help = type_help(option_, value, span_, session_);
    }
  }

  // Whether the type is fine, so that it is the amount that is not.
  bool is_range_problem(const OptionValue& value) const {
    const auto number_fits = [&](const OptionValue& x, std::uint32_t kinds) {
      if (std::holds_alternative<std::int64_t>(x.data))
        return (kinds & (STRATA_INT | STRATA_FLOAT)) != 0;
      return std::holds_alternative<double>(x.data) && (kinds & STRATA_FLOAT) != 0;
    };
    if (const auto* items = std::get_if<OptionValue::List>(&value.data)) {
      if (!(option_.kinds & STRATA_LIST)) return false;
      for (const OptionValue& item : *items) {
        if (!number_fits(item, option_.item_kinds)) return false;
      }
      return true;
    }
    return number_fits(value, option_.kinds);
  }

  void add_doc(Diagnostic& error) {
    if (option_.doc && *option_.doc) {
      error.notes.push_back({{}, fmt::format("`{}` of {}: {}", option_.name, owner_, option_.doc)});
    }
  }

  std::string owner_;
  const strata_option& option_;
  Span span_;
  Session& session_;
};

}  // namespace

std::vector<int> match_arguments(const Entry& entry, Span callee,
                                 const std::vector<ArgumentName>& arguments, Session& session,
                                 bool& sound) {
  const strata_schema& schema = entry.schema();
  std::vector<int> matched;
  std::vector<const ArgumentName*> given(static_cast<std::size_t>(schema.option_count), nullptr);
  int positional = 0;
  for (const ArgumentName& argument : arguments) {
    int index = -1;
    if (argument.name.empty()) {
      if (positional++ == 0 && schema.option_count > 0) {
        index = 0;
      } else {
        sound = false;
        Diagnostic& error = session.error(
            "too-many-arguments", argument.span,
            schema.option_count == 0
                ? fmt::format("`{}` takes no arguments", entry.name())
                : fmt::format("`{}` takes one argument by position, `{}`; all else is by name",
                              entry.name(), schema.options[0].name));
        if (schema.option_count > 1) {
          error.notes.push_back({{}, describe_options(entry)});
          if (positional == 2 && argument.text.size() < 30) {
            error.help = fmt::format("write `{} = {}`, or the option that is meant",
                                     schema.options[1].name, argument.text);
          }
        }
      }
    } else {
      index = entry.find_option(argument.name);
      if (index < 0) {
        sound = false;
        Diagnostic& error =
            session.error("unknown-option", argument.name_span,
                          fmt::format("`{}` has no option `{}`", entry.name(), argument.name));
        error.notes.push_back({{}, describe_options(entry)});
        error.help = suggest_option(entry, argument.name, argument.text);
      }
    }
    if (index >= 0) {
      const ArgumentName*& before = given[static_cast<std::size_t>(index)];
      if (before) {
        sound = false;
        session
            .error("duplicate-argument", argument.name.empty() ? argument.span : argument.name_span,
                   fmt::format("`{}` of `{}` is given twice", schema.options[index].name,
                               entry.name()))
            .notes.push_back({before->span, "first given here"});
        index = -1;
      } else {
        before = &argument;
      }
    }
    matched.push_back(index);
  }
  if (!sound) return matched;  // a misspelt option may be the required one
  for (std::int64_t i = 0; i < schema.option_count; ++i) {
    const strata_option& option = schema.options[i];
    if (!(option.flags & STRATA_OPTION_REQUIRED) || given[static_cast<std::size_t>(i)]) continue;
    sound = false;
    Diagnostic& error =
        session.error("missing-option", callee,
                      fmt::format("`{}` needs `{}`: {}", entry.name(), option.name, option.doc));
    error.notes.push_back({{}, fmt::format("`{}` is {}", option.name, describe_type(option))});
    if (schema.example && *schema.example)
      error.help = fmt::format("for example `{}`", schema.example);
  }
  return matched;
}

std::optional<PluginCall> bind_arguments(const Entry& entry, Span callee,
                                         const std::vector<CallArgument>& arguments,
                                         Session& session) {
  std::vector<ArgumentName> names;
  names.reserve(arguments.size());
  for (const CallArgument& argument : arguments) {
    names.push_back(
        {argument.name, argument.name_span, argument.span, print_value(argument.value)});
  }
  bool sound = true;
  const std::vector<int> matched = match_arguments(entry, callee, names, session, sound);
  const std::vector<OptionValue>* defaults = session.defaults_of(entry, callee);
  if (!defaults) return std::nullopt;
  PluginCall call{&entry, *defaults};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (matched[i] < 0) continue;
    const strata_option& option = entry.schema().options[matched[i]];
    std::optional<OptionValue> value =
        bind_option(entry, option, arguments[i].value, arguments[i].span, session);
    if (!value) {
      sound = false;
      continue;
    }
    call.options[static_cast<std::size_t>(matched[i])] = std::move(*value);
  }
  if (!sound) return std::nullopt;
  return call;
}

std::optional<OptionValue> bind_option(const Entry& entry, const strata_option& option,
                                       const Value& value, Span span, Session& session) {
  return Binder(fmt::format("`{}`", entry.name()), option, span, session).run(value);
}

std::optional<OptionValue> bind_value(const std::string& owner, const strata_option& option,
                                      const Value& value, Span span, Session& session) {
  return Binder(owner, option, span, session).run(value);
}

const Entry* find_wanted(std::string_view name, Span span, Kind wanted, Session& session,
                         const std::vector<std::string>& others, std::string_view what_else) {
  if (const Entry* entry = session.registry.find(wanted, name)) return entry;
  const std::vector<const Entry*> elsewhere = session.registry.find(name);
  if (!elsewhere.empty()) {
    session.error("wrong-kind", span,
                  fmt::format("`{}` is {}, and {} is wanted here", name,
                              a_kind(elsewhere.front()->kind()), a_kind(wanted)));
    return nullptr;
  }
  const std::string code = wanted == STRATA_LAYER ? "unknown-layer" : "unknown-plugin";
  Diagnostic& error = session.error(
      code, span, fmt::format("no {}{} is called `{}`", kind_name(wanted), what_else, name));
  error.help = did_you_mean(suggest_plugin(name, {wanted}, session.registry, others));
  if (error.help.empty() && wanted != STRATA_LAYER) {
    const std::vector<std::string> names = session.registry.names(wanted);
    if (!names.empty())
      error.notes.push_back({{}, fmt::format("{}: {}", plural(wanted), list_names(names, 20))});
  }
  return nullptr;
}

std::optional<PluginCall> bind_plugin(const Value& value, Span span, Kind wanted,
                                      const std::string& where, Session& session) {
  if (value.is_unknown()) return std::nullopt;
  const auto* call = value.get<CallPtr>();
  if (!call) {
    Diagnostic& error =
        session.error("option-type", span,
                      fmt::format("{} must be {}, not {} `{}`", where, a_kind(wanted),
                                  type_name(value), print_value(value)));
    const std::vector<std::string> names = session.registry.names(wanted);
    if (const auto* text = value.get<std::string>()) {
      const std::string near = suggest_plugin(*text, {wanted}, session.registry);
      if (!near.empty()) {
        error.help = fmt::format("{} are written without quotes: `{}`", plural(wanted), near);
        return std::nullopt;
      }
    }
    if (!names.empty())
      error.notes.push_back({{}, fmt::format("{}: {}", plural(wanted), list_names(names, 20))});
    return std::nullopt;
  }
  const Entry* entry = session.registry.find(wanted, (*call)->name);
  if (!entry) {
    const std::vector<const Entry*> elsewhere = session.registry.find((*call)->name);
    Diagnostic& error = session.error(
        "wrong-kind", span,
        fmt::format("{} must be {}, and `{}` is {}", where, a_kind(wanted), (*call)->name,
                    elsewhere.empty() ? "something else" : a_kind(elsewhere.front()->kind())));
    const std::vector<std::string> names = session.registry.names(wanted);
    if (!names.empty())
      error.notes.push_back({{}, fmt::format("{}: {}", plural(wanted), list_names(names, 20))});
    return std::nullopt;
  }
  if ((*call)->weight != 1 && wanted != STRATA_LOSS) {
    session.error("option-type", (*call)->span,
                  fmt::format("only a loss can be weighted, not {}", a_kind(wanted)));
    return std::nullopt;
  }
  return bind_arguments(*entry, (*call)->span, (*call)->arguments, session);
}

InstancePtr make_instance(PluginCall call, Span span, Session& session) {
  const std::string name = call.entry->name();
  Result<InstancePtr> made = Instance::create(std::move(call));
  if (made) return *made;
  session.error("refused-options", span, fmt::format("`{}`: {}", name, made.error().message)).help =
      made.error().hint;
  return nullptr;
}

}  // namespace strata::graph
