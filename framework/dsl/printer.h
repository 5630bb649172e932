// Syntax tree to text in the one canonical form: two-space indents, about 100 columns, comments and
// blank-line groups kept. A flow that its author broke into lines stays broken before the same
// arrows. Law: parse(print(parse(text))) equals parse(text), and print is idempotent.
#pragma once

#include <string>

#include "framework/dsl/syntax.h"

namespace strata::dsl {

std::string print(const File& file);
std::string print(const Expr& expr);  // on one line
std::string print(const Flow& flow);  // on one line

// The shortest text that reads back as the same double, independent of locale ("0.001", "1e-05",
// "1.0").
std::string print_float(double value);
// A string literal with quotes and escapes.
std::string print_string(const std::string& value);

// Structural equality: spans are ignored; spellings, comments and blank-line groups count.
bool equal(const File& left, const File& right);

}  // namespace strata::dsl
