// Warnings that save a training run: what is legal, and hardly ever what was meant.
#pragma once

#include "framework/graph/program.h"
#include "framework/graph/session.h"
#include "framework/graph/train.h"

namespace strata::graph {

// Of the model alone.
void lint_graph(const Graph& graph, Session& session);
// Of a whole program that is sound. `spans` are those of the train section's values.
void lint_program(const Program& program, const dsl::ModelSection& model, const TrainResult& train,
                  const TrainDecl& section, Session& session);

}  // namespace strata::graph
