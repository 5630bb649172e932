// The words of syntax errors: what was expected. The slips that people make are in
// syntax_slips.cc.
#include "framework/dsl/syntax_errors.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/base/utf8.h"

namespace strata::dsl {
namespace {

constexpr std::size_t kQuoted = 40;  // bytes of the source that a message repeats

bool is_value(Tok kind) {
  return kind == Tok::kName || (kind >= Tok::kInteger && kind <= Tok::kBroken) ||
         kind >= Tok::kTrue;
}

}  // namespace

bool SyntaxErrors::muted(const Token* at) const {
  if (at->kind == Tok::kStray || at->inserted || at->after_stray) return true;
  // What follows a value that ended in a stray sign at a line's end.
  const Token* last = before(at);
  return last && (last->kind == Tok::kStray || (last->after_stray && (last->kind == Tok::kString ||
                                                                      last->kind == Tok::kBroken)));
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
      if (last && last->word == Word::kModel && at->kind == Tok::kEqual) {
        return plain("expected-name", at, "a name for this `model`",
                     "layers are joined with arrows: `model name(image: [28, 28]) -> logits { "
                     "image -> Flatten -> Dense(10) as logits }`");
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

bool SyntaxErrors::reported_at(const Token* at) const {
  const std::vector<Diagnostic>& all = diagnostics_.all();
  return std::any_of(all.begin(), all.end(),
                     [&](const Diagnostic& d) { return d.span.begin == at->begin; });
}

void SyntaxErrors::missing_arrow(const Token* at) {
  const Token* last = before(at);
  report("missing-arrow", at, fmt::format("no arrow between {} and {}", found(last), found(at)),
         fmt::format("write `-> {}`", text(at)));
}

void SyntaxErrors::called_twice(const Token* at) {
  // `Layer(options)(values)`, the values perhaps in a list.
  const Token* open = &tokens_[(at - 1)->partner];
  const Token* callee = before(open);
  const Token* first = at + 1;
  const Token* last = &tokens_[at->partner];
  if (first->kind == Tok::kLeftBracket && first->partner != kNoPartner &&
      &tokens_[first->partner] + 1 == last) {
    last = &tokens_[first->partner];
    ++first;
  }
  bool plain_names = callee && callee->kind == Tok::kName && first < last;
  std::string values;
  for (const Token* value = first; value < last && plain_names; value += 2) {
    plain_names = value->kind == Tok::kName &&
                  (value + 1 == last || ((value + 1)->kind == Tok::kComma && value + 2 < last));
    values += (value == first ? "" : ", ") + std::string(text(value));
  }
  std::string help = "apply a layer with an arrow: `x -> Dense(10)`";
  if (plain_names && last - first == 1) {
    const std::string layer(
        cover(span(callee), open + 1 == at - 1 ? span(callee) : span(at - 1)).text());
    if (layer.find('[') == std::string::npos)  // a list of layers is no layer either
      help = fmt::format("apply a layer with an arrow: `{} -> {}`", values, layer);
  } else if (plain_names) {
    const std::string options =
        open + 1 == at - 1 ? "" : ", " + std::string(cover(span(open + 1), span(at - 2)).text());
    help = fmt::format("write `{}({}{})`", text(callee), values, options);
  }
  report("called-twice", at, "the result of a call cannot be called", std::move(help));
}

void SyntaxErrors::flow_in_value(const Token* arrow, bool in_body) {
  const std::ptrdiff_t back = arrow - tokens_.data();
  if (back >= 4 && (arrow - 4)->word == Word::kLet && (arrow - 2)->kind == Tok::kEqual) {
    const std::string written = fmt::format("`{} = {} -> …`", text(arrow - 3), text(arrow - 1));
    report("flow-in-value", arrow, "`let` names a constant, and this is a flow",
           in_body ? fmt::format("write {} without `let`", written)
                   : fmt::format("write {} inside a `model` or a `block`", written));
    return;
  }
  report(
      "flow-in-value", arrow, "a value ends before `->`",
      "flows stand in blocks, models and `data`; a setting, a constant or a param holds one value");
}

void SyntaxErrors::colon_for_equals(const Token* name, const Token* colon) {
  report("colon-for-equals", colon, "a colon where `=` binds",
         fmt::format("write `{} = …`", text(name)));
}

}  // namespace strata::dsl
