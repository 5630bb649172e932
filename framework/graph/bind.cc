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
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(x);
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

// PyTorch's first argument of an optimizer, `model.parameters()`; reported as the call that it is.
bool is_all_weights(std::string_view text) { return text.ends_with(".parameters()"); }

// All arguments by position behind the first are one mistake.
void report_extra_arguments(const Entry& entry, const std::vector<ArgumentName>& arguments,
                            Session& session) {
  const strata_schema& schema = entry.schema();
  std::vector<std::string> positional;
  Span extra;
  for (const ArgumentName& argument : arguments) {
    if (!argument.name.empty()) continue;
    if (!positional.empty()) extra = cover(extra, argument.span);
    positional.push_back(argument.text);
  }
  Diagnostic& error =
      session.error("too-many-arguments", extra,
                    fmt::format("`{}` takes one argument by position, `{}`; all else is by name",
                                entry.name(), schema.options[0].name));
  if (schema.option_count < 2) return;
  error.notes.push_back({{}, describe_options(entry)});
  const strata_option& second = schema.options[1];
  const bool counts = entry.kind() == STRATA_LAYER && gives_input_count(positional);
  const bool second_fits = second.kinds & (STRATA_INT | STRATA_FLOAT);
  if (counts && positional.size() == 2 && !second_fits) {  // Dense(784, 64)
    error.help = fmt::format("write `{}({})`: how many values come in is known", entry.name(),
                             positional[1]);
  } else if (counts && positional.size() == 3 && second_fits) {  // Conv2D(1, 32, 3)
    error.help = fmt::format("write `{}({}, {} = {})`: how many channels come in is known",
                             entry.name(), positional[1], second.name, positional[2]);
  } else if (positional.size() == 2 && positional[1].starts_with('"')) {
    error.help = suggest_activation(positional[1]);
  } else if (positional.size() == 2 && positional[1].size() < 30 &&
             (second_fits || !gives_input_count({"1", positional[1]}))) {
    error.help =
        fmt::format("write `{} = {}`, or the option that is meant", second.name, positional[1]);
  }
}

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
    if (argument.name.empty() && is_all_weights(argument.text)) {
      sound = false;
    } else if (argument.name.empty()) {
      if (positional++ == 0 && schema.option_count > 0) {
        index = 0;
      } else {
        sound = false;
        if (schema.option_count == 0) {
          session.error("too-many-arguments", argument.span,
                        fmt::format("`{}` takes no arguments", entry.name()));
        } else if (positional == 2) {
          report_extra_arguments(entry, arguments, session);
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
    std::string text = argument.value.is_unknown() ? std::string(argument.span.text().substr(0, 60))
                                                   : print_value(argument.value);
    names.push_back({argument.name, argument.name_span, argument.span, std::move(text)});
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

namespace {

// Lists what there is; once for each kind, since lists are long.
void note_names(Kind kind, Diagnostic& error, const Session& session) {
  const std::vector<std::string> names = session.registry.names(kind);
  if (names.empty()) return;
  std::string note = fmt::format("{}: {}", plural(kind), list_names(names, 20));
  for (const Diagnostic& said : session.said()) {
    for (const Note& other : said.notes) {
      if (other.message == note) return;
    }
  }
  error.notes.push_back({{}, std::move(note)});
}

}  // namespace

void report_dotted_name(std::string_view name, Span span,
                        const std::vector<ArgumentName>& arguments, const std::vector<Kind>& kinds,
                        Session& session, bool of_value) {
  if (session.has_error_at(span)) return;
  const std::string_view last = name.substr(name.rfind('.') + 1);
  std::vector<std::string> positional;
  for (const ArgumentName& argument : arguments) {
    if (argument.name.empty() && !is_all_weights(argument.text))
      positional.push_back(argument.text);
  }
  const bool named = positional.size() < arguments.size();
  std::string written = suggest_call(last, positional, named, kinds, session.registry);
  Diagnostic& error = session.error(
      "dotted-name", span,
      fmt::format("`{}` is called {}", name, of_value ? "like a method" : "with a prefix"));
  if (of_value) {
    if (!our_name(last, kinds, session.registry).empty()) {
      error.help = fmt::format("values have no methods: write `{} -> {}`",
                               name.substr(0, name.find('.')), written);
    } else {
      error.help =
          "values have no methods: write a stage, `x -> Layer(…)`, or a function, `max(a, b)`";
    }
    return;
  }
  if (!written.empty()) {
    error.help = fmt::format("names have no module: write `{}`", written);
    if (gives_input_count(positional) && kinds == std::vector<Kind>{STRATA_LAYER})
      error.help += "; how many values come in is known";
    return;
  }
  error.help = foreign_advice(last);
  if (!error.help.empty()) return;
  error.help = fmt::format("names have no module, and nothing here is called `{}`", last);
  if (kinds.size() == 1) note_names(kinds[0], error, session);
}

const Entry* find_wanted(std::string_view name, Span span, Kind wanted, Session& session,
                         const std::vector<std::string>& others, std::string_view what_else) {
  if (const Entry* entry = session.registry.find(wanted, name)) return entry;
  if (name.find('.') != std::string_view::npos) {
    report_dotted_name(name, span, {}, {wanted}, session);
    return nullptr;
  }
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
  if (error.help.empty()) error.help = foreign_advice(name);
  if (error.help.empty()) note_names(wanted, error, session);
  return nullptr;
}

std::optional<PluginCall> bind_plugin(const Value& value, Span span, Kind wanted,
                                      const std::string& where, Session& session) {
  if (value.is_unknown()) return std::nullopt;
  const auto* call = value.get<CallPtr>();
  if (!call) {
    Diagnostic& error = session.error(
        "option-type", span,
        fmt::format("{} must be {}, not {}", where, a_kind(wanted), described(value)));
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
  session
      .error(code_for(made.error(), "refused-options"), span,
             fmt::format("`{}`: {}", name, made.error().message))
      .help = made.error().hint;
  return nullptr;
}

}  // namespace strata::graph
