// Slips that people make where something else is expected, and how to mend them. Each function
// reports and says true, or leaves the place to the general message.
#include <fmt/format.h>

#include "framework/dsl/syntax_errors.h"

namespace strata::dsl {
namespace {

const std::vector<std::string> kSectionWords = {"format", "include", "require", "let",   "param",
                                                "block",  "model",   "data",    "train", "study"};

bool is_foreign_definition(std::string_view word) {
  return word == "def" || word == "class" || word == "function" || word == "fn" || word == "func";
}

}  // namespace

bool SyntaxErrors::name_slip(const Token* at) {
  if (at->first_on_line || !is_keyword(at->kind)) return false;
  report("keyword-as-name", at, fmt::format("`{}` is a keyword and names nothing", text(at)),
         "choose another name");
  return true;
}

// Where a value should begin.
bool SyntaxErrors::value_slip(const Token* at) {
  const Token* last = before(at);
  const auto say = [&](const char* code, std::string message, std::string help) {
    report(code, at, std::move(message), std::move(help));
    return true;
  };
  switch (at->kind) {
    case Tok::kLeftBrace:
      return say("dictionary", "values are not written in braces",
                 "a list is `[a, b]`; settings of a thing are its arguments: `Adam(lr = 1e-3)`");
    case Tok::kIf:
      return say("misplaced-if", "an `if` in the middle of an expression",
                 "put it in parentheses: `(if c then a else b)`");
    case Tok::kFor:
      return say("loop-in-value", "a loop is no value",
                 "loops stand in flows: `-> for n in [1, 2] { … }`; a list of numbers is `[1, 2]`, "
                 "`1..4` or `range(0, 10, 2)`");
    case Tok::kStar:
    case Tok::kPower:
      return say("unpacking", fmt::format("`{}` does not unpack anything", text(at)),
                 "write the arguments one by one");
    case Tok::kEqual:
      if (last && last->kind == Tok::kEqual) {
        return say("double-equals", "`= =` is nothing", "`=` binds, `==` compares");
      }
      return false;
    case Tok::kVersion:
      return say("malformed-number", fmt::format("`{}` has more than one point", text(at)),
                 "a number has one; a version stands behind `require` only");
    case Tok::kLess:
      return say("placeholder", "a `<` where a value begins",
                 "write the value itself, without angle brackets");
    case Tok::kThen:
    case Tok::kElse:
      if (last && last->kind != Tok::kIf && last->kind != Tok::kThen && last->kind != Tok::kElse)
        return false;
      return say("expected-value",
                 fmt::format("no value between `{}` and `{}`", text(last), text(at)),
                 "write `if condition then a else b`");
    default:
      return false;
  }
}

bool SyntaxErrors::stage_slip(const Token* at) {
  const Token* last = before(at);
  const bool after_arrow = last && last->kind == Tok::kArrow;
  const auto say = [&](const char* code, std::string message, std::string help) {
    report(code, at, std::move(message), std::move(help));
    return true;
  };
  if (after_arrow &&
      (at->first_on_line || at->kind == Tok::kRightBrace || at->kind == Tok::kSemicolon)) {
    report("trailing-arrow", span(last), at, "no stage behind this arrow",
           "write the next stage, or remove the arrow");
    return true;
  }
  switch (at->kind) {
    case Tok::kArrow:
      if (after_arrow)
        return say("trailing-arrow", "two arrows without a stage between them", "remove one");
      return say("missing-source", "a flow begins with the value that it is about",
                 "write its name before the arrow: `image -> Flatten`");
    case Tok::kElse:
      return say("else-without-if", "an `else` without an `if` before it",
                 "in a flow: `-> if condition { … } else { … }`");
    case Tok::kLeftBrace:
      return say("bare-braces", "braces without `if`, `for` or `repeat`",
                 "stages follow one another: `-> A -> B`; a reusable piece is a `block`");
    case Tok::kLeftParen:
    case Tok::kLeftBracket:
      return say(
          "expected-stage", fmt::format("expected a stage, found {}", found(at)),
          "values are joined by a layer with several inputs: `Add(main, skip)`, `Concat(a, b)`");
    case Tok::kInteger:
    case Tok::kFloat:
    case Tok::kString:
    case Tok::kTrue:
    case Tok::kFalse:
    case Tok::kNone:
    case Tok::kVersion:
      return say("expected-stage", fmt::format("{} is not a stage", found(at)),
                 "a stage is a layer, a block, or (first in a flow) a value's name; numbers go in "
                 "its arguments: `Dense(10)`");
    case Tok::kEqual:
      if (last && (last->kind == Tok::kName || last->kind == Tok::kRightParen)) {
        return say("second-equals", "a second `=` in one statement",
                   "`=` binds one name; stages are joined with `->`");
      }
      return say("expected-stage", "expected a stage, found `=`", "write `name = source -> Layer`");
    case Tok::kPlus:
    case Tok::kMinus:
    case Tok::kStar:
    case Tok::kSlash:
      return operator_slip(at);
    default:
      if (is_keyword(at->kind)) return name_slip(at);
      return false;
  }
}

// `main + x` in a flow.
bool SyntaxErrors::operator_slip(const Token* at) {
  const Token* last = before(at);
  if (at->kind == Tok::kMinus && at->first_on_line) {
    report("operator-in-flow", at, "a `-` where a statement begins",
           "stages are joined with arrows: `image -> Flatten -> Dense(10) as logits`");
    return true;
  }
  const bool sum = at->kind == Tok::kPlus;
  const bool names = last && last->kind == Tok::kName && (at + 1)->kind == Tok::kName &&
                     !is_section_word(last->word);
  report("operator-in-flow", at, fmt::format("`{}` does not join the values of a flow", text(at)),
         sum && names ? fmt::format("write `Add({}, {})`", text(last), text(at + 1))
         : sum        ? "name both values and join them with a layer: `Add(main, skip)`"
                      : "operators stand in arguments and conditions; a layer works on values");
  return true;
}

// At the top level.
bool SyntaxErrors::section_slip(const Token* at) {
  const Token* last = before(at);
  const auto say = [&](const char* code, std::string message, std::string help) {
    report(code, at, std::move(message), std::move(help));
    return true;
  };
  const std::string word(text(at));
  if (at->kind == Tok::kRightBrace) {
    return say("unmatched-bracket", "`}` closes nothing",
               "remove it, or open it where it should begin");
  }
  if (last && !at->first_on_line) {
    if (at->kind == Tok::kEqual) {
      return say("second-equals", "a second `=` in one statement",
                 "`=` binds one name; stages are joined with `->`");
    }
    if (at->kind == Tok::kIf) {
      return say("misplaced-if", "an `if` behind a value",
                 "a choice is written `if condition then a else b`");
    }
    return say("unexpected-token", fmt::format("{} cannot follow {} here", found(at), found(last)),
               {});
  }
  if (at->kind == Tok::kArrow) {
    return say("statement-outside", "a stage outside of all sections",
               "a flow stands inside `model … { }` or `block … { }`; was the `}` above it meant to "
               "come later?");
  }
  if (word == "import" || word == "from" || word == "using") {
    return say("expected-section", fmt::format("there is no `{}`", word),
               "another file: `include \"blocks.model\"`; a plugin: `require \"name\"`; built-in "
               "layers need neither");
  }
  if (word == "class") {
    return say("expected-section", "there is no `class`",
               "a model is `model name(image: [28, 28]) -> logits { … }`, a reusable piece `block "
               "name(x, units) -> y { … }`");
  }
  if (is_foreign_definition(word) || word == "layer") {
    return say("expected-section", fmt::format("there is no `{}`", word),
               "a reusable piece is `block name(x, units) -> y { … }`");
  }
  if (word == "const" || word == "var" || word == "set") {
    return say("expected-section", fmt::format("there is no `{}`", word),
               "a constant is `let name = value`");
  }
  if (at->kind == Tok::kName) {
    const Tok next = (at + 1)->kind;
    if (next == Tok::kEqual || next == Tok::kColon) {
      return say("statement-outside", fmt::format("`{}` is bound outside of all sections", word),
                 fmt::format("a constant is `let {0} = …`, a knob `param {0}: int = …`; settings "
                             "stand in `train {{ … }}`",
                             word));
    }
    if (next == Tok::kArrow) {
      return say(
          "statement-outside", "a flow outside of all sections",
          "flows stand inside `model name(input: [28, 28]) -> output { … }` or in a `block`");
    }
    const std::string near = nearest_name(word, kSectionWords);
    if (!near.empty()) {
      return say("expected-section", fmt::format("there is no section `{}`", word),
                 fmt::format("did you mean `{}`?", near));
    }
  }
  report("expected-section", at, fmt::format("expected a section, found {}", found(at)),
         "sections are `model`, `data`, `train`, `block`, `param`, `let`, `study`, `include` and "
         "`require`");
  return true;
}

bool SyntaxErrors::setting_slip(const Token* at, const char* example) {
  const Token* last = before(at);
  if (!last) return false;
  const std::string key(text(last));
  const auto say = [&](const char* code, std::string message, std::string help) {
    report(code, at, std::move(message), std::move(help));
    return true;
  };
  switch (at->kind) {
    case Tok::kDot:
      return say("dotted-key", fmt::format("`{}.…` is set where its owner is written", key),
                 "write it as an argument: `optimizer = Adam(lr = 1e-3)`; paths are for studies "
                 "and the command line");
    case Tok::kLeftBrace:
      return say("nested-braces", fmt::format("`{}` has no braces of its own", key),
                 std::string("write it as ") + example);
    case Tok::kLeftParen:
      return say("missing-equals", fmt::format("`{}(…)` is bound to no key", key),
                 std::string("write it as ") + example);
    case Tok::kArrow:
      return say("arrow-for-equals", "a setting is bound with `=`, not with an arrow",
                 fmt::format("write `{} = …`", key));
    default:
      return false;
  }
}

bool SyntaxErrors::misspelt_section(const Token* at) const {
  if (!at->first_on_line || at->kind != Tok::kName || is_section_word(at->word)) return false;
  const Token* next = at + 1;
  if (at_margin(at) && next->kind == Tok::kName && !next->first_on_line &&
      is_foreign_definition(text(at)))
    return true;
  if (next->first_on_line || (next->kind != Tok::kName && next->kind != Tok::kLeftBrace))
    return false;
  return !nearest_name(text(at), kSectionWords).empty();
}

// Where braces should open.
bool SyntaxErrors::body_slip(const Token* at) {
  const auto say = [&](const char* code, std::string message, std::string help) {
    report(code, at, std::move(message), std::move(help));
    return true;
  };
  if (at->kind == Tok::kColon) {
    return say("colon-for-brace", "a colon opens nothing",
               "what belongs to it stands in braces: `{ … }`");
  }
  if (at->kind == Tok::kThen) {
    return say("then-in-flow", "`then` in a flow",
               "branches of a flow stand in braces: `if condition { A } else { B }`");
  }
  if (at->kind == Tok::kEqual) {
    return say("double-equals", "`=` does not compare", "write `==`");
  }
  return false;
}

}  // namespace strata::dsl
