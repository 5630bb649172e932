// The grammar of the whole language in Boost Spirit X3, over tokens. It knows no layer and no setting; every rule is
// decided by the next token or two, so nothing is parsed twice. Where only one thing can follow, `must` says what was
// expected (syntax_errors.cc has the words) and throws; `guarded` catches that where its construct ends, so that one
// mistake costs one statement, argument or stage and the rest is still checked.
#include "framework/dsl/parser.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/spirit/home/x3.hpp>
#include <fmt/format.h>

#include "framework/dsl/brackets.h"
#include "framework/dsl/lexer.h"
#include "framework/dsl/operators.h"
#include "framework/dsl/syntax_errors.h"
#include "framework/dsl/trivia.h"

namespace strata::dsl {
namespace {

namespace x3 = boost::spirit::x3;
using At = const Token*;

// ---------------------------------------------------------------------------------------------------------------------
// What the rules share.

// Where `guarded` goes on after a mistake.
enum class Resume {
  kItem,       // the next comma, or the bracket that closes the list
  kStage,      // the next arrow, or what ends the statement
  kStatement,  // the next line that does not go on with an arrow, `;`, or the brace that closes the body
  kBody,       // behind the brace that closes the body
  kHeader,     // the section's `{`
};

struct State {
  const SourceFile& source;
  const std::vector<Token>& tokens;
  Diagnostics& diagnostics;
  const ParseLimits& limits;
  SyntaxErrors errors;
  int depth = 0;
  bool arrow_starts_line = false;
  At no_targets_before = nullptr;  // up to here a search for `a, b =` has found none

  Span span(At token) const { return errors.span(token); }
  Span span(At first, At last) const {
    if (last <= first) return {&source, first->begin, first->begin};
    return {&source, first->begin, std::max((last - 1)->end, first->begin)};
  }
  Name name(At token) const { return {std::string(errors.text(token)), span(token)}; }

  static bool is_open(Tok kind) {
    return kind == Tok::kLeftParen || kind == Tok::kLeftBracket || kind == Tok::kLeftBrace;
  }
  static bool is_close(Tok kind) {
    return kind == Tok::kRightParen || kind == Tok::kRightBracket || kind == Tok::kRightBrace;
  }

  // The place to go on at: not before `start`, and brackets are passed as a whole.
  At resume(Resume how, At start, At failed) const {
    if (how == Resume::kBody) return tokens.data() + start->partner + 1;
    bool lost = false;  // a header without its brace: what follows is no body
    for (At at = start;; ++at) {
      const bool passed = at > failed || (at == failed && at > start);
      if (at->kind == Tok::kEnd || is_close(at->kind)) return at;
      switch (how) {
        case Resume::kItem:
          if (at->kind == Tok::kComma) return at;
          break;
        case Resume::kStage:
          if (at->kind == Tok::kArrow || at->kind == Tok::kSemicolon) return at;
          if ((passed && at->first_on_line) || starts_section(at)) return at;
          break;
        case Resume::kStatement:
          if (at->kind == Tok::kSemicolon) return at;
          if (passed && at->first_on_line && at->kind != Tok::kArrow) return at;
          break;
        default:
          if (at->kind == Tok::kLeftBrace && !lost) return at;
          if (starts_section(at)) return at;
          lost = lost || (passed && at->first_on_line);
      }
      if (is_open(at->kind)) at = tokens.data() + at->partner;
    }
  }

  bool starts_section(At at) const { return begins_section(tokens, at - tokens.data()); }
};

struct state_tag;
template <class Context>
State& state(const Context& context) {
  return x3::get<state_tag>(context);
}

// ---------------------------------------------------------------------------------------------------------------------
// Parsers of single tokens.

template <class Predicate>
struct TokenParser : x3::parser<TokenParser<Predicate>> {
  using attribute_type = At;
  static constexpr bool has_attribute = true;
  Predicate accepts;
  bool consumes = true;

  TokenParser(Predicate predicate, bool consume) : accepts(predicate), consumes(consume) {}

  template <class Context, class RuleContext, class Attribute>
  bool parse(At& first, const At& last, const Context&, RuleContext&, Attribute& attribute) const {
    if (first == last || !accepts(first)) return false;
    if constexpr (std::is_same_v<Attribute, At>) attribute = first;
    if (consumes) ++first;
    return true;
  }
};

template <class Predicate>
auto token_if(Predicate predicate) {
  return TokenParser<Predicate>(predicate, true);
}
// Looks without taking.
template <class Predicate>
auto ahead(Predicate predicate) {
  return TokenParser<Predicate>(predicate, false);
}
auto tok(Tok kind) {
  return token_if([kind](At at) { return at->kind == kind; });
}
auto word(Word expected) {
  return token_if([expected](At at) { return at->word == expected; });
}
// A name that is declared: on the line of what declares it, so that a forgotten one does not take the next section.
const auto name = token_if([](At at) { return at->kind == Tok::kName; });
const auto same_line_name = token_if([](At at) { return at->kind == Tok::kName && !at->first_on_line; });

// ---------------------------------------------------------------------------------------------------------------------
// Directives.

// What must stand here: otherwise a message, and the nearest `guarded` goes on.
template <class Subject>
struct Must : x3::unary_parser<Subject, Must<Subject>> {
  static constexpr bool is_pass_through_unary = true;
  Expected expected;
  Must(const Subject& inner, Expected what) : x3::unary_parser<Subject, Must<Subject>>(inner), expected(what) {}

  template <class Context, class RuleContext, class Attribute>
  bool parse(At& first, const At& last, const Context& context, RuleContext& rule, Attribute& attribute) const {
    if (this->subject.parse(first, last, context, rule, attribute)) return true;
    state(context).errors.missing(expected, first);
    throw SyntaxError{first};
  }
};
template <class Subject>
auto must(const Subject& subject, Expected expected) {
  return Must<typename x3::extension::as_parser<Subject>::value_type>(x3::as_parser(subject), expected);
}

// One level of brackets, braces or conditions; too many are refused before the stack could run out.
template <class Subject>
struct Nested : x3::unary_parser<Subject, Nested<Subject>> {
  static constexpr bool is_pass_through_unary = true;
  explicit Nested(const Subject& inner) : x3::unary_parser<Subject, Nested<Subject>>(inner) {}

  template <class Context, class RuleContext, class Attribute>
  bool parse(At& first, const At& last, const Context& context, RuleContext& rule, Attribute& attribute) const {
    State& s = state(context);
    if (s.depth >= s.limits.nesting && first != last && (State::is_open(first->kind) || first->kind == Tok::kIf)) {
      s.errors.report("nesting-too-deep", first,
                      fmt::format("more than {} brackets, braces or conditions inside one another", s.limits.nesting),
                      "name an inner part with `let`, or make it a block");
      throw SyntaxError{first};
    }
    ++s.depth;
    const bool parsed = this->subject.parse(first, last, context, rule, attribute);
    --s.depth;
    return parsed;
  }
};
template <class Subject>
auto nested(const Subject& subject) {
  return Nested<typename x3::extension::as_parser<Subject>::value_type>(x3::as_parser(subject));
}

// Gives the rule's attribute the place of its tokens.
template <class Subject>
struct Spanned : x3::unary_parser<Subject, Spanned<Subject>> {
  static constexpr bool is_pass_through_unary = true;
  explicit Spanned(const Subject& inner) : x3::unary_parser<Subject, Spanned<Subject>>(inner) {}

  template <class Context, class RuleContext, class Attribute>
  bool parse(At& first, const At& last, const Context& context, RuleContext& rule, Attribute& attribute) const {
    const At start = first;
    if (!this->subject.parse(first, last, context, rule, attribute)) return false;
    rule.span = state(context).span(start, first);
    return true;
  }
};
template <class Subject>
auto spanned(const Subject& subject) {
  return Spanned<typename x3::extension::as_parser<Subject>::value_type>(x3::as_parser(subject));
}

// A rule whose mistakes stay its own: its attribute is empty after one.
template <class Rule>
struct Guarded : x3::parser<Guarded<Rule>> {
  using Value = typename Rule::attribute_type;
  using attribute_type = std::optional<Value>;
  static constexpr bool has_attribute = true;
  Rule rule;
  Resume how;
  Guarded(const Rule& subject, Resume resume) : rule(subject), how(resume) {}

  template <class Context, class RuleContext, class Attribute>
  bool parse(At& first, const At& last, const Context& context, RuleContext&, Attribute& attribute) const {
    State& s = state(context);
    const At start = first;
    const int depth = s.depth;
    try {
      Value value{};
      if (!rule.parse(first, last, context, x3::unused, value)) return false;
      attribute = std::move(value);
    } catch (const SyntaxError& error) {
      s.depth = depth;
      first = s.resume(how, start, error.at);
      attribute.reset();
    }
    return true;
  }
};
template <class Rule>
auto guarded(const Rule& rule, Resume how) {
  return Guarded<Rule>(rule, how);
}

// Runs a function on the state at this place, which may move on; it reports by itself.
template <class Function>
struct Step : x3::parser<Step<Function>> {
  using attribute_type = x3::unused_type;
  static constexpr bool has_attribute = false;
  Function function;
  explicit Step(Function f) : function(f) {}

  template <class Context, class RuleContext, class Attribute>
  bool parse(At& first, const At& last, const Context& context, RuleContext&, Attribute&) const {
    return function(state(context), first, last);
  }
};
template <class Function>
auto step(Function function) {
  return Step<Function>(function);
}

// ---------------------------------------------------------------------------------------------------------------------
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

#define STRATA_RULE(NAME, TYPE)  \
  struct NAME##_id;              \
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

// Between two elements: one comma. Where it is missing or doubled that is said and the list goes on.
const auto list_separator = step([](State& s, At& first, At) {
  const auto closes = [&] { return State::is_close(first->kind); };
  if (first->kind == Tok::kComma) {
    ++first;
  } else if (!closes()) {
    const At at = first;
    s.errors.missing_comma(at);
    const bool value = at->kind == Tok::kName || (at->kind >= Tok::kInteger && at->kind <= Tok::kBroken) ||
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
  if (at_one()) s.errors.report("extra-comma", first, "a separator with nothing before it", "remove it");
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
                *(!tok(close) >> must(guarded(item, Resume::kItem), Expected::kArgument)[push] >> list_separator) >>
                tok(close));
}

const auto call_arguments_def = bracketed(Tok::kLeftParen, Tok::kRightParen, argument, push_argument);
const auto list_items_def = bracketed(Tok::kLeftBracket, Tok::kRightBracket, list_item, push_argument);

// `name = value`; a colon in its place is said and read as it.
const auto named = ahead([](At at) {
  return (at->kind == Tok::kName || is_keyword(at->kind)) && ((at + 1)->kind == Tok::kEqual || (at + 1)->kind == Tok::kColon);
});
const auto key = token_if([](At at) { return at->kind == Tok::kName || is_keyword(at->kind); });
const auto binding = step([](State& s, At& first, At) {
  if (is_keyword((first - 1)->kind)) {
    s.errors.report("keyword-as-name", first - 1, fmt::format("`{}` is a keyword", s.errors.text(first - 1)),
                    "choose another name");
  }
  if (first->kind == Tok::kColon) s.errors.colon_for_equals(first - 1, first);
  if (first->kind == Tok::kEqualEqual) {
    s.errors.report("double-equals", first, "`==` compares; a value is bound with `=`", "write `=`");
  }
  ++first;
  return true;
});

const auto set_value = [](auto& ctx) { x3::_val(ctx).value = owned(std::move(x3::_attr(ctx))); };
const auto argument_def = spanned((named >> key[set_name] >> binding >> must(expression, Expected::kValue)[set_value]) |
                          must(expression, Expected::kArgument)[set_value]);
const auto list_item_def = spanned(must(expression, Expected::kArgument)[set_value]);

// ---------------------------------------------------------------------------------------------------------------------
// Expressions.

const auto add_part = [](auto& ctx) { x3::_val(ctx).parts.push_back(name_of(ctx)); };
const auto path_def = spanned(name[add_part] >> *(tok(Tok::kDot) >> must(token_if([](At at) {
                                            return (at->kind == Tok::kName || is_keyword(at->kind)) &&
                                                   (at - 1)->end == at->begin;
                                          }),
                                          Expected::kPath)[add_part]));

const auto set_literal = [](auto& ctx) {
  const At at = x3::_attr(ctx);
  Expr& expr = x3::_val(ctx);
  const std::string spelling(state(ctx).errors.text(at));
  switch (at->kind) {
    case Tok::kInteger: expr.node = IntLiteral{at->integer, spelling}; break;
    case Tok::kFloat: expr.node = FloatLiteral{at->real, spelling}; break;
    case Tok::kString: expr.node = StringLiteral{at->text}; break;
    case Tok::kTrue: expr.node = BoolLiteral{true}; break;
    case Tok::kFalse: expr.node = BoolLiteral{false}; break;
    case Tok::kNone: expr.node = NoneLiteral{}; break;
    default: expr.node = ErrorExpr{};
  }
};
const auto literal = token_if([](At at) {
  return at->kind == Tok::kInteger || at->kind == Tok::kFloat || at->kind == Tok::kString || at->kind == Tok::kBroken ||
         at->kind >= Tok::kTrue;
});

const auto set_reference = [](auto& ctx) { x3::_val(ctx).node = Reference{std::move(x3::_attr(ctx))}; };
const auto set_call = [](auto& ctx) {
  Path& callee = std::get<Reference>(x3::_val(ctx).node).path;
  x3::_val(ctx).node = CallExpr{std::move(callee.parts.back()), std::move(x3::_attr(ctx)), {}};
};
// `nn.Linear(…)`, `x[0]`, `Dense(10)(x)`, `x.relu()`: told by the sign that touches what stands before it.
const auto no_dotted_call = step([](State& s, At& first, At) {
  const auto after_dot = [&](At at) { return at - s.tokens.data() >= 2 && (at - 1)->kind == Tok::kDot; };
  if (first->kind != Tok::kLeftParen || !after_dot(first - 1)) return true;
  At begin = first - 1;
  while (after_dot(begin)) begin -= 2;
  const std::string callee(s.errors.text(first - 1));
  const Span whole = cover(s.span(begin), s.span(first - 1));
  const bool layer = callee[0] >= 'A' && callee[0] <= 'Z';
  s.errors.report("dotted-call", whole, first, fmt::format("`{}` is called with a prefix", whole.text()),
                  layer ? fmt::format("names have no module: write `{}(…)`", callee)
                        : "values have no methods: write a stage, `x -> Layer(…)`, or a function, `max(a, b)`");
  throw SyntaxError{first};
});
const auto no_postfix = step([](State& s, At& first, At) {
  if ((first - 1)->end != first->begin || first->inserted) return true;
  const Tok last = (first - 1)->kind;
  if (first->kind == Tok::kLeftBracket) {
    s.errors.report("subscript", first, "values have no elements to pick with `[…]`",
                    "loop over a list with `for v in list { … }`; take several outputs with `a, b = Split(x, parts = 2)`");
  } else if (first->kind == Tok::kLeftParen && last == Tok::kRightParen) {
    s.errors.report("called-twice", first, "the result of a call cannot be called", "apply a layer with an arrow: `x -> Dense(10)`");
  } else if (first->kind == Tok::kDot && last == Tok::kRightParen) {
    s.errors.report("dotted-call", first, "the result of a call has no methods",
                    "go on with an arrow: `x -> Dense(10) -> ReLU`");
  } else {
    return true;
  }
  throw SyntaxError{first};
});

const auto set_list = [](auto& ctx) {
  x3::_val(ctx).node = ListExpr{std::move(x3::_attr(ctx)), {}};
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

// A value or a stage that was forgotten at the end of a section must not take the next section's word for it.
// So must a forgotten value at a line's end not take the next line's `key =`.
const auto no_section = step([](State& s, At& first, At) {
  if (!first->first_on_line || first->kind != Tok::kName) return true;
  At last = first;
  while ((last + 1)->kind == Tok::kDot && (last + 2)->kind == Tok::kName) last += 2;
  return !s.starts_section(first) && (last + 1)->kind != Tok::kEqual;
});
const auto primary_def = spanned(literal[set_literal] |
                         (no_section >> path[set_reference] >> no_dotted_call >> -call_arguments[set_call] >> no_postfix) |
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
const auto not_in = token_if([](At at) { return at->kind == Tok::kNot && (at + 1)->kind == Tok::kIn; })[add_not_in];
const auto infix = token_if(is_infix)[add_operator(OperationItem::kInfix)] | (not_in >> tok(Tok::kIn));
const auto operand = (+prefix >> must(primary, Expected::kValue)[add_operand]) | primary[add_operand];
const auto operation_def = operand >> *(infix >> must(operand, Expected::kValue));

const auto set_folded = [](auto& ctx) {
  State& s = state(ctx);
  x3::_val(ctx) = fold_operation(std::move(x3::_attr(ctx)), s.limits.nesting - s.depth, s.diagnostics);
};

const auto add_condition = [](auto& ctx) {
  Expr& expr = x3::_val(ctx);
  if (!std::holds_alternative<ConditionalExpr>(expr.node)) expr.node = ConditionalExpr{};
  std::get<ConditionalExpr>(expr.node).branches.push_back({owned(std::move(x3::_attr(ctx))), nullptr});
};
const auto add_value = [](auto& ctx) {
  std::get<ConditionalExpr>(x3::_val(ctx).node).branches.back().value = owned(std::move(x3::_attr(ctx)));
};
const auto set_otherwise = [](auto& ctx) {
  std::get<ConditionalExpr>(x3::_val(ctx).node).otherwise = owned(std::move(x3::_attr(ctx)));
};
const auto condition_then_value = must(expression, Expected::kCondition)[add_condition] >>
                                  must(tok(Tok::kThen), Expected::kThen) >>
                                  must(expression, Expected::kValue)[add_value];
const auto conditional_def = spanned(nested(tok(Tok::kIf) >> condition_then_value >>
                                    *(tok(Tok::kElse) >> tok(Tok::kIf) >> condition_then_value) >>
                                    must(tok(Tok::kElse), Expected::kElseValue) >>
                                    must(expression, Expected::kValue)[set_otherwise]));

const auto expression_def = conditional[take] | operation[set_folded];

// ---------------------------------------------------------------------------------------------------------------------
// Flows.

const auto set_callee = [](auto& ctx) { x3::_val(ctx).callee = name_of(ctx); };
const auto set_arguments = [](auto& ctx) {
  x3::_val(ctx).has_parentheses = true;
  x3::_val(ctx).arguments = std::move(x3::_attr(ctx));
};
bool is_module(std::string_view module) {
  return module == "nn" || module == "torch" || module == "F" || module == "tf" || module == "keras" || module == "layers" ||
         module == "np" || module == "jax" || module == "jnp" || module == "flax";
}
const auto no_dotted_stage = step([](State& s, At& first, At) {
  if (first->kind != Tok::kDot || (first + 1)->kind != Tok::kName) return true;
  const At start = first - 1;
  At last = first;
  while (last->kind == Tok::kDot && (last + 1)->kind == Tok::kName) last += 2;
  const Span whole = cover(s.span(start), s.span(last - 1));
  const std::string callee(s.errors.text(last - 1));
  const bool layer = callee[0] >= 'A' && callee[0] <= 'Z';
  s.errors.report("dotted-call", whole, first, fmt::format("`{}` is no stage: a stage is a single name", whole.text()),
                  layer ? fmt::format("names have no module: write `{}`", callee)
                  : is_module(s.errors.text(start))
                      ? "names have no module, and layers are written as `ReLU` or `Conv2D`"
                      : "values have no methods: write a stage, `x -> Layer(…)`");
  throw SyntaxError{first};
});
const auto call_stage_def =
    no_section >> name[set_callee] >> no_dotted_stage >> -call_arguments[set_arguments] >> no_postfix;

const auto set_condition = [](auto& ctx) { x3::_val(ctx).condition = owned(std::move(x3::_attr(ctx))); };
const auto set_body = [](auto& ctx) {
  auto& parsed = x3::_attr(ctx);
  x3::_val(ctx).body = parsed ? owned(std::move(*parsed)) : std::make_unique<Flow>();
};
const auto body = must(guarded(body_flow, Resume::kBody), Expected::kBody);
const auto if_branch_def = must(expression, Expected::kCondition)[set_condition] >> body[set_body];
const auto add_branch = [](auto& ctx) {
  x3::_val(ctx).branches.push_back({std::move(x3::_attr(ctx).condition), std::move(x3::_attr(ctx).body)});
};
const auto set_else = [](auto& ctx) {
  auto& parsed = x3::_attr(ctx);
  x3::_val(ctx).otherwise = parsed ? owned(std::move(*parsed)) : std::make_unique<Flow>();
};
const auto if_stage_def = tok(Tok::kIf) >> if_branch[add_branch] >>
                          *(tok(Tok::kElse) >> tok(Tok::kIf) >> if_branch[add_branch]) >>
                          -(tok(Tok::kElse) >> body[set_else]);

const auto set_variable = [](auto& ctx) { x3::_val(ctx).variable = name_of(ctx); };
const auto set_second_variable = [](auto& ctx) {
  x3::_val(ctx).index = std::move(x3::_val(ctx).variable);
  x3::_val(ctx).variable = name_of(ctx);
};
const auto set_values = [](auto& ctx) { x3::_val(ctx).values = owned(std::move(x3::_attr(ctx))); };
const auto set_count = [](auto& ctx) { x3::_val(ctx).count = owned(std::move(x3::_attr(ctx))); };
const auto declared_name = must(name, Expected::kName);
const auto for_stage_def = tok(Tok::kFor) >> declared_name[set_variable] >>
                           -(tok(Tok::kComma) >> declared_name[set_second_variable]) >>
                           must(tok(Tok::kIn), Expected::kIn) >> must(expression, Expected::kValues)[set_values] >>
                           body[set_body];
const auto repeat_stage_def = tok(Tok::kRepeat) >> must(expression, Expected::kCount)[set_count] >> body[set_body];

const auto set_stage = [](auto& ctx) { x3::_val(ctx).node = std::move(x3::_attr(ctx)); };
const auto set_alias = [](auto& ctx) { x3::_val(ctx).alias = name_of(ctx); };
const auto stage_def = spanned((if_stage[set_stage] | for_stage[set_stage] | repeat_stage[set_stage] | call_stage[set_stage]) >>
                       -(tok(Tok::kAs) >> must(same_line_name, Expected::kAlias)[set_alias]));

const auto add_stage = [](auto& ctx) {
  Flow& result = x3::_val(ctx);
  const bool starts_line = std::exchange(state(ctx).arrow_starts_line, false);
  auto& parsed = x3::_attr(ctx);
  result.stages.push_back(parsed ? std::move(*parsed) : Stage{});
  result.stages.back().starts_line = starts_line && result.stages.size() > 1;
};
const auto arrow = token_if([](At at) { return at->kind == Tok::kArrow; });

// A second stage without an arrow between. Two statements may stand on one line, but then the second one binds a name
// or the first one has bound one.
const bool kInBody = true;
template <bool in_body>
const auto forgotten_arrow = step([](State& s, At& first, At) {
  const bool starts_stage = (first->kind == Tok::kName && !first->inserted) || first->kind == Tok::kIf ||
                            first->kind == Tok::kFor || first->kind == Tok::kRepeat;
  const Tok next = (first + 1)->kind;
  if (!starts_stage || next == Tok::kEqual || next == Tok::kColon || (first - 1)->kind == Tok::kArrow) return false;
  if (!in_body) {
    if (first->first_on_line || next == Tok::kComma || (first->word == Word::kLet && next == Tok::kName)) return false;
    if ((first - 2)->kind == Tok::kAs) return false;
  }
  s.errors.missing_arrow(first);
  return true;
});

const auto arrow_flag = step([](State& s, At& first, At) {
  s.arrow_starts_line = (first - 1)->first_on_line && (first - 1)->kind == Tok::kArrow;
  return true;
});
const auto required_stage_def = must(stage, Expected::kStage)[take];
const auto guarded_stage = guarded(required_stage, Resume::kStage)[add_stage];
const auto flow_def = spanned(guarded_stage >> *(((arrow >> arrow_flag) | forgotten_arrow<!kInBody>) >> guarded_stage));

const auto no_empty_body = step([](State& s, At& first, At) {
  if (first->kind != Tok::kRightBrace || first->inserted) return true;
  s.errors.report("empty-flow", s.span(first - 1, first + 1), first, "braces with no stage in them",
                  "a stage goes here; a branch that passes the value through is left out");
  throw SyntaxError{first};
});
const auto set_broken = [](auto& ctx) { x3::_val(ctx).broken = (x3::_attr(ctx) + 1)->first_on_line; };
const auto body_flow_def =
    spanned(nested(tok(Tok::kLeftBrace)[set_broken] >> no_empty_body >> guarded_stage >>
           *(((arrow >> arrow_flag) | forgotten_arrow<kInBody>) >> guarded_stage) >>
           must(tok(Tok::kRightBrace), Expected::kStageEnd)));

// ---------------------------------------------------------------------------------------------------------------------
// Statements.

// `a, b =`. The search for the `=` is not repeated over the same names: `a, b, c, …` without one costs linear time.
const auto targets_ahead = step([](State& s, At& first, At) {
  At at = first;
  if (at < s.no_targets_before) return false;
  while (at->kind == Tok::kName && (at + 1)->kind == Tok::kComma && (at + 2)->kind == Tok::kName) at += 2;
  const bool single = at == first;
  const Tok next = (at + 1)->kind;
  if ((at->kind == Tok::kName || (single && is_keyword(at->kind))) &&
      (next == Tok::kEqual || (single && (next == Tok::kColon || next == Tok::kEqualEqual)))) {
    return true;
  }
  s.no_targets_before = at;
  return false;
});
const auto targets_def = targets_ahead >> (key[add_name] % tok(Tok::kComma)) >> binding;

const auto statement_node = [](auto& ctx) -> auto& {
  auto& node = x3::_val(ctx).node;
  if (!std::holds_alternative<FlowStatement>(node)) node.template emplace<FlowStatement>();
  return std::get<FlowStatement>(node);
};
const auto set_targets = [](auto& ctx) { statement_node(ctx).targets = std::move(x3::_attr(ctx)); };
const auto set_flow = [](auto& ctx) { statement_node(ctx).flow = std::move(x3::_attr(ctx)); };
const auto set_let_name = [](auto& ctx) { x3::_val(ctx).node.template emplace<LetStatement>().name = name_of(ctx); };
const auto set_let_value = [](auto& ctx) {
  std::get<LetStatement>(x3::_val(ctx).node).value = std::move(x3::_attr(ctx));
};
const auto let_ahead = ahead([](At at) {
  return at->word == Word::kLet && (at + 1)->kind != Tok::kEqual && (at + 1)->kind != Tok::kArrow &&
         (at + 1)->kind != Tok::kComma;
});
// `let x: int = 3` is read as if it had no type.
const auto no_type = step([](State& s, At& first, At) {
  if (first->kind != Tok::kColon || (first + 1)->kind != Tok::kName || (first + 2)->kind != Tok::kEqual) return true;
  s.errors.report("typed-constant", s.span(first, first + 2), first, "a constant has no type",
                  fmt::format("write `let {} = …`; a `param` has a type", s.errors.text(first - 1)));
  first += 2;
  return true;
});
const auto value_end = step([](State& s, At& first, At) {
  if (first->kind != Tok::kArrow) return true;
  s.errors.report("flow-in-value", first, "a value ends before `->`",
                  "flows stand in blocks, models and `data`; a setting, a constant or a param holds one value");
  throw SyntaxError{first};
});
const auto must_equal = must(token_if([](At at) { return at->kind == Tok::kEqual; }), Expected::kEqual);
const auto let_name = must(same_line_name, Expected::kName);
const auto whole_value = must(expression, Expected::kValue);

const auto no_nested_section = step([](State& s, At& first, At) {
  if (!s.starts_section(first) || first->word == Word::kLet) return true;
  s.errors.report("nested-section", first, fmt::format("a `{}` inside another section", s.errors.text(first)),
                  "sections stand at the top level of the file: move it out, or close the braces before it");
  // Its own braces, if it has some, are passed as a whole.
  throw SyntaxError{first};
});

const auto statement_def =
    spanned(no_nested_section >>
    ((let_ahead >> word(Word::kLet) >> let_name[set_let_name] >> no_type >> must_equal >> whole_value[set_let_value] >>
      value_end) |
     (-targets[set_targets] >> flow[set_flow])));

const auto push_statement = [](auto& ctx) {
  if (x3::_attr(ctx)) x3::_val(ctx).statements.push_back(std::move(*x3::_attr(ctx)));
};
template <class Item, class Push>
auto braced(const Item& item, Push push) {
  return nested(tok(Tok::kLeftBrace) >> separator >>
                *(!tok(Tok::kRightBrace) >> guarded(item, Resume::kStatement)[push] >> separator) >>
                tok(Tok::kRightBrace));
}
const auto statements_def = braced(statement, push_statement);

const auto set_key = [](auto& ctx) { x3::_val(ctx).key = name_of(ctx); };
const auto set_plain_value = [](auto& ctx) { x3::_val(ctx).value = std::move(x3::_attr(ctx)); };
const auto binds = ahead([](At at) {
  return at->kind == Tok::kEqual || at->kind == Tok::kColon || at->kind == Tok::kEqualEqual;
});
const auto must_bind = must(binds, Expected::kEqual) >> binding;
const auto setting_def = spanned(no_nested_section >> must(key, Expected::kSetting)[set_key] >> must_bind >>
                         whole_value[set_plain_value] >> value_end);

const auto add_path = [](auto& ctx) { x3::_val(ctx).push_back(std::move(x3::_attr(ctx))); };
// A comma in `report a, b` goes on only where a path follows that is not the next statement.
const auto more_paths = token_if([](At at) {
  if (at->kind != Tok::kComma || (at + 1)->kind != Tok::kName) return false;
  const Tok next = (at + 2)->kind;
  return next != Tok::kEqual && (next != Tok::kName || (at + 2)->first_on_line);
});
const auto must_path = must(path, Expected::kPath);
const auto on_same_line = must(ahead([](At at) { return !at->first_on_line; }), Expected::kPath);
const auto path_list_def = must_path[add_path] >> *(more_paths >> must_path[add_path]);

template <class Node>
Node& study_node(auto& ctx) {
  auto& node = x3::_val(ctx).node;
  if (!std::holds_alternative<Node>(node)) node.template emplace<Node>();
  return std::get<Node>(node);
}
const auto study_word = [](Word w) {
  return token_if([w](At at) { return at->word == w; });
};
const auto grid_path = [](auto& ctx) { study_node<GridStatement>(ctx).path = std::move(x3::_attr(ctx)); };
const auto grid_values = [](auto& ctx) { study_node<GridStatement>(ctx).values = std::move(x3::_attr(ctx)); };
const auto zip_path = [](auto& ctx) { study_node<ZipStatement>(ctx).paths.push_back(std::move(x3::_attr(ctx))); };
const auto zip_values = [](auto& ctx) { study_node<ZipStatement>(ctx).values = std::move(x3::_attr(ctx)); };
const auto where_condition = [](auto& ctx) { study_node<WhereStatement>(ctx).condition = std::move(x3::_attr(ctx)); };
const auto report_paths = [](auto& ctx) { study_node<ReportStatement>(ctx).paths = std::move(x3::_attr(ctx)); };
const auto study_key = [](auto& ctx) { study_node<StudySetting>(ctx).key = name_of(ctx); };
const auto study_value = [](auto& ctx) { study_node<StudySetting>(ctx).value = std::move(x3::_attr(ctx)); };
const auto study_statement_def =
    spanned(no_nested_section >>
    ((study_word(Word::kGrid) >> on_same_line >> must_path[grid_path] >> must_bind >> whole_value[grid_values]) |
     (study_word(Word::kZip) >> must(tok(Tok::kLeftParen), Expected::kZipPaths) >> must_path[zip_path] >>
      *(tok(Tok::kComma) >> -path[zip_path]) >> must(tok(Tok::kRightParen), Expected::kTupleClose) >> must_bind >>
      whole_value[zip_values]) |
     (study_word(Word::kWhere) >> must(expression, Expected::kCondition)[where_condition]) |
     (study_word(Word::kReport) >> on_same_line >> path_list[report_paths]) |
     (must(key, Expected::kStudyStatement)[study_key] >> must(binds, Expected::kStudyEqual) >> binding >> whole_value[study_value])) >>
    value_end);

// ---------------------------------------------------------------------------------------------------------------------
// Sections.

const auto set_default = [](auto& ctx) { x3::_val(ctx).default_value = std::move(x3::_attr(ctx)); };
// `x: int` and `x: int = 3` are read as if there were no type.
const auto no_parameter_type = step([](State& s, At& first, At) {
  if (first->kind != Tok::kColon) return true;
  const At start = first;
  ++first;
  if (first->kind == Tok::kName) ++first;
  if (first->kind == Tok::kLeftBracket) first = s.tokens.data() + first->partner + 1;
  s.errors.report("typed-parameter", s.span(start, first), start, "a block's parameters have no types",
                  fmt::format("write `{}` alone: a block is typed by its use", s.errors.text(start - 1)));
  return true;
});
const auto block_parameter_def = must(name, Expected::kParameter)[set_name] >> no_parameter_type >>
                                 -(tok(Tok::kEqual) >> whole_value[set_default]);

const auto set_shape = [](auto& ctx) { x3::_val(ctx).shape = std::move(x3::_attr(ctx)); };
const auto shape_binding = step([](State& s, At& first, At) {
  if (first->kind == Tok::kEqual) {
    s.errors.report("equals-for-colon", first, "an input's shape follows a colon",
                    fmt::format("write `{}: [28, 28]`", s.errors.text(first - 1)));
  }
  ++first;
  return true;
});
const auto model_input_def =
    must(name, Expected::kModelInput)[set_name] >>
    must(ahead([](At at) { return at->kind == Tok::kColon || at->kind == Tok::kEqual; }), Expected::kColon) >>
    shape_binding >> whole_value[set_shape];

const auto output_name = must(name, Expected::kOutputName);
const auto outputs_def = must(tok(Tok::kArrow), Expected::kOutputs) >> output_name[add_name] >>
                         *(tok(Tok::kComma) >> output_name[add_name]);

const auto push_parameter = [](auto& ctx) {
  x3::_val(ctx).parameters.push_back(x3::_attr(ctx) ? std::move(*x3::_attr(ctx)) : BlockParameter{});
};
const auto push_input = [](auto& ctx) {
  x3::_val(ctx).inputs.push_back(x3::_attr(ctx) ? std::move(*x3::_attr(ctx)) : ModelInput{});
};
const auto set_outputs = [](auto& ctx) { x3::_val(ctx).outputs = std::move(x3::_attr(ctx)); };
const auto section_name = must(same_line_name, Expected::kSectionName);
const auto inputs_ahead = must(ahead([](At at) { return at->kind == Tok::kLeftParen; }), Expected::kInputs);
const auto at_body = must(ahead([](At at) { return at->kind == Tok::kLeftBrace; }), Expected::kSectionBody);
const auto block_header_def = section_name[set_name] >> inputs_ahead >>
                              bracketed(Tok::kLeftParen, Tok::kRightParen, block_parameter, push_parameter) >>
                              outputs[set_outputs] >> at_body;
const auto model_header_def = section_name[set_name] >> inputs_ahead >>
                              bracketed(Tok::kLeftParen, Tok::kRightParen, model_input, push_input) >>
                              outputs[set_outputs] >> at_body;
const auto name_header_def = section_name[set_name] >> at_body;

template <class Node>
Node& node_of(auto& ctx) {
  auto& node = x3::_val(ctx).node;
  if (!std::holds_alternative<Node>(node)) node.template emplace<Node>();
  return std::get<Node>(node);
}
#define STRATA_SET(NODE, FIELD, VALUE) ([](auto& ctx) { node_of<NODE>(ctx).FIELD = VALUE; })

const auto format_section = word(Word::kFormat) >>
                            must(token_if([](At at) { return at->kind == Tok::kInteger || at->kind == Tok::kBroken; }),
                                 Expected::kFormat)[([](auto& ctx) {
                              const At at = x3::_attr(ctx);
                              Expr& version = node_of<FormatSection>(ctx).version;
                              version.span = state(ctx).span(at);
                              if (at->kind == Tok::kInteger) {
                                version.node = IntLiteral{at->integer, std::string(state(ctx).errors.text(at))};
                              }
                            })];
const auto string_token = token_if([](At at) { return at->kind == Tok::kString || at->kind == Tok::kBroken; });
const auto include_section = word(Word::kInclude) >> must(string_token, Expected::kIncludePath)[([](auto& ctx) {
                               auto& node = node_of<IncludeSection>(ctx);
                               node.path.value = x3::_attr(ctx)->text;
                               node.path_span = state(ctx).span(x3::_attr(ctx));
                             })];
const auto version_comparison = token_if([](At at) {
  return !at->first_on_line && (at->kind == Tok::kEqual || (at->kind >= Tok::kEqualEqual && at->kind <= Tok::kGreaterEqual &&
                                                            at->kind != Tok::kNotEqual));
});
const auto version_number = token_if([](At at) {
  return at->kind == Tok::kInteger || at->kind == Tok::kFloat || at->kind == Tok::kVersion || at->kind == Tok::kBroken;
});
const auto require_section =
    word(Word::kRequire) >> must(string_token, Expected::kPluginName)[([](auto& ctx) {
      auto& node = node_of<RequireSection>(ctx);
      node.plugin.value = x3::_attr(ctx)->text;
      node.plugin_span = state(ctx).span(x3::_attr(ctx));
    })] >>
    -(version_comparison[([](auto& ctx) {
        const At at = x3::_attr(ctx);
        if (at->kind == Tok::kEqual) {
          state(ctx).errors.report("bad-version", at, "`=` binds; a version is compared", "write `>=` or `==`");
        }
        node_of<RequireSection>(ctx).comparison = at->kind == Tok::kEqual ? "==" : std::string(state(ctx).errors.text(at));
      })] >>
      must(version_number, Expected::kVersion)[([](auto& ctx) {
        auto& node = node_of<RequireSection>(ctx);
        node.version = state(ctx).errors.text(x3::_attr(ctx));
        node.version_span = state(ctx).span(x3::_attr(ctx));
      })]);

const auto let_section = word(Word::kLet) >> section_name[STRATA_SET(LetSection, name, name_of(ctx))] >> no_type >>
                         must_equal >> whole_value[STRATA_SET(LetSection, value, std::move(x3::_attr(ctx)))] >> value_end;

// `param width: int = 256 in 1..4096`: the value's own grammar has `in`, so the domain is split off afterwards.
const auto set_param_value = [](auto& ctx) {
  auto& node = node_of<ParamSection>(ctx);
  Expr& value = x3::_attr(ctx);
  auto* chain = std::get_if<ChainExpr>(&value.node);
  if (!chain || value.parenthesized || chain->rest.size() != 1 || chain->rest[0].op != BinaryOp::kIn) {
    node.value = std::move(value);
    return;
  }
  node.domain = std::move(*chain->rest[0].operand);
  node.value = Expr(std::move(*chain->first));
};
const auto param_section =
    word(Word::kParam) >> section_name[STRATA_SET(ParamSection, name, name_of(ctx))] >>
    must(tok(Tok::kColon), Expected::kType) >>
    must(same_line_name, Expected::kType)[STRATA_SET(ParamSection, type, name_of(ctx))] >>
    step([](State& s, At& first, At) {
      if (first->kind == Tok::kEqual) return true;
      if (first->first_on_line || first->kind == Tok::kIn || first->kind == Tok::kEnd) {
        s.errors.report("missing-default", s.span(first - 1), first, "a param needs a default",
                        fmt::format("write `param {}: {} = …`", s.errors.text(first - 3), s.errors.text(first - 1)));
        throw SyntaxError{first};
      }
      return true;
    }) >>
    must_equal >> whole_value[set_param_value] >> value_end;

const auto data_section = word(Word::kData) >> section_name[STRATA_SET(DataSection, name, name_of(ctx))] >> must_equal >>
                          flow[STRATA_SET(DataSection, flow, std::move(x3::_attr(ctx)))];

// A header that is wrong still has a body to check; the section itself is left out of the tree.
const auto take_header = [](auto& target, std::optional<Header>& header) {
  if (!header) return;
  target.name = std::move(header->name);
  target.outputs = std::move(header->outputs);
};
const auto block_section = word(Word::kBlock) >> guarded(block_header, Resume::kHeader)[([](auto& ctx) {
                             auto& node = node_of<BlockSection>(ctx);
                             take_header(node, x3::_attr(ctx));
                             if (x3::_attr(ctx)) node.parameters = std::move(x3::_attr(ctx)->parameters);
                           })] >>
                           -statements[STRATA_SET(BlockSection, body, std::move(x3::_attr(ctx).statements))];
const auto model_section = word(Word::kModel) >> guarded(model_header, Resume::kHeader)[([](auto& ctx) {
                             auto& node = node_of<ModelSection>(ctx);
                             take_header(node, x3::_attr(ctx));
                             if (x3::_attr(ctx)) node.inputs = std::move(x3::_attr(ctx)->inputs);
                           })] >>
                           -statements[STRATA_SET(ModelSection, body, std::move(x3::_attr(ctx).statements))];

const auto push_setting = [](auto& ctx) {
  if (x3::_attr(ctx)) node_of<TrainSection>(ctx).settings.push_back(std::move(*x3::_attr(ctx)));
};
const auto push_study = [](auto& ctx) {
  if (x3::_attr(ctx)) node_of<StudySection>(ctx).statements.push_back(std::move(*x3::_attr(ctx)));
};
const auto train_section = word(Word::kTrain)[([](auto& ctx) { node_of<TrainSection>(ctx); })] >>
                           -same_line_name[STRATA_SET(TrainSection, name, name_of(ctx))] >> at_body >> braced(setting, push_setting);
const auto study_section = word(Word::kStudy) >> guarded(name_header, Resume::kHeader)[([](auto& ctx) {
                             if (x3::_attr(ctx)) node_of<StudySection>(ctx).name = std::move(x3::_attr(ctx)->name);
                             else node_of<StudySection>(ctx);
                           })] >>
                           -braced(study_statement, push_study);

const auto section_def = spanned(format_section | include_section | require_section | let_section | param_section |
                         block_section | model_section | data_section | train_section | study_section);

BOOST_SPIRIT_DEFINE(expression, conditional, operation, primary, path, call_arguments, list_items, tuple_items, argument,
                    list_item, flow, body_flow, stage, required_stage, call_stage, if_branch, if_stage, for_stage, repeat_stage, targets,
                    statement, statements, setting, study_statement, path_list, block_parameter, model_input, outputs,
                    block_header, model_header, name_header, section)

// ---------------------------------------------------------------------------------------------------------------------
// Whole texts.

template <class Rule, class Value>
bool parse_at(State& s, const Rule& rule, At& first, Value& value) {
  return x3::with<state_tag>(s)[rule].parse(first, &s.tokens.back(), x3::unused, x3::unused, value);
}

// The name that a section which is kept out of the tree would have declared.
void note_incomplete(State& s, At keyword, File& file) {
  if ((keyword + 1)->kind == Tok::kName && !(keyword + 1)->first_on_line) file.incomplete.push_back(s.name(keyword + 1));
}

bool has_header(const Section& parsed) {
  return std::visit(
      [](const auto& node) {
        using Node = std::decay_t<decltype(node)>;
        if constexpr (std::is_same_v<Node, BlockSection> || std::is_same_v<Node, ModelSection> ||
                      std::is_same_v<Node, StudySection>) {
          return !node.name.text.empty();
        }
        return true;
      },
      parsed.node);
}

void check_format(State& s, const File& file) {
  const At first = s.tokens.data();
  if (first->kind == Tok::kEnd) {
    s.errors.report("missing-format", first, "the file says nothing", "a model file begins with `format 1`");
  } else if (first->word != Word::kFormat) {
    s.errors.report("missing-format", first, "the file does not begin with its format", "write `format 1` first");
  }
  for (std::size_t i = 0; i < file.sections.size(); ++i) {
    const auto* format = std::get_if<FormatSection>(&file.sections[i].node);
    if (!format) continue;
    const auto* version = std::get_if<IntLiteral>(&format->version.node);
    if (version && version->value != 1) {
      s.diagnostics.error("unknown-format", format->version.span,
                          fmt::format("this program does not know format {}", version->value))
          .help = "it reads `format 1`";
    }
    if (i > 0) {
      s.diagnostics.error("misplaced-format", file.sections[i].span, "`format` stands once, first in the file").help =
          "remove this line";
    }
  }
}

At next_section(const State& s, At at) {
  for (; at->kind != Tok::kEnd; ++at) {
    if (s.errors.misspelt_section(at)) return at;
    if (at->first_on_line && is_section_word(at->word) &&
        (s.starts_section(at) || ((at + 1)->kind != Tok::kEqual && (at + 1)->kind != Tok::kArrow))) {
      return at;
    }
    if (State::is_open(at->kind)) at = s.tokens.data() + at->partner;
  }
  return at;
}

void parse_sections(State& s, File& file) {
  At first = s.tokens.data();
  bool quiet = false;  // what lies between a mistake and the next section is no mistake of its own
  while (first->kind != Tok::kEnd && !s.diagnostics.full()) {
    if (first->kind == Tok::kSemicolon) {
      ++first;
      continue;
    }
    const At start = first;
    if (!is_section_word(first->word)) {
      if (!quiet || s.errors.misspelt_section(first)) s.errors.missing(Expected::kSection, first);
      first = next_section(s, first + 1);
      quiet = true;
      continue;
    }
    const int errors = s.diagnostics.errors();
    Section parsed;
    try {
      s.depth = 0;
      if (parse_at(s, section, first, parsed) && has_header(parsed)) {
        file.sections.push_back(std::move(parsed));
      } else {
        note_incomplete(s, start, file);
      }
    } catch (const SyntaxError& error) {
      note_incomplete(s, start, file);
      first = next_section(s, std::max(start + 1, error.at));
    }
    if (first == start) ++first;
    quiet = s.diagnostics.errors() > errors;
  }
}

}  // namespace

File parse_file(const SourceFile& source, Diagnostics& diagnostics, const ParseLimits& limits) {
  File file;
  file.source = &source;
  if (source.text().size() > limits.file_bytes) {
    diagnostics.error("file-too-large", Span{&source, 0, 0},
                      fmt::format("the file has {} bytes; {} are the most", source.text().size(), limits.file_bytes))
        .help = "split it and `include` the parts, or write what repeats as a loop";
    return file;
  }
  Tokens tokens = tokenize(source, diagnostics);
  balance_brackets(source, tokens.tokens, diagnostics);
  State s{source, tokens.tokens, diagnostics, limits, SyntaxErrors(source, tokens.tokens, diagnostics)};
  parse_sections(s, file);
  check_format(s, file);
  attach_trivia(source, tokens, file);
  return file;
}

Override parse_override(const SourceFile& source, Diagnostics& diagnostics, const ParseLimits& limits) {
  Override result;
  result.span = {&source, 0, static_cast<std::uint32_t>(source.text().size())};
  const std::size_t equal = source.text().find('=');
  if (equal == std::string_view::npos) {
    diagnostics.error("bad-override", result.span, "an override has no `=`").help =
        "write `path=value`, as in `train.batch_size=256`";
    return result;
  }
  result.raw_value = source.text().substr(equal + 1);
  // A value that is no expression is text: `data.path=/tmp/mnist`. What opens a quote or a bracket means an expression.
  Diagnostics mine;
  Tokens tokens = tokenize(source, mine);
  balance_brackets(source, tokens.tokens, mine);
  State s{source, tokens.tokens, mine, limits, SyntaxErrors(source, tokens.tokens, mine)};
  At first = s.tokens.data();
  bool path_ok = false;
  try {
    path_ok = parse_at(s, path, first, result.path) && first->kind == Tok::kEqual && first->begin == equal;
    if (path_ok) {
      ++first;
      if (!parse_at(s, expression, first, result.value) || first->kind != Tok::kEnd) throw SyntaxError{first};
    }
  } catch (const SyntaxError& error) {
    if (path_ok && !mine.has_errors()) s.errors.missing(Expected::kValue, error.at);
    result.value = Expr{};
  }
  if (!path_ok) {
    result.path = Path{};
    diagnostics.error("bad-override", Span{&source, 0, static_cast<std::uint32_t>(equal)},
                      "what stands before `=` is not a path of names").help =
        "write `path=value`, as in `train.batch_size=256`";
    return result;
  }
  const std::string_view raw = result.raw_value;
  const std::size_t begin = raw.find_first_not_of(" \t");
  const bool expression_meant = begin != std::string_view::npos && std::string_view("\"[(").find(raw[begin]) != std::string_view::npos;
  const bool failed = mine.has_errors() || std::holds_alternative<ErrorExpr>(result.value.node);
  if (begin == std::string_view::npos) {
    diagnostics.error("bad-override", result.span, "an override without a value").help =
        "write `path=value`; the empty string is `path='\"\"'` in a shell";
  } else if (failed && expression_meant) {
    for (const Diagnostic& d : mine.all()) diagnostics.add(d);
  } else if (failed) {
    result.value = Expr{{&source, static_cast<std::uint32_t>(equal + 1), result.span.end}, false,
                        StringLiteral{std::string(raw)}};
  }
  return result;
}

}  // namespace strata::dsl
