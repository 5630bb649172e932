// Checking of study sections against the file's params, settings and metrics.
#pragma once

#include <optional>

#include "framework/graph/paths.h"
#include "framework/graph/study.h"
#include "framework/graph/train.h"

namespace strata::graph {

// What studies vary: the file with its chosen train section.
struct StudyContext {
  Declarations& declarations;
  GlobalNames& globals;
  Session& session;
  const TrainContext* train = nullptr;  // null where the file trains nothing
  const TrainResult* result = nullptr;
  const DataPipeline* data = nullptr;  // of the chosen data; null where it has errors
};

// Nullopt after an error.
std::optional<Study> check_study(const StudyDecl& study, const StudyContext& context);

}  // namespace strata::graph
