// The safetensors file format (huggingface.co/docs/safetensors): an 8-byte little-endian length, a
// JSON header, the data.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/runtime/executor.h"

namespace strata {

struct SafetensorsFile {
  struct Tensor {
    std::string name;
    std::string dtype;  // "F32", "F64", "BF16", …
    std::vector<std::int64_t> shape;
    std::int64_t begin = 0, end = 0;  // bytes in `data`
  };
  std::map<std::string, std::string> metadata;
  std::vector<Tensor> tensors;
  std::vector<char> data;

  const Tensor* find(const std::string& name) const;  // null where there is none
};

// A tensor to write, of any type that the format knows.
struct StoredTensor {
  std::string name, dtype;
  std::vector<std::int64_t> shape;
  const void* data = nullptr;
  std::int64_t bytes = 0;
};
StoredTensor stored(const NamedTensor& tensor);

// Writes tensors with metadata: temp, fsync, rename, fsync of the folder. A CRC-32 of the data is
// added to the metadata.
Status write_safetensors(const std::string& path, const std::vector<StoredTensor>& tensors,
                         const std::map<std::string, std::string>& metadata);
Status write_safetensors(const std::string& path, const std::vector<NamedTensor>& tensors,
                         const std::map<std::string, std::string>& metadata);

// Reads and checks a file: sizes, overlaps, checksum where there is one. ExitCode::kData where it
// is damaged.
Result<SafetensorsFile> read_safetensors(const std::string& path);

// Whether values of the type can be read as floats: F16, BF16, F32, F64.
bool is_float_type(const std::string& dtype);
// Reads a tensor of such a type; `out` has room for all its elements.
void read_floats(const SafetensorsFile& file, const SafetensorsFile::Tensor& tensor, float* out);
void read_floats(const SafetensorsFile& file, const SafetensorsFile::Tensor& tensor, double* out);

// Copies tensors by name into `tensors`, converting between types of floats. Every tensor of the
// roles wanted must be in the file with its shape; the message lists what is missing, unknown or of
// another shape. With `parameters_only` neither slots nor averages are read, and a parameter whose
// moving average is in the file gets that.
Status load_tensors(const SafetensorsFile& file, const std::string& path,
                    const std::vector<NamedTensor>& tensors, bool parameters_only);

// SHA-256 over names, shapes and bytes, in hexadecimal.
std::string hash_tensors(const std::vector<NamedTensor>& tensors);

}  // namespace strata
