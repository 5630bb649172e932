// Train sections: settings checked, losses and metrics wired to the model's outputs and the data's
// fields.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "framework/graph/paths.h"
#include "framework/graph/program.h"

namespace strata::graph {

// What a train section is about: either pointer is null where its own section has errors, and what
// would need it is then left unchecked.
struct TrainContext {
  const TrainDecl* section = nullptr;
  const ModelDecl* model = nullptr;
  const Graph* graph = nullptr;
  const DataDecl* data_section = nullptr;
  const DataPipeline* data = nullptr;
};

struct TrainResult {
  TrainSettings settings;
  bool sound = true;
  std::unordered_map<std::string, Value>
      values;  // of the settings that are given, with overrides; for studies
  std::unordered_map<std::string, Span> spans;  // of those values
};

TrainResult elaborate_train(const TrainContext& context, const Overrides& overrides,
                            GlobalNames& globals, Session& session);

// Checks one value for one setting, as a study gives it. False after an error.
bool check_setting(const TrainContext& context, const std::string& setting, const Value& value,
                   Span span, Session& session);

// The name that the settings `model` and `data` hold; nullopt where they are not given. `span` is
// where.
std::optional<std::string> named_setting(const TrainDecl& train, std::string_view key,
                                         const Overrides& overrides, Session& session, Span& span);

}  // namespace strata::graph
