// Data sections: a data set and its transforms, with the fields after each of them.
#pragma once

#include <optional>

#include "framework/graph/paths.h"
#include "framework/graph/program.h"

namespace strata::graph {

// Nullopt where an error was reported.
std::optional<DataPipeline> elaborate_data(const DataDecl& data, const Overrides& overrides,
                                           GlobalNames& globals, Session& session);

// Whether only layers that look numbers up read a value (Embedding), perhaps in another shape: then
// class numbers and bytes may feed it as they are.
bool reads_indices(const Graph& graph, ValueId value);

// For each input of the model the field that feeds it, with its shape and type checked; nullopt
// after an error. A field's shape may differ by leading axes of extent 1: [28, 28] feeds [1, 28,
// 28].
std::optional<std::vector<int>> bind_inputs(const dsl::ModelSection& model, const Graph& graph,
                                            const DataPipeline& data, Session& session);

// "image: u8 [28, 28]".
std::string describe_field(const DataDescription::FieldInfo& field);

}  // namespace strata::graph
