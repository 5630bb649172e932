// The grammar of lists and expressions. Included by parser.cc alone.
#pragma once

#include "framework/dsl/grammar_tools.h"
#include "framework/dsl/operators.h"

namespace strata::dsl {
namespace {

// Rules. Each one's attribute is a part of the tree.

// The parentheses of a call or the brackets of a list.
using Arguments = std::vector<Argument>;
using Operation = std::vector<OperationItem>;
using Names = std::vector<Name>;
struct Branch {
  std::unique_ptr<Expr> condition;
  std::unique_ptr<Flow> body;
};
struct Header {  // name, then parameters or inputs, then outputs
  Name name;
  std::vector<BlockParameter> parameters;
  std::vector<ModelInput> inputs;
  Names outputs;
};
struct Body {
  std::vector<BodyStatement> statements;
};

#define STRATA_RULE(NAME, TYPE)                  \
  struct NAME##_id;                              \
  using NAME##_rule = x3::rule<NAME##_id, TYPE>; \
  const NAME##_rule NAME = #NAME

STRATA_RULE(expression, Expr);
STRATA_RULE(conditional, Expr);
STRATA_RULE(operation, Operation);
STRATA_RULE(primary, Expr);
STRATA_RULE(path, Path);
STRATA_RULE(call_arguments, Arguments);
STRATA_RULE(list_items, Arguments);
STRATA_RULE(tuple_items, Arguments);
STRATA_RULE(argument, Argument);
STRATA_RULE(list_item, Argument);
STRATA_RULE(flow, Flow);
STRATA_RULE(body_flow, Flow);
STRATA_RULE(stage, Stage);
STRATA_RULE(required_stage, Stage);
STRATA_RULE(call_stage, CallStage);
STRATA_RULE(if_branch, Branch);
STRATA_RULE(if_stage, IfStage);
STRATA_RULE(for_stage, ForStage);
STRATA_RULE(repeat_stage, RepeatStage);
STRATA_RULE(targets, Names);
STRATA_RULE(statement, BodyStatement);
STRATA_RULE(statements, Body);
STRATA_RULE(bound_value, Expr);
STRATA_RULE(quoted_value, Expr);
STRATA_RULE(let_value, Expr);
STRATA_RULE(input_shape, Expr);
STRATA_RULE(setting, Setting);
STRATA_RULE(study_statement, StudyStatement);
STRATA_RULE(path_list, std::vector<Path>);
STRATA_RULE(block_parameter, BlockParameter);
STRATA_RULE(model_input, ModelInput);
STRATA_RULE(outputs, Names);
STRATA_RULE(block_header, Header);
STRATA_RULE(model_header, Header);
STRATA_RULE(name_header, Header);
STRATA_RULE(section, Section);

// ---------------------------------------------------------------------------------------------------------------------
// Actions.

const auto take = [](auto& ctx) { x3::_val(ctx) = std::move(x3::_attr(ctx)); };

template <class Value>
auto owned(Value&& value) {
  return std::make_unique<std::decay_t<Value>>(std::forward<Value>(value));
}
template <class Context>
Name name_of(Context& ctx) {
  return state(ctx).name(x3::_attr(ctx));
}
const auto set_name = [](auto& ctx) { x3::_val(ctx).name = name_of(ctx); };
const auto add_name = [](auto& ctx) { x3::_val(ctx).push_back(name_of(ctx)); };

// ---------------------------------------------------------------------------------------------------------------------
// Lists.

// Between two elements: one comma. Where it is missing or doubled that is said and the list goes
// on.
const auto list_separator = step([](State& s, At& first, At) {
  const auto closes = [&] { return State::is_close(first->kind); };
  if (first->kind == Tok::kComma) {
    ++first;
  } else if (!closes()) {
    const At at = first;
    s.errors.missing_comma(at);
    const bool value = at->kind == Tok::kName ||
                       (at->kind >= Tok::kInteger && at->kind <= Tok::kBroken) ||
                       at->kind == Tok::kLeftBracket || at->kind >= Tok::kTrue;
    if (!value) first = s.resume(Resume::kItem, first, first);
    if (first->kind == Tok::kComma) ++first;
  }
  if (first->kind == Tok::kComma) {
    s.errors.report("extra-comma", first, "a comma without an element before it", "remove it");
    while (first->kind == Tok::kComma) ++first;
  }
  return true;
});
const auto no_leading_comma = step([](State& s, At& first, At) {
  if (first->kind != Tok::kComma) return true;
  s.errors.report("extra-comma", first, "a comma without an element before it", "remove it");
  while (first->kind == Tok::kComma) ++first;
  return true;
});
const auto separator = step([](State& s, At& first, At) {
  const auto at_one = [&] { return first->kind == Tok::kComma || first->kind == Tok::kSemicolon; };
  if (!at_one()) return true;
  ++first;
  if (at_one())
    s.errors.report("extra-comma", first, "a separator with nothing before it", "remove it");
  while (at_one()) ++first;
  return true;
});

const auto push_argument = [](auto& ctx) {
  auto& parsed = x3::_attr(ctx);
  if (parsed) return x3::_val(ctx).push_back(std::move(*parsed));
  Argument broken;
  broken.value = std::make_unique<Expr>();
  x3::_val(ctx).push_back(std::move(broken));
};
const auto add_to_tuple = [](auto& ctx) {
  Argument item;
  item.span = x3::_attr(ctx).span;
  item.value = owned(std::move(x3::_attr(ctx)));
  x3::_val(ctx).push_back(std::move(item));
};

template <class Item, class Push>
auto bracketed(Tok open, Tok close, const Item& item, Push push) {
  return nested(tok(open) >> no_leading_comma >>
                *(!tok(close) >> must(guarded(item, Resume::kItem), Expected::kArgument)[push] >>
                  list_separator) >>
                tok(close));
}

const auto call_arguments_def =
    bracketed(Tok::kLeftParen, Tok::kRightParen, argument, push_argument);
const auto list_items_def =
    bracketed(Tok::kLeftBracket, Tok::kRightBracket, list_item, push_argument);

// `name = value`; a colon in its place is said and read as it.
const auto named = ahead([](At at) {
  return (at->kind == Tok::kName || is_keyword(at->kind)) &&
         ((at + 1)->kind == Tok::kEqual || (at + 1)->kind == Tok::kColon);
});
const auto key = token_if([](At at) { return at->kind == Tok::kName || is_keyword(at->kind); });
const auto binding = step([](State& s, At& first, At) {
  if (is_keyword((first - 1)->kind)) {
    s.errors.report("keyword-as-name", first - 1,
                    fmt::format("`{}` is a keyword", s.errors.text(first - 1)),
                    "choose another name");
  }
  if (first->kind == Tok::kColon) s.errors.colon_for_equals(first - 1, first);
  if (first->kind == Tok::kEqualEqual) {
    s.errors.report("double-equals", first, "`==` compares; a value is bound with `=`",
                    "write `=`");
  }
  ++first;
  return true;
});

const auto set_value = [](auto& ctx) { x3::_val(ctx).value = owned(std::move(x3::_attr(ctx))); };
// `"name": value`, as in a dictionary, is said and read as `name = value`.
const auto quoted_key = token_if([](At at) {
  return at->kind == Tok::kString &&
         ((at + 1)->kind == Tok::kColon || (at + 1)->kind == Tok::kEqual);
});
const auto set_quoted_name = [](auto& ctx) {
  const At at = x3::_attr(ctx);
  state(ctx).errors.missing_comma(at + 1);
  x3::_val(ctx).name = Name{at->text, state(ctx).span(at)};
};
const auto quoted_binding = step([](State&, At& first, At) {
  ++first;
  return true;
});
const auto argument_def =
    spanned((quoted_key[set_quoted_name] >> quoted_binding >>
             must(expression, Expected::kValue)[set_value]) |
            (named >> key[set_name] >> binding >> must(expression, Expected::kValue)[set_value]) |
            must(expression, Expected::kArgument)[set_value]);
const auto list_item_def = spanned(must(expression, Expected::kArgument)[set_value]);

// ---------------------------------------------------------------------------------------------------------------------
// Expressions.

const auto add_part = [](auto& ctx) { x3::_val(ctx).parts.push_back(name_of(ctx)); };
const auto path_def =
    spanned(name[add_part] >> *(tok(Tok::kDot) >> must(token_if([](At at) {
                                                         return (at->kind == Tok::kName ||
                                                                 is_keyword(at->kind)) &&
                                                                (at - 1)->end == at->begin;
                                                       }),
                                                       Expected::kPath)[add_part]));

const auto set_literal = [](auto& ctx) {
  const At at = x3::_attr(ctx);
  Expr& expr = x3::_val(ctx);
  const std::string spelling(state(ctx).errors.text(at));
  switch (at->kind) {
    case Tok::kInteger:
      expr.node = IntLiteral{at->integer, spelling};
      break;
    case Tok::kFloat:
      expr.node = FloatLiteral{at->real, spelling};
      break;
    case Tok::kString:
      expr.node = StringLiteral{at->text};
      break;
    case Tok::kTrue:
      expr.node = BoolLiteral{true};
      break;
    case Tok::kFalse:
      expr.node = BoolLiteral{false};
      break;
    case Tok::kNone:
      expr.node = NoneLiteral{};
      break;
    default:
      expr.node = ErrorExpr{};
  }
};
const auto literal = token_if([](At at) {
  return at->kind == Tok::kInteger || at->kind == Tok::kFloat || at->kind == Tok::kString ||
         at->kind == Tok::kBroken || at->kind >= Tok::kTrue;
});

const auto set_reference = [](auto& ctx) {
  x3::_val(ctx).node = Reference{std::move(x3::_attr(ctx))};
};
const auto set_call = [](auto& ctx) {
  Path& callee = std::get<Reference>(x3::_val(ctx).node).path;
  x3::_val(ctx).node = CallExpr{{callee.text(), callee.span}, std::move(x3::_attr(ctx)), {}};
};
// `x[0]`, `Dense(10)(x)`, `Dense(10).relu()`: told by the sign that touches what stands before it.
const auto no_postfix = step([](State& s, At& first, At) {
  if ((first - 1)->end != first->begin || first->inserted) return true;
  const Tok last = (first - 1)->kind;
  if (first->kind == Tok::kLeftBracket) {
    s.errors.report("subscript", first, "values have no elements to pick with `[…]`",
                    "loop over a list with `for v in list { … }`; take several outputs with `a, b "
                    "= Split(x, parts = 2)`");
  } else if (first->kind == Tok::kLeftParen && last == Tok::kRightParen) {
    s.errors.called_twice(first);
  } else if (first->kind == Tok::kDot && last == Tok::kRightParen) {
    s.errors.report("dotted-call", first, "the result of a call has no methods",
                    "go on with an arrow: `x -> Dense(10) -> ReLU`");
  } else {
    return true;
  }
  throw SyntaxError{first};
});

// Of a bracket that was never closed nobody knows what it was to hold: `batch_size = [3` is one
// mistake. What is called or named inside is still checked.
const auto lost_its_end = [](At close, const Arguments& items) {
  if (!close->inserted) return false;
  return std::all_of(items.begin(), items.end(), [](const Argument& item) {
    return !item.value || std::holds_alternative<IntLiteral>(item.value->node) ||
           std::holds_alternative<FloatLiteral>(item.value->node) ||
           std::holds_alternative<StringLiteral>(item.value->node) ||
           std::holds_alternative<ErrorExpr>(item.value->node);
  });
};
const auto set_list = [](auto& ctx) {
  Arguments& items = x3::_attr(ctx);
  if (lost_its_end(x3::_where(ctx).begin() - 1, items)) {
    x3::_val(ctx).node = ErrorExpr{};
  } else {
    x3::_val(ctx).node = ListExpr{std::move(items), {}};
  }
};
// ( a ) is a with its parentheses, ( a, b ) and ( a, ) are tuples. A list needs no parentheses.
const auto set_parenthesized = [](auto& ctx) {
  Arguments& items = x3::_attr(ctx);
  Expr& expr = x3::_val(ctx);
  // A single element without a comma is marked by tuple_items with a name.
  if (items.size() == 1 && items[0].name) {
    const bool list = std::holds_alternative<ListExpr>(items[0].value->node);
    expr.parenthesized = !list || items[0].value->parenthesized;
    expr.node = std::move(Expr(std::move(*items[0].value)).node);
    return;
  }
  expr.parenthesized = true;
  expr.node = ListExpr{std::move(items), {}};
};
const auto mark_single = [](auto& ctx) {
  if (x3::_val(ctx).size() == 1) x3::_val(ctx)[0].name = Name{};
};
const auto tuple_close = must(tok(Tok::kRightParen), Expected::kTupleClose);
const auto tuple_items_def =
    nested(tok(Tok::kLeftParen) >> must(expression, Expected::kParenthesis)[add_to_tuple] >>
           (tok(Tok::kRightParen)[mark_single] |
            (*(tok(Tok::kComma) >> (ahead([](At at) { return at->kind == Tok::kRightParen; }) |
                                    must(expression, Expected::kArgument)[add_to_tuple])) >>
             tuple_close)));

// A value or a stage that was forgotten at the end of a section must not take the next section's
// word for it. So must a forgotten value at a line's end not take the next line's `key =`.
const auto no_section = step([](State& s, At& first, At) {
  if (!first->first_on_line || first->kind != Tok::kName) return true;
  At last = first;
  while ((last + 1)->kind == Tok::kDot && (last + 2)->kind == Tok::kName) last += 2;
  return !s.starts_section(first) && (last + 1)->kind != Tok::kEqual;
});
const auto primary_def =
    spanned(literal[set_literal] |
            (no_section >> path[set_reference] >> -call_arguments[set_call] >> no_postfix) |
            list_items[set_list] | tuple_items[set_parenthesized]);

const auto is_infix = [](At at) {
  return (at->kind >= Tok::kPlus && at->kind <= Tok::kGreaterEqual) || at->kind == Tok::kRange ||
         at->kind == Tok::kIn || at->kind == Tok::kAnd || at->kind == Tok::kOr;
};
const auto add_operator = [](OperationItem::Kind kind) {
  return [kind](auto& ctx) {
    OperationItem item;
    item.kind = kind;
    item.op = x3::_attr(ctx)->kind;
    item.span = state(ctx).span(x3::_attr(ctx));
    x3::_val(ctx).push_back(std::move(item));
  };
};
const auto add_not_in = [](auto& ctx) {
  OperationItem item;
  item.kind = OperationItem::kInfix;
  item.op = Tok::kNot;
  item.span = state(ctx).span(x3::_attr(ctx), x3::_attr(ctx) + 2);
  x3::_val(ctx).push_back(std::move(item));
};
const auto add_operand = [](auto& ctx) {
  OperationItem item;
  item.span = x3::_attr(ctx).span;
  item.operand = std::move(x3::_attr(ctx));
  x3::_val(ctx).push_back(std::move(item));
};
const auto prefix = token_if([](At at) {
  return at->kind == Tok::kMinus || at->kind == Tok::kPlus || at->kind == Tok::kNot;
})[add_operator(OperationItem::kPrefix)];
const auto not_in =
    token_if([](At at) { return at->kind == Tok::kNot && (at + 1)->kind == Tok::kIn; })[add_not_in];
const auto infix =
    token_if(is_infix)[add_operator(OperationItem::kInfix)] | (not_in >> tok(Tok::kIn));
const auto operand =
    (+prefix >> must(primary, Expected::kValue)[add_operand]) | primary[add_operand];
const auto operation_def = operand >> *(infix >> must(operand, Expected::kValue));

const auto set_folded = [](auto& ctx) {
  State& s = state(ctx);
  x3::_val(ctx) =
      fold_operation(std::move(x3::_attr(ctx)), s.limits.nesting - s.depth, s.diagnostics);
};

const auto add_condition = [](auto& ctx) {
  Expr& expr = x3::_val(ctx);
  if (!std::holds_alternative<ConditionalExpr>(expr.node)) expr.node = ConditionalExpr{};
  std::get<ConditionalExpr>(expr.node).branches.push_back(
      {owned(std::move(x3::_attr(ctx))), nullptr});
};
const auto add_value = [](auto& ctx) {
  std::get<ConditionalExpr>(x3::_val(ctx).node).branches.back().value =
      owned(std::move(x3::_attr(ctx)));
};
const auto set_otherwise = [](auto& ctx) {
  std::get<ConditionalExpr>(x3::_val(ctx).node).otherwise = owned(std::move(x3::_attr(ctx)));
};
const auto condition_then_value = must(expression, Expected::kCondition)[add_condition] >>
                                  must(tok(Tok::kThen), Expected::kThen) >>
                                  must(expression, Expected::kValue)[add_value];
const auto conditional_def =
    spanned(nested(tok(Tok::kIf) >> condition_then_value >>
                   *(tok(Tok::kElse) >> tok(Tok::kIf) >> condition_then_value) >>
                   must(tok(Tok::kElse), Expected::kElseValue) >>
                   must(expression, Expected::kValue)[set_otherwise]));

const auto expression_def = conditional[take] | operation[set_folded];

}  // namespace
}  // namespace strata::dsl
