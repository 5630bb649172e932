// The law of the printer, over generated trees: parsing what was printed gives the tree again, and
// printing that gives the same text.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "framework/dsl/dump.h"
#include "framework/dsl/parser.h"
#include "framework/dsl/printer.h"
#include "framework/dsl/tests/draw.h"

namespace strata::dsl {
namespace {

std::string difference(const std::string& left, const std::string& right) {
  if (left == right) return "";
  std::size_t at = 0;
  while (at < std::min(left.size(), right.size()) && left[at] == right[at]) ++at;
  const std::size_t begin = at < 60 ? 0 : at - 60;
  return "…" + left.substr(begin, 160) + "…\nbut\n…" + right.substr(begin, 160) + "…";
}

RC_GTEST_PROP(RoundTrip, ParseOfPrintIsTheIdentity, ()) {
  const File file = Draw().file();
  const std::string text = print(file);
  RC_LOG() << text;
  const SourceFile source("printed.model", text);
  Diagnostics diagnostics;
  const File parsed = parse_file(source, diagnostics);
  RC_ASSERT(render(diagnostics) == "");
  RC_ASSERT(difference(dump(parsed), dump(file)) == "");
  RC_ASSERT(equal(parsed, file));
  RC_ASSERT(difference(print(parsed), text) == "");
}

RC_GTEST_PROP(RoundTrip, ExpressionsOnOneLine, ()) {
  Expr expr = Draw().expr(4, 0);
  const std::string text = print(expr);
  const SourceFile source("printed.model", "format 1\nlet a = " + text + "\n");
  RC_ASSERT(text.find('\n') == std::string::npos);
  Diagnostics diagnostics;
  const File parsed = parse_file(source, diagnostics);
  RC_ASSERT(render(diagnostics) == "");
  RC_ASSERT(print(std::get<LetSection>(parsed.sections[1].node).value) == text);
}

RC_GTEST_PROP(Floats, PrintedOnesReadBackAsTheSameBits, (double value)) {
  RC_PRE(value == value && value - value == 0);
  const SourceFile source("command line", "a=" + print_float(value < 0 ? -value : value));
  Diagnostics diagnostics;
  const Override parsed = parse_override(source, diagnostics);
  RC_ASSERT(std::get<FloatLiteral>(parsed.value.node).value == (value < 0 ? -value : value));
}

// Any bytes: no crash, every message renders, and what is printed of the tree parses.
RC_GTEST_PROP(Parser, SurvivesAnyBytes, ()) {
  constexpr const char* kPieces[] = {"format 1\n",
                                     "model m(x: [4]) -> y {",
                                     "}",
                                     "{",
                                     "(",
                                     ")",
                                     "[",
                                     "]",
                                     "->",
                                     "=",
                                     ":",
                                     ",",
                                     ";",
                                     "x",
                                     "Dense",
                                     "if ",
                                     " then ",
                                     " else ",
                                     "for ",
                                     " in ",
                                     "repeat ",
                                     "as ",
                                     "not ",
                                     "1",
                                     "1.5",
                                     "..",
                                     "\"a\"",
                                     "\"",
                                     "# c\n",
                                     "\n",
                                     " ",
                                     "train {\n",
                                     "study s {\n",
                                     "grid ",
                                     "zip ",
                                     "where ",
                                     "report ",
                                     "let ",
                                     "param p: int = ",
                                     "block b(x) -> y {",
                                     "\xFF",
                                     "'",
                                     "**",
                                     "-",
                                     "<",
                                     "@",
                                     "data d = ",
                                     ".",
                                     "//",
                                     "\t",
                                     "\r\n",
                                     "\xEF\xBB\xBF",
                                     "include "};
  std::string text;
  for (int i = below(80); i > 0; --i) text += any_of(kPieces);
  RC_LOG() << text;
  const SourceFile source("any.model", text);
  Diagnostics diagnostics;
  const File file = parse_file(source, diagnostics);
  render(diagnostics);
  render_json(diagnostics);
  const std::string printed = print(file);
  if (diagnostics.has_errors()) return;
  const SourceFile again("printed.model", printed);
  Diagnostics none;
  const File parsed = parse_file(again, none);
  RC_ASSERT(render(none) == "");
  RC_ASSERT(difference(dump(parsed), dump(file)) == "");
}

}  // namespace
}  // namespace strata::dsl
