// Linux's files about memory: /proc/meminfo, /proc/self/statm, cgroups(7).
#include "framework/runtime/memory_limit.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>

namespace strata {
namespace {

constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

// The number that a file holds; nullopt for "max" and where there is no such file.
std::optional<std::int64_t> number_in(const std::string& path) {
  std::ifstream file(path);
  std::int64_t number = 0;
  if (!(file >> number)) return std::nullopt;
  return number;
}

std::int64_t machine() {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key;
    std::int64_t kilobytes = 0;
    if (words >> key >> kilobytes && key == "MemAvailable:") return kilobytes * 1024;
  }
  return kUnlimited;
}

// What a group and those above it leave, as far as they can be seen from here.
std::int64_t control_group() {
  std::int64_t least = kUnlimited;
  const auto consider = [&](std::optional<std::int64_t> limit, std::optional<std::int64_t> used) {
    // Version 1 says "no limit" by a number near the largest there is.
    if (limit && *limit < kUnlimited / 2)
      least = std::min(least, std::max<std::int64_t>(0, *limit - used.value_or(0)));
  };
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string kinds = line.substr(first + 1, second - first - 1);
    std::string group = line.substr(second + 1);
    const bool v2 = kinds.empty();
    if (!v2 && kinds.find("memory") == std::string::npos) continue;
    const std::string root = v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    while (true) {
      const std::string folder = root + (group == "/" ? "" : group);
      consider(number_in(folder + (v2 ? "/memory.max" : "/memory.limit_in_bytes")),
               number_in(folder + (v2 ? "/memory.current" : "/memory.usage_in_bytes")));
      if (group.empty() || group == "/") break;
      group.resize(group.rfind('/'));
    }
  }
  return least;
}

// Resident and total pages of this process.
std::pair<std::int64_t, std::int64_t> pages() {
  std::ifstream file("/proc/self/statm");
  std::int64_t total = 0, resident = 0;
  file >> total >> resident;
  return {resident, total};
}

std::int64_t address_space() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kUnlimited;
  return std::max<std::int64_t>(
      0, static_cast<std::int64_t>(limit.rlim_cur) - pages().second * ::sysconf(_SC_PAGESIZE));
}

}  // namespace

MemoryLimit available_memory() {
  MemoryLimit least{machine(), "the machine"};
  if (const std::int64_t group = control_group(); group < least.bytes)
    least = {group, "the control group"};
  if (const std::int64_t own = address_space(); own < least.bytes)
    least = {own, "the process's limit"};
  return least;
}

std::int64_t resident_memory() { return pages().first * ::sysconf(_SC_PAGESIZE); }

}  // namespace strata
