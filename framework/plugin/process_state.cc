// What a process has beside its memory: asking the system for it, and putting it back.
#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <clocale>
#include <filesystem>

#include "framework/plugin/loader.h"

namespace strata {
namespace {

std::string current_locale() {
  const char* name = std::setlocale(LC_ALL, nullptr);
  return name ? name : "C";
}

std::string current_folder() {
  std::error_code gone;
  return std::filesystem::current_path(gone).string();
}

mode_t current_mask() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return mask;
}

bool same_handler(const struct sigaction& a, const struct sigaction& b) {
  return a.sa_handler == b.sa_handler && a.sa_flags == b.sa_flags;
}

bool is_file(int file, unsigned long device, unsigned long inode) {
  struct stat facts {};
  return ::fstat(file, &facts) == 0 && facts.st_dev == device && facts.st_ino == inode;
}

}  // namespace

ProcessState::ProcessState()
    : locale_(current_locale()), folder_(current_folder()), mask_(current_mask()) {
  std::fegetenv(&arithmetic_);
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action {};
    ::sigaction(signal, nullptr, &action);
    handlers_.push_back(action);
  }
  for (int file = 0; file < kStandardFiles; ++file) {
    struct stat facts {};
    if (::fstat(file, &facts) != 0) continue;
    files_[file] = {::fcntl(file, F_DUPFD_CLOEXEC, kStandardFiles), facts.st_dev, facts.st_ino};
  }
}

ProcessState::~ProcessState() {
  for (const File& file : files_) {
    if (file.copy >= 0) ::close(file.copy);
  }
}

std::vector<std::string> ProcessState::put_back() const {
  std::vector<std::string> changes;
  std::fesetenv(&arithmetic_);
  if (current_locale() != locale_) {
    std::setlocale(LC_ALL, locale_.c_str());
    changes.push_back("the locale");
  }
  for (int signal = 1; signal < NSIG; ++signal) {
    const struct sigaction& before = handlers_[static_cast<std::size_t>(signal - 1)];
    struct sigaction now {};
    if (::sigaction(signal, nullptr, &now) != 0 || same_handler(before, now)) continue;
    ::sigaction(signal, &before, nullptr);
    const char* name = ::sigabbrev_np(signal);
    changes.push_back(name ? fmt::format("how SIG{} is handled", name)
                           : fmt::format("how the signal {} is handled", signal));
  }
  if (!folder_.empty() && current_folder() != folder_ && ::chdir(folder_.c_str()) == 0)
    changes.push_back("the current folder");
  if (current_mask() != mask_) {
    ::umask(mask_);
    changes.push_back("the permissions of new files");
  }
  constexpr std::array kNames = {"standard input", "standard output", "standard error"};
  for (int file = 0; file < kStandardFiles; ++file) {
    const File& before = files_[file];
    if (before.copy < 0 || is_file(file, before.device, before.inode)) continue;
    ::dup2(before.copy, file);
    changes.push_back(kNames[file]);
  }
  return changes;
}

}  // namespace strata
