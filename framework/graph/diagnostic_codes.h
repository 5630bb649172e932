// Every code that elaboration reports, with what `trainer explain CODE` says of it; and which of
// them are lints.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/base/diagnostic.h"

namespace strata {

// By code.
const std::vector<DiagnosticDoc>& graph_diagnostic_docs();

// Warnings with a name: `--strict` makes them errors, `allow` in a train section silences them.
const std::vector<std::string>& lint_names();
bool is_lint(std::string_view code);

}  // namespace strata
