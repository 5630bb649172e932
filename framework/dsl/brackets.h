// Balances brackets before the grammar runs, so that every later skip is to a known place: a
// missing one is reported and put where it most likely belongs, one too many is reported and
// dropped. A `}` too many outside of all sections stays in the tokens without a partner: the parser
// tells it from what an early `}` cut off.
#pragma once

#include <cstddef>
#include <vector>

#include "framework/base/diagnostic.h"
#include "framework/dsl/lexer.h"

namespace strata::dsl {

void balance_brackets(const SourceFile& source, std::vector<Token>& tokens,
                      Diagnostics& diagnostics);

// Does a section begin at tokens[index]: a section's word, first on its line, followed by what
// follows it there?
bool begins_section(const std::vector<Token>& tokens, std::size_t index);

// How a bracket or brace is written.
const char* bracket_text(Tok kind);

// Columns of white space before the line that `offset` is on; only for the first token of a line.
std::size_t indentation(const SourceFile& source, std::size_t offset);

}  // namespace strata::dsl
