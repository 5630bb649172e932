// Lets and params: evaluated once, params checked against type and domain.
#include <fmt/format.h>

#include <algorithm>

#include "framework/base/text.h"
#include "framework/graph/declarations.h"
#include "framework/graph/paths.h"
#include "framework/graph/suggest.h"

namespace strata::graph {
namespace {

using ListPtr = std::shared_ptr<const List>;

constexpr int kMaxDepth = 100;  // of constants that are read before they were evaluated

const std::vector<std::string> kTypes{"int", "float", "str", "bool", "list"};

// A type by its name, as it is in other languages where it is not one of ours.
std::string type_help(const std::string& name) {
  static const std::map<std::string, std::string, std::less<>> kForeign{
      {"string", "str"},   {"integer", "int"}, {"double", "float"}, {"number", "float"},
      {"boolean", "bool"}, {"real", "float"},  {"array", "list"},   {"tuple", "list"}};
  const auto at = kForeign.find(name);
  return did_you_mean(at != kForeign.end() ? at->second : nearest_name(name, kTypes));
}

}  // namespace

std::optional<Value> GlobalNames::find(std::string_view name, Span use) {
  Constant* constant = declarations_.find_constant(name);
  if (!constant) {
    if (declarations_.is_incomplete(name)) return Value{};
    return std::nullopt;
  }
  if (constant->state == Constant::kEvaluating) {
    session_
        .error("circular-definition", use,
               fmt::format("the value of `{}` depends on itself", constant->name->text))
        .notes.push_back({constant->name->span, "defined here"});
    return Value{};
  }
  return evaluate_constant(*constant);
}

void GlobalNames::list(std::vector<std::string>& names) const {
  for (const Constant& constant : declarations_.constants) names.push_back(constant.name->text);
}

Value GlobalNames::evaluate_constant(Constant& constant) {
  if (constant.state != Constant::kNew) return constant.result;
  if (depth_ >= kMaxDepth) {
    session_
        .error(
            "too-deep", constant.name->span,
            fmt::format("more than {} constants that follow here build on one another", kMaxDepth))
        .help = "define them in the order in which they are used";
    constant.state = Constant::kDone;
    return constant.result;
  }
  constant.state = Constant::kEvaluating;
  ++depth_;
  std::vector<Session::Frame> frames;
  frames.swap(session_.frames);  // a global's mistakes are not those of who reads it
  Value value = evaluate(*constant.value, *this, session_);
  if (constant.param) value = check_param(constant, std::move(value), constant.value->span);
  if (constant.overridden) {
    const dsl::Override& given = *constant.overridden;
    const bool wants_text = constant.param && constant.param->type.text == "str";
    const bool literal = std::holds_alternative<dsl::StringLiteral>(given.value.node);
    value = wants_text && !literal ? Value(given.raw_value)
                                   : override_value(given, nullptr, *this, session_);
    value = check_param(constant, std::move(value), given.value.span);
  }
  frames.swap(session_.frames);
  --depth_;
  constant.result = std::move(value);
  constant.state = Constant::kDone;
  return constant.result;
}

Value GlobalNames::check_param(Constant& constant, Value value, Span span) {
  const dsl::ParamSection& param = *constant.param;
  const std::string& type = param.type.text;
  if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) {
    Diagnostic& error = session_.error("unknown-type", param.type.span,
                                       fmt::format("no type is called `{}`", type));
    error.notes.push_back({{}, "types: " + list_names(kTypes)});
    error.help = type_help(type);
    return {};
  }
  if (value.is_unknown()) return {};
  if (const auto* i = value.get<std::int64_t>(); i && type == "float")
    value = static_cast<double>(*i);
  const bool fits = type_name(value) == type || (type == "list" && value.get<Range>());
  if (!fits) {
    Diagnostic& error = session_.error("param-type", span,
                                       fmt::format("`{}` is a param of type {}, and this is {}",
                                                   param.name.text, type, described(value)));
    if (span.begin != constant.value->span.begin || span.file != constant.value->span.file) {
      error.notes.push_back({param.name.span, "defined here"});
    }
    return {};
  }
  if (!param.domain) return value;
  const Value domain = evaluate(*param.domain, *this, session_);
  if (domain.is_unknown()) return value;
  bool inside = false;
  const auto* range = domain.get<Range>();
  const auto* list = domain.get<ListPtr>();
  const bool is_interval = std::holds_alternative<dsl::RangeExpr>(param.domain->node);
  if (range || is_interval) {
    if (!value.is_number()) {
      session_.error(
          "param-domain", param.domain->span,
          fmt::format("a range is for numbers, and `{}` is a {}", param.name.text, type));
      return value;
    }
    const double low = range ? static_cast<double>(range->first) : (*list)->items[0].number();
    const double high = range ? static_cast<double>(range->last) : (*list)->items[1].number();
    if (high < low) {
      session_.error("param-domain", param.domain->span,
                     "no value lies in this range: its end is below its beginning");
      return value;
    }
    inside = value.number() >= low && value.number() <= high;
  } else if (list) {
    for (const Value& item : (*list)->items) {
      const bool same_type = type_name(item) == type || (type == "float" && item.is_number());
      if (!item.is_unknown() && !same_type) {
        session_.error("param-domain", param.domain->span,
                       fmt::format("the allowed values of `{}` must be of type {}, and {} is {}",
                                   param.name.text, type, print_value(item), a_type(item)));
        return value;
      }
      inside = inside || equal(item, value);
    }
  } else {
    session_.error("param-domain", param.domain->span,
                   fmt::format("after `in` comes a range or a list of values, not {} `{}`",
                               type_name(domain), print_value(domain)));
    return value;
  }
  if (inside) return value;
  const std::string shown =
      is_interval ? std::string(param.domain->span.text()) : print_value(domain);
  Diagnostic& error = session_.error(
      "param-range", span,
      fmt::format("`{}` must be {} {}, not {}", param.name.text,
                  list ? (is_interval ? "in" : "one of") : "in", shown, print_value(value)));
  error.notes.push_back({param.domain->span, "allowed by this"});
  if (const auto* text = value.get<std::string>(); text && list) {
    std::vector<std::string> choices;
    for (const Value& item : (*list)->items) {
      if (const auto* choice = item.get<std::string>()) choices.push_back(*choice);
    }
    const std::string near = nearest_name(*text, choices);
    if (!near.empty()) error.help = fmt::format("did you mean {}?", print_string(near));
  }
  return {};
}

}  // namespace strata::graph
