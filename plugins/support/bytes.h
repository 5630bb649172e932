// Whole files in memory, for data sets; everything that is wrong with one is thrown as a data_error
// that names it.
#pragma once

#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "framework/base/error.h"
#include "framework/plugin/dataset.h"

namespace strata::plugins {

// The size of a regular file. Throws with `hint` where there is none.
inline std::int64_t file_size(const std::string& path, const std::string& hint) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0)
    throw data_error(text(path, " cannot be read: ", std::strerror(errno)), hint);
  if (S_ISDIR(facts.st_mode)) throw data_error(text(path, " is a folder, not a file"), hint);
  if (!S_ISREG(facts.st_mode)) throw data_error(text(path, " is not a regular file"), hint);
  return facts.st_size;
}

inline std::vector<std::uint8_t> read_bytes(const std::string& path, const std::string& hint) {
  const std::int64_t size = file_size(path, hint);
  if (size == 0) throw data_error(text(path, " is empty"), hint);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (!file) throw data_error(text(path, " cannot be read: ", std::strerror(errno)), hint);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  if (std::fread(bytes.data(), 1, bytes.size(), file.get()) != bytes.size())
    throw data_error(text(path, " cannot be read to its end"), hint);
  return bytes;
}

// The value, or the error as data sets throw it.
template <class T>
T value_or_throw(Result<T> result) {
  if (!result) throw data_error(result.error().message, result.error().hint);
  return std::move(result).value();
}

}  // namespace strata::plugins
