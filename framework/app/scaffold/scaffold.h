// `trainer plugin new`: a folder with a plugin that builds at once.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/base/error.h"

namespace strata::app {

// "layer", "loss", …, as --kind takes them.
const std::vector<std::string>& scaffold_kinds();

// The files of a new plugin by their paths: NAME.cc, a Makefile, a CMakeLists.txt, Bazel's files, a
// model that uses it, a README. `name` is in snake_case, `kind` one of the above;
// `prefix` is where Strata is installed.
std::vector<std::pair<std::string, std::string>> scaffold(const std::string& name,
                                                          const std::string& kind,
                                                          const std::string& prefix);

// "my_layer" as CapWords: what the plugin offers is called MyLayer.
std::string cap_words(std::string_view name);

}  // namespace strata::app
