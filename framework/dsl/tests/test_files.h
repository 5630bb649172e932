// The files that tests of the language run over, from where Bazel puts them.
#pragma once

#include <string>
#include <vector>

namespace strata::dsl {

// Paths of the files in `folder` (from the workspace's root) whose names end in `ending`, sorted.
std::vector<std::string> files_in(const std::string& folder, const std::string& ending);
std::string read_text(const std::string& path);
std::string file_name(const std::string& path);

}  // namespace strata::dsl
