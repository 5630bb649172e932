// The words of syntax errors.
#include "framework/dsl/syntax_errors.h"

#include <fmt/format.h>

#include <array>

#include "framework/base/utf8.h"
#include "framework/dsl/brackets.h"

namespace strata::dsl {
namespace {

constexpr std::size_t kQuoted = 40;  // bytes of the source that a message repeats

bool is_value(Tok kind) {
  return kind == Tok::kName || (kind >= Tok::kInteger && kind <= Tok::kBroken) ||
         kind >= Tok::kTrue;
}

const std::vector<std::string> kSectionWords = {"format", "include", "require", "let",   "param",
                                                "block",  "model",   "data",    "train", "study"};

}  // namespace

bool SyntaxErrors::muted(const Token* at) const {
  if (at->kind == Tok::kStray || at->inserted || at->after_stray) return true;
  // What follows a value that ended in a stray sign at a line's end.
  const Token* last = before(at);
  return last && (last->kind == Tok::kStray || (last->after_stray && last->kind == Tok::kString));
}

Diagnostic* SyntaxErrors::report(const char* code, const Token* at, std::string message,
                                 std::string help) {
  return report(code, span(at), at, std::move(message), std::move(help));
}

Diagnostic* SyntaxErrors::report(const char* code, Span where, const Token* at, std::string message,
                                 std::string help) {
  if (muted(at)) return nullptr;
  Diagnostic& d = diagnostics_.error(code, where, std::move(message));
  d.help = std::move(help);
  return &d;
}

std::string SyntaxErrors::found(const Token* token) const {
  if (token->kind == Tok::kEnd) return "the end of the file";
  std::string_view quoted = text(token);
  const bool cut = quoted.size() > kQuoted;
  if (cut) {
    quoted = quoted.substr(0, kQuoted);
    while (!quoted.empty() && (static_cast<unsigned char>(quoted.back()) & 0xC0) == 0x80)
      quoted.remove_suffix(1);
  }
  const std::string shown = safe_text(quoted) + (cut ? "…" : "");
  if (token->kind == Tok::kString) return "the string `" + shown + "`";
  if (is_keyword(token->kind)) return "the keyword `" + shown + "`";
  return "`" + shown + "`";
}

void SyntaxErrors::plain(const char* code, const Token* at, const std::string& expected,
                         std::string help) {
  // At a line's start, what is missing is missing at the end of the line before.
  const Token* last = before(at);
  if (last && at->first_on_line) {
    const std::string where = at->kind == Tok::kEnd ? "the file ends" : "the line ends";
    report(code, span(last), at,
           fmt::format("expected {} behind {}, but {}", expected, found(last), where),
           std::move(help));
    return;
  }
  report(code, at, fmt::format("expected {}, found {}", expected, found(at)), std::move(help));
}

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
    default:
      if (is_keyword(at->kind)) return name_slip(at);
      return false;
  }
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
  if (word == "def" || word == "class" || word == "function" || word == "fn" || word == "func" ||
      word == "layer") {
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

void SyntaxErrors::missing(Expected expected, const Token* at) {
  if (muted(at)) return;
  const Token* last = before(at);
  const std::string previous = last ? std::string(text(last)) : "";
  switch (expected) {
    case Expected::kSection:
      section_slip(at);
      return;
    case Expected::kSectionName:
      if (name_slip(at)) return;
      if (last && last->word == Word::kData &&
          (at->kind == Tok::kEqual || at->kind == Tok::kColon)) {
        return plain("expected-name", at, "a name for the data", "write `data mnist = MNIST`");
      }
      return plain("expected-name", at, fmt::format("a name for this `{}`", previous),
                   last && last->word == Word::kModel
                       ? "write `model name(image: [28, 28]) -> logits { … }`"
                   : last && last->word == Word::kBlock ? "write `block name(x, units) -> y { … }`"
                   : last && last->word == Word::kStudy ? "write `study name { … }`"
                                                        : "");
    case Expected::kName:
      if (name_slip(at)) return;
      return plain("expected-name", at, "a name");
    case Expected::kAlias:
      if (name_slip(at)) return;
      return plain("expected-name", at, "a name",
                   "`as` names the value at this point: `Dense(10) as logits`");
    case Expected::kPath:
      if (last && last->word == Word::kGrid) {
        return plain("expected-path", at, "the path of what varies",
                     "write `grid train.batch_size = [16, 64]`");
      }
      if (last && last->word == Word::kReport) {
        return plain("expected-path", at, "what to report",
                     "write `report val.accuracy, val.loss`");
      }
      return plain("expected-path", at, "a name",
                   "a path is written `train.optimizer.lr`, without spaces around the dots");
    case Expected::kFormat:
      if (at->kind == Tok::kEqual || at->kind == Tok::kColon) {
        report("bad-version", at, "`format` is followed by its number alone", "write `format 1`");
        return;
      }
      return plain("bad-version", at, "a whole number behind `format`", "write `format 1`");
    case Expected::kVersion:
      return plain("bad-version", at, "a version",
                   "a version is written without quotes: `require \"acme_layers\" >= 1.2`");
    case Expected::kIncludePath:
      return plain("expected-string", at, "a file's path in double quotes",
                   "write `include \"common/blocks.model\"`");
    case Expected::kPluginName:
      return plain("expected-string", at, "a plugin's name in double quotes",
                   "write `require \"acme_layers\" >= 1.2`");
    case Expected::kValue:
    case Expected::kArgument:
    case Expected::kValues:
    case Expected::kParenthesis:
      if (value_slip(at)) return;
      if (expected == Expected::kParenthesis && at->kind == Tok::kRightParen) {
        report("expected-value", cover(span(last), span(at)), at, "parentheses without a value");
        return;
      }
      if (expected == Expected::kValues && at->kind == Tok::kLeftBrace) return;
      if (last && last->kind == Tok::kArrow) {
        report("flow-in-value", last, "an arrow in a value",
               "name the flow in a statement of its own, and use the name");
        return;
      }
      return plain(
          "expected-value", at,
          last && !at->first_on_line ? fmt::format("a value behind `{}`", previous) : "a value");
    case Expected::kCondition:
      if (at->kind == Tok::kLeftBrace || at->kind == Tok::kThen) {
        return plain("missing-condition", at, "a condition",
                     "write `if x.channels != channels { … }`");
      }
      if (value_slip(at)) return;
      return plain("missing-condition", at, "a condition");
    case Expected::kCount:
      if (at->kind == Tok::kLeftBrace) {
        report("missing-count", cover(span(last), span(last)), at, "`repeat` needs a count",
               "write `repeat 3 { … }`");
        return;
      }
      if (value_slip(at)) return;
      return plain("missing-count", at, "a count", "write `repeat 3 { … }`");
    case Expected::kEqual:
      if (setting_slip(at, "`optimizer = Adam(lr = 1e-3)`")) return;
      // Behind a param's type the key is further back.
      if (last && last - tokens_.data() >= 2 && before(last)->kind == Tok::kColon) {
        return plain("missing-equals", at, "`=`",
                     fmt::format("write `{}: {} = …`", text(last - 2), previous));
      }
      return plain("missing-equals", at, "`=`",
                   last ? fmt::format("write `{} = …`", previous) : "");
    case Expected::kColon:
      return plain("missing-shape", at, "a colon and a shape",
                   fmt::format("write `{}: [28, 28]`: the shape of one sample", previous));
    case Expected::kType:
      if (at->kind == Tok::kEqual) {
        report(
            "missing-type", span(last), at, "a param needs a type",
            fmt::format("write `param {}: int = …`; the types are int, float, str, bool and list",
                        previous));
        return;
      }
      return plain("missing-type", at, "a colon and a type",
                   "write `param width: int = 256`; the types are int, float, str, bool and list");
    case Expected::kThen:
      if (at->kind == Tok::kLeftBrace) {
        report("braces-in-value", at, "a choice between values has no braces",
               "write `if condition then a else b`");
        return;
      }
      if (at->kind == Tok::kColon) {
        report("braces-in-value", at, "a choice between values has no colon",
               "write `if condition then a else b`");
        return;
      }
      if (at->kind == Tok::kEqual) {
        report("double-equals", at, "`=` does not compare", "write `==`");
        return;
      }
      return plain("missing-then", at, "`then`", "write `if condition then a else b`");
    case Expected::kElseValue:
      return plain("missing-else", at, "`else`",
                   "a choice between values has both: `if condition then a else b`");
    case Expected::kIn:
      if (at->kind == Tok::kEqual || at->kind == Tok::kColon) {
        report("missing-in", at, fmt::format("a loop's values follow `in`, not `{}`", text(at)),
               "write `for units in [256, 128] { … }`");
        return;
      }
      return plain("missing-in", at, fmt::format("`in` behind `{}`", previous),
                   "write `for units in [256, 128] { … }`");
    case Expected::kStage:
      if (stage_slip(at)) return;
      return plain("expected-stage", at, "a stage");
    case Expected::kStageEnd:
      if (at->kind == Tok::kEqual || at->kind == Tok::kColon) {
        report(
            "statement-in-flow", at, "a name is bound inside the braces of a flow",
            "these braces hold stages; name the value at a point with `as`: `Dense(10) as logits`");
        return;
      }
      if (at->kind == Tok::kSemicolon || at->kind == Tok::kComma) {
        report("statement-in-flow", at, fmt::format("`{}` between stages", text(at)),
               "stages are joined with `->`");
        return;
      }
      if (at->kind == Tok::kElse) {
        report("else-without-if", at, "an `else` without an `if` before it",
               "write `if condition { A } else { B }`");
        return;
      }
      return plain("unexpected-token", at, "`->` or `}`");
    case Expected::kBody:
      if (body_slip(at)) return;
      return plain("expected-brace", at, "`{`",
                   "what is chosen or repeated stands in braces: `repeat 3 { Dense(64) -> ReLU }`");
    case Expected::kZipPaths:
      return plain("expected-path", at, "`(`", "write `zip (a, b) = [(1, 2), (3, 4)]`");
    case Expected::kStudyEqual:
      if (at->kind == Tok::kDot) {
        const Token* end = at;
        while (end->kind == Tok::kDot && (end + 1)->kind == Tok::kName) end += 2;
        const Span path = cover(span(last), span(end - 1));
        report("expected-setting", path, at,
               fmt::format("`{}` is a path, and no study setting", path.text()),
               fmt::format("to vary it, write `grid {} = [ … ]`", path.text()));
        return;
      }
      if (setting_slip(at, "`seeds = 3`")) return;
      return plain("missing-equals", at, "`=`", fmt::format("write `{} = …`", previous));
    case Expected::kSetting:
      if (at->kind == Tok::kIf) {
        report("misplaced-if", at, "an `if` behind a value",
               "a choice is written `if condition then a else b`");
        return;
      }
      if (at->kind == Tok::kString) {
        report("expected-setting", at, "a key stands without quotes",
               fmt::format("write `{} = …`", at->text));
        return;
      }
      return plain("expected-setting", at, "a setting", "write `key = value`");
    case Expected::kStudyStatement:
      return plain("expected-setting", at, "`grid`, `zip`, `where`, `report` or a setting",
                   "write `grid train.batch_size = [16, 64]`");
    case Expected::kInputs:
      if (name_slip(at)) return;
      return plain(
          "missing-inputs", at, "`(`",
          last && before(last) && before(last)->word == Word::kBlock
              ? fmt::format("write `block {}(x) -> y {{ … }}`: the first parameter is the value it "
                            "is applied to",
                            previous)
              : fmt::format("write `model {}(image: [28, 28]) -> logits {{ … }}`", previous));
    case Expected::kOutputs:
      if (at->kind == Tok::kColon) {
        report("missing-outputs", at, "a colon where the outputs are named", "write `-> y {`");
        return;
      }
      return plain("missing-outputs", at, "`->` and the names of the outputs",
                   "write `… ) -> logits { … }`");
    case Expected::kOutputName:
      if (name_slip(at)) return;
      if (at->kind == Tok::kLeftParen) {
        report("expected-name", at, "outputs stand without parentheses", "write `-> a, b {`");
        return;
      }
      return plain("expected-name", at, "the name of an output");
    case Expected::kSectionBody:
      if (body_slip(at)) return;
      return plain("expected-brace", at, "`{`", "a section's content stands in braces: `{ … }`");
    case Expected::kParameter:
      if (name_slip(at)) return;
      return plain("expected-name", at, "the name of a parameter",
                   "write `block name(x, units, kernel = 3) -> y { … }`");
    case Expected::kModelInput:
      if (name_slip(at)) return;
      return plain("missing-shape", at, "the name of an input",
                   "write `image: [28, 28]`: a name and the shape of one sample");
    case Expected::kTupleClose:
      missing_comma(at);
      return;
  }
}

void SyntaxErrors::missing_comma(const Token* at) {
  if (muted(at)) return;
  const Token* last = before(at);
  switch (at->kind) {
    case Tok::kArrow:
      report("flow-in-value", at, "an arrow inside an argument",
             "name the flow in a statement of its own, `side = x -> Dense(10)`, and use the name: "
             "`Add(main, side)`");
      return;
    case Tok::kColon:
      if (last->kind == Tok::kString) {
        report("dictionary", cover(span(last), span(at)), at,
               "names of arguments stand without quotes, and bind with `=`",
               fmt::format("write `{} = …`", last->text));
      } else {
        report("colon-for-equals", at, "a colon inside a value",
               "arguments bind with `=`; a range is written `1..4`");
      }
      return;
    case Tok::kEqual:
      if (last->kind == Tok::kString) {
        report("dictionary", cover(span(last), span(at)), at,
               "names of arguments stand without quotes",
               fmt::format("write `{} = …`", last->text));
        return;
      }
      report("unexpected-token", at, "`=` does not follow a name here",
             "an argument is `name = value`; `==` compares");
      return;
    case Tok::kSemicolon:
      report("missing-comma", at, "`;` between the elements of a list", "write `,`");
      return;
    case Tok::kFor:
      report("loop-in-value", at, "a loop is no value",
             "loops stand in flows: `-> for n in [1, 2] { … }`; a list of numbers is `[1, 2]`, "
             "`1..4` or `range(0, 10, 2)`");
      return;
    case Tok::kIf:
      report("misplaced-if", at, "an `if` behind a value",
             "a choice is written `if condition then a else b`");
      return;
    case Tok::kAs:
      report("alias-in-value", at, "`as` inside a value",
             "`as` names the value of a stage, behind its arguments: `Dense(10) as logits`");
      return;
    default:
      break;
  }
  if (is_value(at->kind) || at->kind == Tok::kLeftBracket || at->kind == Tok::kLeftParen) {
    report("missing-comma", at,
           fmt::format("expected `,` between {} and {}", found(last), found(at)));
  } else {
    report("unexpected-token", at,
           fmt::format("expected `,` or the end of the list, found {}", found(at)));
  }
}

void SyntaxErrors::missing_arrow(const Token* at) {
  const Token* last = before(at);
  if (text(last) == "return") {
    report("no-return", last, "there is no `return`",
           "a model gives what its header names behind `->`: bind that name");
    return;
  }
  report("missing-arrow", at, fmt::format("no arrow between {} and {}", found(last), found(at)),
         fmt::format("write `-> {}`", text(at)));
}

void SyntaxErrors::colon_for_equals(const Token* name, const Token* colon) {
  report("colon-for-equals", colon, "a colon where `=` binds",
         fmt::format("write `{} = …`", text(name)));
}

}  // namespace strata::dsl
