// Reads IDX files, the format of MNIST (http://yann.lecun.com/exdb/mnist): a magic number whose
// last byte is the number of axes, big-endian 32-bit extents, then bytes in row-major order. Raw or
// compressed by gzip.
//
// Everything about a file is checked, and the first thing wrong with it is thrown as a data_error
// that names the file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace strata::plugins {

struct IdxFile {
  std::string path;
  std::vector<std::int64_t> extents;
  std::vector<std::uint8_t> values;
};

// Checked: the path is a file, the magic number is that of bytes with `axes` axes, sizes do not
// overflow, and the data is as long as they say, no longer and no shorter.
IdxFile read_idx(const std::string& path, int axes);

// The first extent alone, from the header; -1 where the file is missing or damaged.
std::int64_t peek_idx_count(const std::string& path) noexcept;

}  // namespace strata::plugins
