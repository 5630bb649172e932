// Text to syntax tree, with all syntax errors in one run. The grammar itself is private to parser.cc (Boost Spirit X3).
#pragma once

#include <cstddef>
#include <string_view>

#include "framework/base/diagnostic.h"
#include "framework/dsl/syntax.h"

namespace strata::dsl {

struct ParseLimits {
  std::size_t file_bytes = 16u << 20;  // larger files are refused before they are parsed
  int nesting = 100;                   // brackets, braces and prefix operators inside one another
};

// Parses a whole file. Errors go to `diagnostics`; what is sound around them is in the tree all the same.
File parse_file(const SourceFile& source, Diagnostics& diagnostics, const ParseLimits& limits = {});

// Parses `path=value`. `source` holds that text.
Override parse_override(const SourceFile& source, Diagnostics& diagnostics, const ParseLimits& limits = {});

}  // namespace strata::dsl
