// Precedence: the flat list of operands and operators that the grammar found becomes a tree whose
// chains are flat. Lowest first: or, and, not, comparison / in / not in, `..`, + -, * / // %, unary
// - +, ** (right to left; it binds tighter than a sign on its left, and its right operand may have
// a sign of its own).
#pragma once

#include <vector>

#include "framework/base/diagnostic.h"
#include "framework/dsl/lexer.h"
#include "framework/dsl/syntax.h"

namespace strata::dsl {

// One element of `- a + b not in c`: a sign before an operand, an operator between two, or an
// operand.
struct OperationItem {
  enum Kind { kPrefix, kInfix, kOperand } kind = kOperand;
  Tok op = Tok::kEnd;  // kNot with kind kInfix is `not in`
  Span span;
  Expr operand;
};

// `items` is well formed: prefixes, operand, then (infix, prefixes, operand) any number of times.
// Reports chained comparisons and ranges, a `not` that needs parentheses, and signs nested deeper
// than `levels`.
Expr fold_operation(std::vector<OperationItem> items, int levels, Diagnostics& diagnostics);

// "1 < x" where the span is short and on one line, else "…".
std::string short_text(Span span);

}  // namespace strata::dsl
