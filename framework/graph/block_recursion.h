// Blocks that contain themselves.
#pragma once

#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

#include "framework/graph/declarations.h"
#include "framework/graph/session.h"

namespace strata::graph {

// For each block the blocks that it calls, and where.
using BlockCalls = std::unordered_map<const BlockDecl*, std::vector<std::pair<BlockDecl*, Span>>>;

// An error for each way back to a block from within it, and `recursive` set on the blocks on it.
void report_recursion(std::deque<BlockDecl>& blocks, const BlockCalls& calls, Session& session);

}  // namespace strata::graph
