// Shared libraries of plugins: where they are looked for, and how one is taken in.
//
// A library is refused, with the reason, before any code of it runs where its file is no library
// for this machine, carries no tag or one of another boundary (abi.h), or could be replaced by
// anybody. Then it is loaded with all its symbols bound and none given to others, and what it
// offers is checked and copied. What a library does to the floating-point environment while it is
// loaded is undone. A library stays loaded until the program ends.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/base/error.h"
#include "framework/plugin/registry.h"

namespace strata {

// What a library's tag says.
struct PluginTag {
  std::string name, version;
};

// Reads the tag from the bytes of a file.
Result<PluginTag> read_plugin_tag(std::string_view file, const std::string& path);

// Loads one library and adds all that it offers to the registry, or nothing.
Status load_plugin(const std::string& path, Registry& registry);

// One folder whose libraries (*.so) are loaded. One that is not there is empty, unless it was asked
// for on the command line.
struct PluginFolder {
  std::string path;
  bool asked_for = false;
};

// In the order of their search: those of the command line, of STRATA_PLUGIN_PATH, the user's and
// the system's.
std::vector<PluginFolder> plugin_folders(const std::vector<std::string>& asked_for);

// Loads the libraries of the folders. What is refused is kept in the registry with the reason; the
// first one of a name is taken.
void load_plugins(const std::vector<PluginFolder>& folders, Registry& registry);

// "1.2" against "1.10.1", number by number; missing ones are 0. Below, equal to or above zero.
int compare_versions(std::string_view a, std::string_view b);
// Whether `version` is as `comparison` (">=", "==", …) asks for; always where it is empty.
bool version_fits(std::string_view version, std::string_view comparison, std::string_view wanted);

}  // namespace strata
