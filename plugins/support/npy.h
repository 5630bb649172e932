// Reads NPY files of numbers, versions 1 to 3
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). What is wrong with one
// is thrown as a data_error that names it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/plugin/dataset.h"

namespace strata::plugins {

struct NpyArray {
  std::string path;
  std::string type;                 // "<f4", "|u1", …
  std::vector<std::int64_t> shape;  // at least one axis
  std::vector<std::uint8_t> bytes;  // of the file
  std::size_t offset = 0;           // where the values begin

  bool is_bytes() const { return type == "|u1"; }
  bool is_whole() const { return type[1] != 'f'; }
  // Row `from`, converted, to row `to` of an array of STRATA_U8, STRATA_I32, STRATA_F32 or
  // STRATA_F64.
  void copy_row(std::int64_t from, std::int64_t to, strata_dtype dtype, void* out) const;
};

NpyArray read_npy(const std::string& path);

}  // namespace strata::plugins
