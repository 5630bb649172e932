// Shared libraries of plugins: where they are looked for, and how one is taken in.
//
// A library is refused, with the reason, before any code of it runs where its file is no library
// for this machine, carries no tag or one of another boundary (abi.h), or could be replaced by
// anybody. Then it is loaded with all its symbols bound and none given to others, and what it
// offers is checked and copied. What a library does to the floating-point environment while it is
// loaded is undone. A library stays loaded until the program ends.
#pragma once

#include <sys/types.h>

#include <array>
#include <cfenv>
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/error.h"
#include "framework/plugin/registry.h"

namespace strata {

// As much as a tag has room for.
inline constexpr std::size_t kLongestPluginName = sizeof(strata_tag::name) - 1;

// Whether it is made of lower-case letters, digits and _, and begins with a letter.
bool is_plugin_name(std::string_view name);

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

// What belongs to the whole process and a library may change behind one's back: locale, signal
// handlers, the current folder, the mask of new files, the standard files, the x87 unit's mode.
// Taken when made, on a thread that has nobody beside it that changes files.
class ProcessState {
 public:
  ProcessState();
  ~ProcessState();
  ProcessState(const ProcessState&) = delete;
  ProcessState& operator=(const ProcessState&) = delete;

  // Puts back what is not as it was. What that is, as objects of a sentence: "the locale",
  // "how SIGTERM is handled".
  std::vector<std::string> put_back() const;

 private:
  static constexpr int kStandardFiles = 3;
  struct File {
    int copy = -1;  // -1 where it was not open
    unsigned long device = 0, inode = 0;
  };

  std::fenv_t arithmetic_;
  std::string locale_;
  std::vector<struct sigaction> handlers_;  // of signal i + 1
  std::string folder_;
  mode_t mask_;
  std::array<File, kStandardFiles> files_;
};

}  // namespace strata
