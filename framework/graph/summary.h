// What a person wants to know of a graph before it trains: layers, shapes, parameters, work.
#pragma once

#include <cstdint>
#include <string>

#include "framework/graph/program.h"

namespace strata {

// A table: layer path, kind with its main options, output shape, parameters, FLOPs per sample; then
// totals. Ends with a line end.
std::string summary_table(const Graph& graph, std::int64_t batch_size, Precision precision);
// The same as JSON.
std::string summary_json(const Graph& graph, std::int64_t batch_size, Precision precision);

}  // namespace strata
