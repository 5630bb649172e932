// The one file that says all of a program: includes merged, overrides applied, every default
// spelled out.
#pragma once

#include <string>

#include "framework/graph/declarations.h"
#include "framework/graph/program.h"

namespace strata::graph {

// Takes the sections out of `declarations`: the last thing done with them. Comments stay with what
// they belong to. Lets, params and blocks that the model does not use are left out, and so are
// studies.
std::string resolve(const Program& program, ModelDecl& model, const TrainDecl* train,
                    Declarations& declarations, Session& session);

}  // namespace strata::graph
