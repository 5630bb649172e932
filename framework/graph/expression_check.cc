// Names in expressions.
#include "framework/graph/expression_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/graph/bind.h"
#include "framework/graph/suggest.h"

namespace strata::graph {
namespace {

// Which of several things of one name an option wants; null where that is left open, or where it
// is of the wrong kind (said when it is bound).
const Entry* meant(const std::vector<const Entry*>& entries, const strata_option* option) {
  if (option && (option->kinds & STRATA_PLUGIN)) {
    for (const Entry* entry : entries) {
      if (entry->kind() == option->plugin_kind) return entry;
    }
    return nullptr;
  }
  return entries.size() == 1 ? entries.front() : nullptr;
}

// The kinds that a value for `option` may be of.
std::vector<Kind> kinds_of(const strata_option* option) {
  if (option && (option->kinds & STRATA_PLUGIN)) return {static_cast<Kind>(option->plugin_kind)};
  return {STRATA_LAYER,    STRATA_LOSS,        STRATA_METRIC,  STRATA_OPTIMIZER,
          STRATA_SCHEDULE, STRATA_INITIALIZER, STRATA_DATASET, STRATA_TRANSFORM};
}

std::string text_of(const dsl::Expr& expr) { return std::string(expr.span.text().substr(0, 60)); }

}  // namespace

void ExpressionCheck::expression(const dsl::Expr& expr, const strata_option* option) {
  if (const auto* reference = std::get_if<dsl::Reference>(&expr.node)) {
    if (reference->path.parts.empty()) return;
    const dsl::Name& head = reference->path.parts.front();
    if (known(head)) return;
    if (reference->path.parts.size() > 1 && is_module(head.text)) {
      return report_dotted_name(reference->path.text(), expr.span, {}, kinds_of(option), session_);
    }
    if (reference->path.parts.size() == 1) {
      const std::vector<const Entry*> entries = session_.registry.find(head.text);
      if (!entries.empty()) {
        if (const Entry* entry = meant(entries, option)) options(*entry, head.span, {}, 0);
        return;
      }
    }
    const bool capital = !head.text.empty() && head.text[0] >= 'A' && head.text[0] <= 'Z';
    if (capital && option && (option->kinds & STRATA_PLUGIN) && reference->path.parts.size() == 1) {
      find_wanted(head.text, head.span, static_cast<Kind>(option->plugin_kind), session_);
      return;
    }
    Diagnostic& error = unknown(head, option);
    if (option && (option->kinds & STRATA_STRING) && reference->path.parts.size() > 1)
      error.help = fmt::format("write it in quotes: `\"{}\"`", reference->path.text());
  } else if (const auto* call = std::get_if<dsl::CallExpr>(&expr.node)) {
    call_expression(*call, option);
  } else if (const auto* list = std::get_if<dsl::ListExpr>(&expr.node)) {
    for (const dsl::Argument& item : list->items) {
      if (item.value) expression(*item.value, option);
    }
  } else if (const auto* range = std::get_if<dsl::RangeExpr>(&expr.node)) {
    expression(*range->first);
    expression(*range->last);
  } else if (const auto* unary = std::get_if<dsl::UnaryExpr>(&expr.node)) {
    expression(*unary->operand);
  } else if (const auto* chain = std::get_if<dsl::ChainExpr>(&expr.node)) {
    expression(*chain->first);
    for (const auto& link : chain->rest) expression(*link.operand);
  } else if (const auto* conditional = std::get_if<dsl::ConditionalExpr>(&expr.node)) {
    for (const auto& branch : conditional->branches) {
      expression(*branch.condition);
      expression(*branch.value, option);
    }
    if (conditional->otherwise) expression(*conditional->otherwise, option);
  }
}

void ExpressionCheck::call_expression(const dsl::CallExpr& call, const strata_option* option) {
  if (is_function(call.callee.text)) {
    for (const dsl::Argument& argument : call.arguments) {
      if (argument.value) expression(*argument.value);
    }
    return;
  }
  const std::vector<const Entry*> entries = session_.registry.find(call.callee.text);
  if (entries.empty()) {
    if (declarations_.is_incomplete(call.callee.text)) return;
    if (const std::size_t dot = call.callee.text.find('.'); dot != std::string::npos) {
      std::vector<ArgumentName> arguments;
      for (const dsl::Argument& argument : call.arguments) {
        if (!argument.value) continue;
        mark_used(*argument.value);
        ArgumentName& given = arguments.emplace_back();
        given.text = text_of(*argument.value);
        if (argument.name) given.name = argument.name->text;
      }
      const Local* owner = lookup(call.callee.text.substr(0, dot));
      return report_dotted_name(call.callee.text, call.callee.span, arguments, kinds_of(option),
                                session_, owner && owner->may_flow());
    }
    if (declarations_.find_block(call.callee.text)) {
      session_
          .error("wrong-kind", call.callee.span,
                 fmt::format("`{}` is a block: it stands in a flow, not in an expression",
                             call.callee.text))
          .help = "name its value in a statement: `y = x -> " + call.callee.text + "`";
      return;
    }
    if (option && (option->kinds & STRATA_PLUGIN)) {
      find_wanted(call.callee.text, call.callee.span, static_cast<Kind>(option->plugin_kind),
                  session_);
    } else {
      report_unknown_callee(call.callee, session_);
    }
    return;
  }
  const Entry* entry = meant(entries, option);
  const bool takes_names = std::any_of(entries.begin(), entries.end(), [](const Entry* e) {
    return e->kind() == STRATA_LOSS || e->kind() == STRATA_METRIC;
  });
  if (entry && !takes_names) return options(*entry, call.callee.span, call.arguments, 0);
  std::vector<ArgumentName> named;
  for (const dsl::Argument& argument : call.arguments) {
    if (!argument.value) continue;
    const strata_option* wanted = nullptr;
    if (argument.name) {
      named.push_back({argument.name->text, argument.name->span, argument.value->span,
                       text_of(*argument.value)});
      const int index = entry ? entry->find_option(argument.name->text) : -1;
      if (index >= 0) wanted = &entry->schema().options[index];
    } else if (takes_names && std::holds_alternative<dsl::Reference>(argument.value->node)) {
      continue;
    }
    expression(*argument.value, wanted);
  }
  bool sound = true;
  if (entry) match_arguments(*entry, call.callee.span, named, session_, sound);
}

void ExpressionCheck::options(const Entry& entry, Span callee,
                              const std::vector<dsl::Argument>& arguments, std::size_t first) {
  std::vector<ArgumentName> names;
  std::vector<const dsl::Expr*> values;
  for (std::size_t i = first; i < arguments.size(); ++i) {
    const dsl::Argument& argument = arguments[i];
    if (!argument.value) return;
    ArgumentName name{{}, argument.span, argument.value->span, text_of(*argument.value)};
    if (argument.name) {
      name.name = argument.name->text;
      name.name_span = argument.name->span;
    }
    names.push_back(name);
    values.push_back(argument.value.get());
  }
  bool sound = true;
  const std::vector<int> matched = match_arguments(entry, callee, names, session_, sound);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (matched[i] < 0 &&
        !names[i].name.empty()) {  // an option that does not exist: its value may be foreign
      mark_used(*values[i]);
      continue;
    }
    expression(*values[i], matched[i] < 0 ? nullptr : &entry.schema().options[matched[i]]);
  }
}

void ExpressionCheck::mark_used(const dsl::Expr& expr) {
  if (const auto* reference = std::get_if<dsl::Reference>(&expr.node)) {
    if (!reference->path.parts.empty()) known(reference->path.parts.front());
  } else if (const auto* call = std::get_if<dsl::CallExpr>(&expr.node)) {
    for (const auto& argument : call->arguments) {
      if (argument.value) mark_used(*argument.value);
    }
  } else if (const auto* list = std::get_if<dsl::ListExpr>(&expr.node)) {
    for (const auto& item : list->items) {
      if (item.value) mark_used(*item.value);
    }
  } else if (const auto* unary = std::get_if<dsl::UnaryExpr>(&expr.node)) {
    mark_used(*unary->operand);
  } else if (const auto* chain = std::get_if<dsl::ChainExpr>(&expr.node)) {
    mark_used(*chain->first);
    for (const auto& link : chain->rest) mark_used(*link.operand);
  } else if (const auto* conditional = std::get_if<dsl::ConditionalExpr>(&expr.node)) {
    for (const auto& branch : conditional->branches) {
      mark_used(*branch.condition);
      mark_used(*branch.value);
    }
    if (conditional->otherwise) mark_used(*conditional->otherwise);
  }
}

}  // namespace strata::graph
