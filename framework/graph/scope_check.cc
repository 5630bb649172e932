// Names at a place.
#include "framework/graph/scope_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/base/text.h"
#include "framework/graph/suggest.h"

namespace strata::graph {
namespace {

// `ReLU` as a name of one's own: "my_relu".
std::string own_name(const std::string& taken) { return "my_" + snake_case(taken); }

}  // namespace

void ScopeNames::list(std::vector<std::string>& names) const {
  for (const auto& frame : frames_) {
    for (const auto& [name, local] : frame) names.push_back(name);
  }
  for (const Constant& constant : declarations_.constants) names.push_back(constant.name->text);
  std::sort(names.begin(), names.end());
}

Local* ScopeNames::lookup(std::string_view name) {
  const std::string key(name);
  for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
    const auto at = frame->find(key);
    if (at != frame->end()) return &at->second;
  }
  return nullptr;
}

bool ScopeNames::free_name(const dsl::Name& name) {
  const std::vector<const Entry*> taken = session_.registry.find(name.text);
  if (taken.empty()) return true;
  session_
      .error("reserved-name", name.span,
             fmt::format("`{}` is {} already", name.text, a_kind(taken.front()->kind())))
      .help = fmt::format("choose another name, such as `{}`", own_name(name.text));
  return false;
}

void ScopeNames::lint_case(const dsl::Name& name, std::string_view what) {
  const bool capital =
      std::any_of(name.text.begin(), name.text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!capital || !session_.registry.find(name.text).empty()) return;
  session_
      .lint("name-case", name.span,
            fmt::format("the name of a {} has capital letters, as registered things have", what))
      .help = fmt::format("write `{}`", snake_case(name.text));
}

void ScopeNames::define(const dsl::Name& name, What what) {
  if (name.text.empty()) return;  // a syntax error kept it from being read
  free_name(name);
  if (lint_cases_)
    lint_case(name, what == What::kParameter ? "parameter"
                    : what == What::kInput   ? "input"
                                             : "value");
  if (const Local* before = lookup(name.text)) {
    Diagnostic& error = session_.error("duplicate-name", name.span,
                                       fmt::format("`{}` is defined already", name.text));
    error.notes.push_back({before->defined, "first defined here"});
    return;
  }
  frames_.back().emplace(name.text, Local{name.span, what, false});
}

void ScopeNames::close_frame(bool lints) {
  for (const auto& [name, local] : frames_.back()) {
    inner_.try_emplace(name, local.defined);
    if (local.used || !lints || local.what == What::kAlias || local.what == What::kLoopVariable)
      continue;
    const std::string_view noun = local.what == What::kParameter ? "the parameter "
                                  : local.what == What::kInput   ? "the input "
                                                                 : "";
    session_.lint("unused-value", local.defined, fmt::format("{}`{}` is never used", noun, name));
  }
  frames_.pop_back();
}

Diagnostic& ScopeNames::unknown(const dsl::Name& name, const strata_option* option) {
  Diagnostic& error = report_unknown_name(name, *this, session_);
  for (std::int64_t i = 0; option && i < option->choice_count; ++i) {
    if (name.text == option->choices[i])
      error.help = fmt::format("write it in quotes: `\"{}\"`", name.text);
  }
  const auto inner = inner_.find(name.text);
  if (inner != inner_.end()) {
    error.notes.push_back(
        {inner->second,
         fmt::format("`{}` is named here, and known only inside these braces", name.text)});
    error.help.clear();
  } else if (const auto later = upcoming_.find(name.text); later != upcoming_.end()) {
    error.notes.push_back(
        {later->second, fmt::format("`{}` is made only here, further down", name.text)});
    error.help.clear();
  }
  return error;
}

// The same where a flow begins.
void ScopeNames::unknown_value(const dsl::Name& name) {
  Diagnostic& error = unknown(name, nullptr);
  if (upcoming_.contains(name.text) || inner_.contains(name.text) || session_.full()) return;
  std::vector<std::string> values;
  for (const Frame& frame : frames_) {
    for (const auto& [known_name, local] : frame) {
      if (local.may_flow() && values.size() < 1000) values.push_back(known_name);
    }
  }
  std::sort(values.begin(), values.end());
  if (!values.empty()) error.notes.push_back({{}, "values here: " + list_names(values)});
}

bool ScopeNames::known(const dsl::Name& head) {
  if (Local* local = lookup(head.text)) return local->used = true;
  if (Constant* constant = declarations_.find_constant(head.text)) return constant->used = true;
  return declarations_.is_incomplete(head.text);
}

}  // namespace strata::graph
