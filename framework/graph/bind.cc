// Names of plugins and of their arguments.
#include "framework/graph/bind.h"

#include <fmt/format.h>

#include "framework/base/text.h"
#include "framework/graph/suggest.h"

namespace strata::graph {
namespace {

using CallPtr = std::shared_ptr<const CallValue>;

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
