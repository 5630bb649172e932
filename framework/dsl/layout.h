// Where expressions and flows break into lines: on one line where they fit, lists and calls one
// element a line where they do not, flows with their arrows under one another.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/dsl/syntax.h"

namespace strata::dsl {

constexpr int kColumns = 100;  // that a line is filled to
constexpr int kLongest =
    110;  // that it may have before it is broken: a few columns too many read better than a break
constexpr int kIndent = 2;
constexpr int kRangeLevel =
    5;  // the precedence of `..`: what stands before and behind `in` binds at least as tight

struct Place {
  int column = 0;  // where the text begins
  int indent = 0;  // of closing brackets, where the text breaks
  int tail = 0;    // columns that must stay free behind it
};

// The text from `place` on; lines after the first have their indentation.
std::string layout(const Expr& expr, Place place);
// The same, in parentheses where it binds weaker than `level`.
std::string layout_operand(const Expr& expr, int level, Place place);
// A flow that begins at `column`, in a statement.
std::string layout_statement(const Flow& flow, int column);

// On one line, in parentheses where it binds weaker than `level`.
std::string print_operand(const Expr& expr, int level);

int text_width(std::string_view text);              // in code points
std::string comment_text(const std::string& text);  // with its `#`
// Each on a line of its own; "" is a blank line.
void write_comments(std::string& out, const std::vector<std::string>& texts, int indent);

}  // namespace strata::dsl
