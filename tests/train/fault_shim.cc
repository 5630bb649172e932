// Makes a system call of a save fail, or kills the process at it. Loaded with LD_PRELOAD.
//
// Counted are the calls that change something in a folder `checkpoints`. STRATA_FAULT_AT: the
// number of the call, from 1. STRATA_FAULT: "kill", or the errno to fail with. STRATA_FAULT_ON:
// "once", or "always" for all calls from that one on. STRATA_FAULT_MARK: a file that is made when
// it strikes. A write that is struck writes half of its bytes first.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

template <class Function>
Function real(const char* name, Function) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

bool counts(const char* path) { return path && std::strstr(path, "/checkpoints") != nullptr; }

bool counts(int file) {
  char link[64], path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t size = ::readlink(link, path, sizeof path - 1);
  if (size <= 0) return false;
  path[size] = 0;
  return counts(path);
}

const char* setting(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// Whether this call is struck; errno is set. `before_death` is what a killed call still does.
template <class Body>
bool struck(Body before_death) {
  static const long at = std::atol(setting("STRATA_FAULT_AT"));
  static const bool always = std::strcmp(setting("STRATA_FAULT_ON"), "always") == 0;
  static long calls = 0;
  ++calls;
  if (at <= 0 || (always ? calls < at : calls != at)) return false;
  static const auto real_open = real("open", &::open);
  const int mark = real_open(setting("STRATA_FAULT_MARK"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (mark >= 0) real("close", &::close)(mark);
  before_death();
  if (std::strcmp(setting("STRATA_FAULT"), "kill") == 0) ::raise(SIGKILL);
  errno = std::atoi(setting("STRATA_FAULT"));
  return true;
}
bool struck() {
  return struck([] {});
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if (flags & O_CREAT) {
    va_list rest;
    va_start(rest, flags);
    mode = static_cast<mode_t>(va_arg(rest, int));
    va_end(rest);
  }
  const bool for_saving = (flags & (O_WRONLY | O_RDWR | O_CREAT)) || (flags & O_DIRECTORY);
  if (for_saving && counts(path) && struck()) return -1;
  return real("open", &::open)(path, flags, mode);
}

int mkostemp(char* path, int flags) {
  if (counts(path) && struck()) return -1;
  return real("mkostemp", &::mkostemp)(path, flags);
}

ssize_t write(int file, const void* data, size_t size) {
  const auto real_write = real("write", &::write);
  if (counts(file) && struck([&] { (void)!real_write(file, data, size / 2); })) return -1;
  return real_write(file, data, size);
}

int fchmod(int file, mode_t mode) {
  if (counts(file) && struck()) return -1;
  return real("fchmod", &::fchmod)(file, mode);
}

int fsync(int file) {
  if (counts(file) && struck()) return -1;
  return real("fsync", &::fsync)(file);
}

int close(int file) {
  const auto real_close = real("close", &::close);
  if (counts(file) && struck()) {
    const int error = errno;
    real_close(file);
    errno = error;
    return -1;
  }
  return real_close(file);
}

int rename(const char* from, const char* to) noexcept {
  if (counts(to) && struck()) return -1;
  return real("rename", &::rename)(from, to);
}

int unlink(const char* path) noexcept {
  if (counts(path) && struck()) return -1;
  return real("unlink", &::unlink)(path);
}

int remove(const char* path) noexcept {
  if (counts(path) && struck()) return -1;
  return real("remove", &::remove)(path);
}

int mkdir(const char* path, mode_t mode) noexcept {
  if (counts(path) && struck()) return -1;
  return real("mkdir", &::mkdir)(path, mode);
}

}  // extern "C"
