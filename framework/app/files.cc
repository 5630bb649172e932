#include "framework/app/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "framework/base/atomic_file.h"
#include "framework/base/diagnostic.h"
#include "framework/base/utf8.h"

namespace strata::app {
namespace fs = std::filesystem;
namespace {

// "no such file or directory": the system's words in the case of our messages.
std::string reason(int failure) {
  std::string text = std::strerror(failure);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] + 32);
  return text;
}

// A path that exists and may be what was meant, or empty.
std::string nearest_file(const std::string& path) {
  std::error_code ignored;
  for (const std::string& likely :
       {path + ".model", "models/" + path, "models/" + path + ".model"}) {
    if (fs::is_regular_file(likely, ignored)) return likely;
  }
  const fs::path wanted(path);
  const fs::path folder = wanted.parent_path();
  std::vector<std::string> names;
  for (fs::directory_iterator at(folder.empty() ? "." : folder, ignored), end;
       !ignored && at != end; at.increment(ignored)) {
    names.push_back(at->path().filename().string());
    if (names.size() > 10'000) break;
  }
  const std::string name = nearest_name(wanted.filename().string(), names);
  return name.empty() ? "" : (folder / name).string();
}

}  // namespace

Status check_readable(const std::string& path, ExitCode code) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) {
    const int failure = errno;
    Error error = make_error(code, "cannot read `{}`: {}", safe_text(path), reason(failure));
    if (failure == ENOENT) {
      const std::string nearest = nearest_file(path);
      if (!nearest.empty()) error.hint = fmt::format("did you mean `{}`?", safe_text(nearest));
    }
    return error;
  }
  if (S_ISDIR(facts.st_mode))
    return make_error(code, "`{}` is a folder, not a file", safe_text(path));
  if (::access(path.c_str(), R_OK) != 0) {
    return make_error(code, "cannot read `{}`: {}", safe_text(path), reason(errno));
  }
  return {};
}

Result<std::string> read_input(const std::string& path, ExitCode code) {
  if (path == "-") return read_file("/dev/stdin", code);
  if (const Status readable = check_readable(path, code); !readable.ok()) return readable.error();
  return read_file(path, code);
}

void refuse_overwriting(const std::string& output, const std::string& input) {
  std::error_code ignored;
  if (output.empty() || !fs::equivalent(output, input, ignored)) return;
  throw Failure{Error{ExitCode::kUsage,
                      fmt::format("`{}` is the file that is read; writing to it would destroy it",
                                  safe_text(output)),
                      "name another file for the output"}};
}

Status write_output(const std::string& path, std::string_view text) {
  std::error_code ignored;
  fs::path target = fs::canonical(path, ignored);
  if (ignored) target = path;
  struct stat facts {};
  const bool exists = ::stat(target.c_str(), &facts) == 0;
  if (exists && S_ISDIR(facts.st_mode)) {
    return make_error(ExitCode::kUsage, "cannot write `{}`: it is a folder", safe_text(path));
  }
  if (exists && !S_ISREG(facts.st_mode)) {
    std::ofstream file(target, std::ios::binary);
    file.write(text.data(), static_cast<std::streamsize>(text.size())).flush();
    return file ? Status()
                : make_error(ExitCode::kData, "cannot write `{}`: {}", safe_text(path),
                             reason(errno));
  }
  const Status written = write_file_atomically(target.string(), text);
  if (written.ok() && exists) (void)!::chmod(target.c_str(), facts.st_mode & 07777);
  return written;
}

}  // namespace strata::app
