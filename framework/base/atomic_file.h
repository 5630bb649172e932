// Files that are whole or not there: written beside their place, forced to disk, then renamed.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "framework/base/error.h"

namespace strata {

// Writes to a temporary file in the same folder, fsync, rename over `path`, fsync of the folder.
// `write` is called with a function that appends bytes and says whether that worked. On any failure
// the temporary file is removed and an old `path` is untouched; the message names the path and the
// system's reason.
using AppendBytes = std::function<bool(const void* data, std::size_t size)>;
Status write_file_atomically(const std::string& path,
                             const std::function<bool(const AppendBytes&)>& write);
Status write_file_atomically(const std::string& path, std::string_view text);

// The whole of a file. `code` is what a failure counts as.
Result<std::string> read_file(const std::string& path, ExitCode code = ExitCode::kData);
// The same where only an ordinary file will do: a named pipe is refused instead of waited for.
Result<std::string> read_ordinary_file(const std::string& path, ExitCode code = ExitCode::kData);

}  // namespace strata
