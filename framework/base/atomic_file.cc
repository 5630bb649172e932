// POSIX calls behind atomic files.
#include "framework/base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace strata {
namespace {

Error system_error(const char* what, const std::string& path, int error,
                   ExitCode code = ExitCode::kData) {
  return make_error(code, "cannot {} `{}`: {}", what, path, std::strerror(error));
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// What the process takes from the modes of new files; mkostemp does not use it.
mode_t file_mode_mask() {
  static const mode_t mask = [] {
    const mode_t current = ::umask(022);
    ::umask(current);
    return current;
  }();
  return mask;
}

bool append_all(int file, const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(file, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

}  // namespace

Status write_file_atomically(const std::string& path,
                             const std::function<bool(const AppendBytes&)>& write) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode)) {
    return make_error(ExitCode::kData, "cannot write `{}`: it is {}", path,
                      S_ISDIR(facts.st_mode) ? "a folder" : "not an ordinary file");
  }
  std::string temporary = path + ".XXXXXX";
  const int file = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (file < 0) return system_error("write", path, errno);
  const auto abandon = [&](int error) {
    ::unlink(temporary.c_str());
    return system_error("write", path, error);
  };
  errno = 0;
  const bool written =
      write([&](const void* data, std::size_t size) { return append_all(file, data, size); }) &&
      ::fchmod(file, 0666 & ~file_mode_mask()) == 0 && ::fsync(file) == 0;
  const int error = errno;
  if (::close(file) != 0 && written) return abandon(errno);
  if (!written) return abandon(error);
  if (::rename(temporary.c_str(), path.c_str()) != 0) return abandon(errno);
  const int folder = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return system_error("open the folder of", path, errno);
  const bool synced = ::fsync(folder) == 0;
  const int sync_error = errno;
  ::close(folder);
  // Some file systems cannot sync a folder; the rename has been done all the same.
  if (!synced && sync_error != EINVAL)
    return system_error("force to disk the folder of", path, sync_error);
  return {};
}

Status write_file_atomically(const std::string& path, std::string_view text) {
  return write_file_atomically(
      path, [&](const AppendBytes& append) { return append(text.data(), text.size()); });
}

Result<std::string> read_file(const std::string& path, ExitCode code) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return system_error("read", path, errno, code);
  std::string text;
  struct stat facts {};
  // Pipes end; a device may not.
  if (::fstat(file, &facts) == 0 && !S_ISREG(facts.st_mode) && !S_ISFIFO(facts.st_mode)) {
    ::close(file);
    return make_error(code, "cannot read `{}`: it is {}", path,
                      S_ISDIR(facts.st_mode) ? "a folder" : "not an ordinary file");
  }
  text.reserve(static_cast<std::size_t>(facts.st_size));
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = ::read(file, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int error = errno;
      ::close(file);
      return system_error("read", path, error, code);
    }
    if (got == 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(file);
  return text;
}

Result<std::string> read_ordinary_file(const std::string& path, ExitCode code) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode)) {
    return make_error(code, "cannot read `{}`: it is {}", path,
                      S_ISDIR(facts.st_mode) ? "a folder" : "not an ordinary file");
  }
  return read_file(path, code);
}

}  // namespace strata
