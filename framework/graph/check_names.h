// Every name in every section, also in branches and blocks that no model takes: a slip is an error
// wherever it stands, and is reported once, before anything is expanded. Finds what is never used
// on the way.
#pragma once

#include "framework/graph/declarations.h"
#include "framework/graph/session.h"

namespace strata::graph {

void check_names(Declarations& declarations, Session& session);

}  // namespace strata::graph
