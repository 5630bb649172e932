// The libraries that a program takes something from: what a run and its checkpoints record of them,
// and what has changed when it goes on.
#pragma once

#include <string>
#include <vector>

#include "framework/graph/program.h"
#include "framework/plugin/registry.h"

namespace strata {

// By name, each once.
std::vector<PluginLibrary> used_plugins(const Program& program);

// "plugin swish: 1.0 -> 1.1", a sentence for each one that is not the same file any more.
std::vector<std::string> changed_plugins(const std::vector<PluginLibrary>& before,
                                         const std::vector<PluginLibrary>& now);

}  // namespace strata
