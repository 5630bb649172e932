// The tools that the grammar is made of: its state, parsers of single tokens, and directives for
// what must follow, for nesting, places and recovery. Included by parser.cc alone, the one
// translation unit that knows Boost Spirit X3.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <boost/spirit/home/x3.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/dsl/brackets.h"
#include "framework/dsl/lexer.h"
#include "framework/dsl/parser.h"
#include "framework/dsl/syntax_errors.h"

namespace strata::dsl {
namespace {

namespace x3 = boost::spirit::x3;
using At = const Token*;

// Where `guarded` goes on after a mistake.
enum class Resume {
  kItem,       // the next comma, or the bracket that closes the list
  kStage,      // the next arrow, or what ends the statement
  kStatement,  // the next line that does not go on with an arrow, `;`, or the brace that closes the
               // body
  kTail,       // the same, for what follows a statement's first word
  kSetting,    // as kTail, and at the next setting on the same line
  kBody,       // behind the brace that closes the body
  kHeader,     // the section's `{`
};

constexpr std::size_t kLookahead = 3;  // tokens behind the end, all of kind kEnd

struct State {
  const SourceFile& source;
  const std::vector<Token>& tokens;
  Diagnostics& diagnostics;
  const ParseLimits& limits;
  SyntaxErrors errors;
  int depth = 0;
  At end = tokens.data() + tokens.size() - 1 - kLookahead;
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
    if (how == Resume::kSetting) {
      const At statement = resume(Resume::kTail, start, failed);
      for (At at = std::max(start, failed); at < statement; ++at) {
        if (at > failed && begins_setting(at)) return at;
        if (is_open(at->kind)) at = tokens.data() + at->partner;
      }
      return statement;
    }
    if (how == Resume::kTail) return resume(Resume::kStatement, start - 1, failed);
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
          if (at >= failed && at->kind == Tok::kAs && (at + 1)->kind == Tok::kName &&
              !(at + 1)->first_on_line) {
            return at;
          }
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

  // `key =`, or with what people write in its place.
  static bool begins_setting(At at) {
    if (at->kind != Tok::kName || (at - 1)->kind == Tok::kDot) return false;
    const Tok next = (at + 1)->kind;
    return next == Tok::kEqual || next == Tok::kEqualEqual || next == Tok::kColon ||
           ((at - 1)->kind != Tok::kName && next >= Tok::kInteger && next <= Tok::kString &&
            !(at + 1)->first_on_line);
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
// A name that is declared: on the line of what declares it, so that a forgotten one does not take
// the next section.
const auto name = token_if([](At at) { return at->kind == Tok::kName; });
const auto same_line_name =
    token_if([](At at) { return at->kind == Tok::kName && !at->first_on_line; });

// ---------------------------------------------------------------------------------------------------------------------
// Directives.

// What must stand here: otherwise a message, and the nearest `guarded` goes on.
template <class Subject>
struct Must : x3::unary_parser<Subject, Must<Subject>> {
  static constexpr bool is_pass_through_unary = true;
  Expected expected;
  Must(const Subject& inner, Expected what)
      : x3::unary_parser<Subject, Must<Subject>>(inner), expected(what) {}

  template <class Context, class RuleContext, class Attribute>
  bool parse(At& first, const At& last, const Context& context, RuleContext& rule,
             Attribute& attribute) const {
    if (this->subject.parse(first, last, context, rule, attribute)) return true;
    state(context).errors.missing(expected, first);
    throw SyntaxError{first};
  }
};
template <class Subject>
auto must(const Subject& subject, Expected expected) {
  return Must<typename x3::extension::as_parser<Subject>::value_type>(x3::as_parser(subject),
                                                                      expected);
}

// One level of brackets, braces or conditions; too many are refused before the stack could run out.
template <class Subject>
struct Nested : x3::unary_parser<Subject, Nested<Subject>> {
  static constexpr bool is_pass_through_unary = true;
  explicit Nested(const Subject& inner) : x3::unary_parser<Subject, Nested<Subject>>(inner) {}

  template <class Context, class RuleContext, class Attribute>
  bool parse(At& first, const At& last, const Context& context, RuleContext& rule,
             Attribute& attribute) const {
    State& s = state(context);
    if (s.depth >= s.limits.nesting && first != last &&
        (State::is_open(first->kind) || first->kind == Tok::kIf)) {
      s.errors.report("nesting-too-deep", first,
                      fmt::format("more than {} brackets, braces or conditions inside one another",
                                  s.limits.nesting),
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
  bool parse(At& first, const At& last, const Context& context, RuleContext& rule,
             Attribute& attribute) const {
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
  bool parse(At& first, const At& last, const Context& context, RuleContext&,
             Attribute& attribute) const {
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

}  // namespace
}  // namespace strata::dsl
