// Values of options and settings: types, ranges and choices, against what is declared.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <filesystem>

#include "framework/base/text.h"
#include "framework/graph/bind.h"
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

}  // namespace

std::optional<OptionValue> bind_option(const Entry& entry, const strata_option& option,
                                       const Value& value, Span span, Session& session) {
  return Binder(fmt::format("`{}`", entry.name()), option, span, session).run(value);
}

std::optional<OptionValue> bind_value(const std::string& owner, const strata_option& option,
                                      const Value& value, Span span, Session& session) {
  return Binder(owner, option, span, session).run(value);
}

}  // namespace strata::graph
