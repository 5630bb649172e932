// Gives comments and blank lines to the nodes of a parsed file.
#pragma once

#include "framework/dsl/lexer.h"
#include "framework/dsl/syntax.h"

namespace strata::dsl {

// Every comment ends up in exactly one node: above what it stands above, behind what it stands
// behind, and where no node can hold it (inside an expression) above the statement around it.
void attach_trivia(const SourceFile& source, const Tokens& tokens, File& file);

}  // namespace strata::dsl
