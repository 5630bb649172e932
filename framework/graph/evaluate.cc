// The walk over an expression. Operators and functions are in files of their own.
#include "framework/graph/evaluate.h"

#include <fmt/format.h>

#include "framework/graph/study_draw.h"
#include "framework/graph/suggest.h"

namespace strata::graph {
namespace {

const std::vector<Kind> kEveryKind{STRATA_LAYER,     STRATA_LOSS,     STRATA_METRIC,
                                   STRATA_OPTIMIZER, STRATA_SCHEDULE, STRATA_INITIALIZER,
                                   STRATA_DATASET,   STRATA_TRANSFORM};

class Evaluator {
 public:
  Evaluator(Names& names, Session& session) : names_(names), session_(session) {}

  Value run(const dsl::Expr& expr) {
    if (!session_.spend(1, expr.span)) return {};
    return std::visit([&](const auto& node) { return value_of(node, expr); }, expr.node);
  }

 private:
  Value value_of(const dsl::ErrorExpr&, const dsl::Expr&) { return {}; }
  Value value_of(const dsl::NoneLiteral&, const dsl::Expr&) { return None{}; }
  Value value_of(const dsl::BoolLiteral& literal, const dsl::Expr&) { return literal.value; }
  Value value_of(const dsl::IntLiteral& literal, const dsl::Expr&) { return literal.value; }
  Value value_of(const dsl::FloatLiteral& literal, const dsl::Expr&) { return literal.value; }
  Value value_of(const dsl::StringLiteral& literal, const dsl::Expr&) { return literal.value; }

  Value value_of(const dsl::ListExpr& list, const dsl::Expr& expr) {
    std::vector<Value> items;
    items.reserve(list.items.size());
    std::int64_t weight = 1;
    for (const dsl::Argument& item : list.items) {
      if (!item.value) continue;
      items.push_back(run(*item.value));
      weight += weight_of(items.back());
      if (weight > kMaxListWeight) {
        session_.error("list-too-long", expr.span,
                       fmt::format("a list holds at most {} values", kMaxListWeight));
        return {};
      }
    }
    return make_list(std::move(items));
  }

  Value value_of(const dsl::RangeExpr& range, const dsl::Expr&) {
    const Value first = run(*range.first), last = run(*range.last);
    if (first.is_unknown() || last.is_unknown()) return {};
    const auto *from = first.get<std::int64_t>(), *to = last.get<std::int64_t>();
    if (from && to) return Range{*from, *to};
    if (first.is_number() && last.is_number())
      return make_list({first, last});  // 0.1..1.0: the domain of a param
    const bool bad_first = !first.is_number();
    session_.error("wrong-type", bad_first ? range.first->span : range.last->span,
                   fmt::format("a range goes from a number to a number, not {} `{}`",
                               bad_first ? "from" : "to", print_value(bad_first ? first : last)));
    return {};
  }

  Value value_of(const dsl::Reference& reference, const dsl::Expr& expr) {
    const dsl::Path& path = reference.path;
    if (path.parts.empty()) return {};
    if (path.parts.size() > 1) {
      if (std::optional<Value> whole = names_.find_path(path)) return *whole;
    }
    const dsl::Name& head = path.parts.front();
    std::optional<Value> value = names_.find(head.text, head.span);
    if (!value) {
      if (path.parts.size() == 1 && !session_.registry.find(head.text).empty()) {
        return plugin_call(head, expr.span, {});
      }
      report_unknown_name(head, names_, session_);
      return {};
    }
    for (std::size_t i = 1; i < path.parts.size(); ++i) value = attribute(*value, path, i);
    return *value;
  }

  Value attribute(const Value& value, const dsl::Path& path, std::size_t part) {
    if (value.is_unknown()) return {};
    const dsl::Name& name = path.parts[part];
    const auto* flow = value.get<FlowRef>();
    if (!flow) {
      session_.error("unknown-attribute", name.span,
                     fmt::format("`{}` is {}, which has no attributes", path.parts[part - 1].text,
                                 a_type(value)));
      return {};
    }
    if (flow->id < 0 || !session_.graph) return {};
    const Shape& shape = session_.graph->values[static_cast<std::size_t>(flow->id)].shape;
    if (name.text == "rank") return static_cast<std::int64_t>(shape.rank());
    if (name.text == "size") return shape.elements();
    if (name.text == "shape") {
      std::vector<Value> dims;
      for (const std::int64_t dim : shape) dims.emplace_back(dim);
      return make_list(std::move(dims));
    }
    static constexpr std::string_view kAxes[][4] = {{"features"},
                                                    {"height", "width"},
                                                    {"channels", "height", "width"},
                                                    {"channels", "depth", "height", "width"}};
    std::vector<std::string> known{"shape", "rank", "size"};
    if (shape.rank() >= 1 && shape.rank() <= 4) {
      for (int axis = 0; axis < shape.rank(); ++axis) {
        const std::string_view axis_name = kAxes[shape.rank() - 1][axis];
        if (name.text == axis_name) return shape[axis];
        known.emplace_back(axis_name);
      }
    }
    Diagnostic& error =
        session_.error("unknown-attribute", name.span,
                       fmt::format("`{}` has no attribute `{}`: its shape is {}",
                                   path.parts[part - 1].text, name.text, shape.text()));
    error.notes.push_back({{}, "a value of this shape has " + list_names(known)});
    error.help = did_you_mean(nearest_name(name.text, known));
    return {};
  }

  Value value_of(const dsl::CallExpr& call, const dsl::Expr& expr) {
    if (is_function(call.callee.text)) return function_call(call, expr);
    const std::vector<const Entry*> entries = session_.registry.find(call.callee.text);
    if (entries.empty()) {
      report_unknown_callee(call.callee, session_);
      return {};  // what stands in it may make sense only to what was meant
    }
    return plugin_call(call.callee, expr.span, call.arguments);
  }

  Value function_call(const dsl::CallExpr& call, const dsl::Expr& expr) {
    std::vector<Value> arguments;
    bool known = true;
    for (const dsl::Argument& argument : call.arguments) {
      if (argument.name) {
        session_.error(
            "unknown-option", argument.name->span,
            fmt::format("`{}` takes its arguments by position, not by name", call.callee.text));
        known = false;
      }
      if (!argument.value) return {};
      arguments.push_back(run(*argument.value));
      known = known && !arguments.back().is_unknown();
    }
    return known ? apply_function(call, expr.span, arguments, session_) : Value{};
  }

  // `name` is registered, under one kind or several.
  Value plugin_call(const dsl::Name& name, Span span, const std::vector<dsl::Argument>& arguments) {
    auto call = std::make_shared<CallValue>();
    call->name = name.text;
    call->span = span;
    const std::vector<const Entry*> entries = session_.registry.find(name.text);
    bool takes_names =
        false;  // CrossEntropy(logits, label): given meaning by the model and the data
    for (const Entry* entry : entries) {
      takes_names = takes_names || entry->kind() == STRATA_LOSS || entry->kind() == STRATA_METRIC;
    }
    if (entries.size() == 1) call->kind = kind_name(entries.front()->kind());
    // Some losses are metrics too (MeanSquaredError); both may have a weight.
    if (entries.size() > 1 && takes_names) call->kind = kind_name(STRATA_LOSS);
    std::int64_t weight = 1;
    for (const dsl::Argument& argument : arguments) {
      CallArgument evaluated;
      if (argument.name) {
        evaluated.name = argument.name->text;
        evaluated.name_span = argument.name->span;
      }
      if (!argument.value) return {};
      evaluated.span = argument.value->span;
      const auto* reference = std::get_if<dsl::Reference>(&argument.value->node);
      if (takes_names && !argument.name && reference && reference->path.parts.size() == 1) {
        evaluated.value = Symbol{reference->path.parts.front().text};
      } else {
        evaluated.value = run(*argument.value);
      }
      weight += weight_of(evaluated.value);
      if (weight > kMaxListWeight) return {};
      call->arguments.push_back(std::move(evaluated));
    }
    return std::shared_ptr<const CallValue>(std::move(call));
  }

  Value value_of(const dsl::UnaryExpr& unary, const dsl::Expr& expr) {
    const Value operand = run(*unary.operand);
    if (operand.is_unknown()) return {};
    if (unary.op == dsl::UnaryOp::kNot) {
      const auto* truth = operand.get<bool>();
      if (truth) return !*truth;
      session_.error("wrong-type", unary.operand->span,
                     fmt::format("`not` wants a bool, not {}", described(operand)));
      return {};
    }
    return apply_unary(unary.op, operand, expr.span, session_);
  }

  Value value_of(const dsl::ChainExpr& chain, const dsl::Expr&) {
    if (chain.rest.empty()) return run(*chain.first);
    const dsl::BinaryOp op = chain.rest.front().op;
    if (op == dsl::BinaryOp::kAnd || op == dsl::BinaryOp::kOr)
      return logic(chain, op == dsl::BinaryOp::kAnd);
    if (op == dsl::BinaryOp::kPower) return power(chain);
    Value left = run(*chain.first);
    Span left_span = chain.first->span;
    for (const dsl::ChainExpr::Link& link : chain.rest) {
      const Value right = run(*link.operand);
      left = left.is_unknown() || right.is_unknown()
                 ? Value{}
                 : apply_binary(link.op, left, left_span, right, link.operand->span, link.op_span,
                                session_);
      left_span = cover(left_span, link.operand->span);
    }
    return left;
  }

  Value power(const dsl::ChainExpr& chain) {
    Value right = run(*chain.rest.back().operand);
    Span right_span = chain.rest.back().operand->span;
    for (std::size_t i = chain.rest.size(); i-- > 0;) {
      const dsl::Expr& operand = i == 0 ? *chain.first : *chain.rest[i - 1].operand;
      const Value left = run(operand);
      right = left.is_unknown() || right.is_unknown()
                  ? Value{}
                  : apply_binary(dsl::BinaryOp::kPower, left, operand.span, right, right_span,
                                 chain.rest[i].op_span, session_);
      right_span = cover(operand.span, right_span);
    }
    return right;
  }

  Value logic(const dsl::ChainExpr& chain, bool is_and) {
    for (std::size_t i = 0; i <= chain.rest.size(); ++i) {
      const dsl::Expr& operand = i == 0 ? *chain.first : *chain.rest[i - 1].operand;
      const Value value = run(operand);
      if (value.is_unknown()) return {};
      const auto* truth = value.get<bool>();
      if (!truth) {
        session_.error(
            "wrong-type", operand.span,
            fmt::format("`{}` joins bools, not {}", is_and ? "and" : "or", described(value)));
        return {};
      }
      if (*truth != is_and) return *truth;
    }
    return is_and;
  }

  Value value_of(const dsl::ConditionalExpr& conditional, const dsl::Expr&) {
    for (const dsl::ConditionalExpr::Branch& branch : conditional.branches) {
      const std::optional<bool> chosen = evaluate_condition(*branch.condition, names_, session_);
      if (!chosen) return {};
      if (*chosen) return run(*branch.value);
    }
    return conditional.otherwise ? run(*conditional.otherwise) : Value{};
  }

  Names& names_;
  Session& session_;
};

}  // namespace

Value evaluate(const dsl::Expr& expr, Names& names, Session& session) {
  return Evaluator(names, session).run(expr);
}

std::optional<bool> evaluate_condition(const dsl::Expr& expr, Names& names, Session& session,
                                       std::string_view what) {
  const Value value = evaluate(expr, names, session);
  if (value.is_unknown()) return std::nullopt;
  if (const auto* truth = value.get<bool>()) return *truth;
  Diagnostic& error =
      session.error("wrong-type", expr.span,
                    fmt::format("{} is true or false, and this is {}", what, described(value)));
  if (value.is_number()) error.help = "compare it with something: `… != 0`";
  return std::nullopt;
}

Diagnostic& report_unknown_name(const dsl::Name& name, const Names& names, Session& session) {
  // The look for a near name costs as much as there are names: not for an error that will not be
  // shown.
  if (names.is_incomplete(name.text) || session.full() || session.has_error_at(name.span))
    return session.nothing();
  std::vector<std::string> known;
  names.list(known);
  Diagnostic& error = session.error("unknown-name", name.span,
                                    fmt::format("nothing here is called `{}`", name.text));
  std::string near = suggest_plugin(name.text, kEveryKind, session.registry, known);
  if (near.empty() && name.text.size() > 3) near = nearest_name(name.text, function_names());
  error.help = did_you_mean(near);
  return error;
}

void report_unknown_callee(const dsl::Name& name, Session& session) {
  if (session.has_error_at(name.span)) return;
  Diagnostic& error = session.error("unknown-plugin", name.span,
                                    fmt::format("no plugin or function is called `{}`", name.text));
  if (name.text == "int" || name.text == "float") {
    error.help = "`//` divides ints to an int; `round`, `floor` and `ceil` make ints of floats";
    return;
  }
  if (name.text == kLogUniform) {
    error.help =
        "it stands alone in a line of a study: `grid train.optimizer.lr = "
        "log_uniform(1e-4..1e-1)`";
    return;
  }
  if (name.text == "uniform") {
    error.help = "values are drawn evenly from a range: `grid rate = 0.0..0.5` with `random`";
    return;
  }
  std::vector<std::string> known = function_names();
  known.push_back(kLogUniform);
  error.help = did_you_mean(suggest_plugin(name.text, kEveryKind, session.registry, known));
}

}  // namespace strata::graph
