// A syntax tree as one line of text in which everything but spans and layout shows: two trees are
// equal where their dumps are. For `equal`, for tests, and for a look at what the parser
// understood.
#pragma once

#include <string>

#include "framework/dsl/syntax.h"

namespace strata::dsl {

std::string dump(const File& file);
std::string dump(const Expr& expr);
std::string dump(const Flow& flow);

// How an operator is written: "+", "not in", "or".
const char* operator_text(BinaryOp op);

}  // namespace strata::dsl
