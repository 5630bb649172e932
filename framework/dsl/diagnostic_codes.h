// What the codes of syntax errors mean, for `trainer explain CODE`.
#pragma once

#include <vector>

#include "framework/base/diagnostic.h"

namespace strata::dsl {

// In alphabetical order; every code that this layer emits has an entry.
const std::vector<DiagnosticDoc>& diagnostic_docs();

}  // namespace strata::dsl
