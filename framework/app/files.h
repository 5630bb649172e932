// Files that the command line names: read and written whole, with messages that help.
#pragma once

#include <string>
#include <string_view>

#include "framework/base/error.h"

namespace strata::app {

// Nothing where `path` can be read as a file (or is a pipe); otherwise why not, with the nearest
// name in its folder. `code` is the failure's: a model file is part of the command line, data are
// not.
Status check_readable(const std::string& path, ExitCode code = ExitCode::kUsage);

// The whole of a file that the command line names, after check_readable; "-" is standard input.
Result<std::string> read_input(const std::string& path, ExitCode code = ExitCode::kUsage);

// Stops with a usage error where writing `output` would destroy the file `input`.
void refuse_overwriting(const std::string& output, const std::string& input);

// Replaces a file in one step: a reader sees the old text or the new one. Follows symbolic links,
// keeps the file's mode; pipes and devices are written to.
Status write_output(const std::string& path, std::string_view text);

}  // namespace strata::app
