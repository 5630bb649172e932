// Reading, writing and hashing tensors.
#include "framework/train/safetensors.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

#include "framework/base/atomic_file.h"
#include "framework/base/half.h"

namespace strata {
namespace {

using Json = nlohmann::ordered_json;

static_assert(std::endian::native == std::endian::little,
              "tensors are stored as they lie in memory");

// Of the header, with this very text in the checksum's place, and of the data.
constexpr const char* kChecksum = "strata.crc32";
constexpr const char* kNoChecksum = "--------";
constexpr std::uint64_t kLargestHeader = std::uint64_t{256} << 20;

const char* dtype_name(Precision precision) { return precision == Precision::kF32 ? "F32" : "F64"; }

std::uint32_t checksum(std::uint32_t crc, const void* data, std::int64_t bytes) {
  const auto* at = static_cast<const Bytef*>(data);
  while (bytes > 0) {
    const auto part = static_cast<uInt>(std::min<std::int64_t>(bytes, 1 << 30));
    crc = static_cast<std::uint32_t>(crc32(crc, at, part));
    at += part;
    bytes -= part;
  }
  return crc;
}

Error damaged(const std::string& path, const std::string& fact) {
  return make_error(ExitCode::kData, "`{}` is damaged: {}", path, fact);
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return Shape(shape.begin(), shape.end()).text();
}

// Bytes of an element; 0 for types that are not known here.
std::int64_t width_of(const std::string& dtype) {
  static constexpr std::pair<std::string_view, std::int64_t> kWidths[] = {
      {"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I64", 8}, {"U64", 8}, {"I32", 4},
      {"U32", 4}, {"I16", 2}, {"U16", 2}, {"I8", 1},   {"U8", 1},  {"BOOL", 1}};
  for (const auto& [name, width] : kWidths) {
    if (name == dtype) return width;
  }
  return 0;
}

// The upper half of a float.
struct BrainFloat {
  std::uint16_t bits;
  explicit operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
  explicit operator double() const { return static_cast<double>(static_cast<float>(*this)); }
};

template <class From, class To>
void convert(const char* from, To* to, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    From x;
    std::memcpy(&x, from + i * static_cast<std::int64_t>(sizeof(From)), sizeof x);
    to[i] = static_cast<To>(x);
  }
}

template <class To>
void read_as(const SafetensorsFile& file, const SafetensorsFile::Tensor& tensor, To* out) {
  const char* data = file.data.data() + tensor.begin;
  const std::int64_t count = (tensor.end - tensor.begin) / width_of(tensor.dtype);
  if (tensor.dtype == "F64") return convert<double>(data, out, count);
  if (tensor.dtype == "F32") return convert<float>(data, out, count);
  if (tensor.dtype == "F16") return convert<Half>(data, out, count);
  convert<BrainFloat>(data, out, count);
}

}  // namespace

const SafetensorsFile::Tensor* SafetensorsFile::find(const std::string& name) const {
  for (const Tensor& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

StoredTensor stored(const NamedTensor& tensor) {
  return {tensor.name,
          dtype_name(tensor.precision),
          {tensor.shape.begin(), tensor.shape.end()},
          tensor.data,
          tensor.bytes()};
}

Status write_safetensors(const std::string& path, const std::vector<NamedTensor>& tensors,
                         const std::map<std::string, std::string>& metadata) {
  std::vector<StoredTensor> all;
  for (const NamedTensor& tensor : tensors) all.push_back(stored(tensor));
  return write_safetensors(path, all, metadata);
}

Status write_safetensors(const std::string& path, const std::vector<StoredTensor>& tensors,
                         const std::map<std::string, std::string>& metadata) {
  Json header;
  Json& facts = header["__metadata__"];
  for (const auto& [key, value] : metadata) facts[key] = value;
  std::int64_t offset = 0;
  for (const StoredTensor& tensor : tensors) {
    header[tensor.name] = {{"dtype", tensor.dtype},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, offset + tensor.bytes}}};
    offset += tensor.bytes;
  }
  const auto dump = [&] { return header.dump(-1, ' ', false, Json::error_handler_t::replace); };
  header["__metadata__"][kChecksum] = kNoChecksum;
  std::string text = dump();
  std::uint32_t crc = checksum(0, text.data(), static_cast<std::int64_t>(text.size()));
  for (const StoredTensor& tensor : tensors) crc = checksum(crc, tensor.data, tensor.bytes);
  header["__metadata__"][kChecksum] = fmt::format("{:08x}", crc);
  text = dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t size = text.size();
  return write_file_atomically(path, [&](const AppendBytes& append) {
    if (!append(&size, sizeof size) || !append(text.data(), text.size())) return false;
    return std::all_of(tensors.begin(), tensors.end(), [&](const StoredTensor& tensor) {
      return append(tensor.data, static_cast<std::size_t>(tensor.bytes));
    });
  });
}

Result<SafetensorsFile> read_safetensors(const std::string& path) {
  auto bytes = read_ordinary_file(path);
  if (!bytes) return bytes.error();
  std::uint64_t header_size = 0;
  if (bytes->size() < sizeof header_size) {
    return damaged(path,
                   fmt::format("it has {} bytes, too few for a safetensors file", bytes->size()));
  }
  std::memcpy(&header_size, bytes->data(), sizeof header_size);
  if (header_size > kLargestHeader || header_size > bytes->size() - sizeof header_size) {
    return damaged(
        path, fmt::format("its header claims {} bytes of {}: cut short, or no safetensors file",
                          header_size, bytes->size()));
  }
  SafetensorsFile file;
  const char* data = bytes->data() + sizeof header_size + header_size;
  const auto data_size =
      static_cast<std::int64_t>(bytes->size() - sizeof header_size - header_size);
  try {
    const Json header =
        Json::parse(std::string_view(bytes->data() + sizeof header_size, header_size));
    std::int64_t expected = 0;
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") {
        for (const auto& [key, value] : entry.items())
          file.metadata[key] = value.get<std::string>();
        continue;
      }
      SafetensorsFile::Tensor tensor;
      tensor.name = name;
      tensor.dtype = entry.at("dtype").get<std::string>();
      tensor.shape = entry.at("shape").get<std::vector<std::int64_t>>();
      tensor.begin = entry.at("data_offsets").at(0).get<std::int64_t>();
      tensor.end = entry.at("data_offsets").at(1).get<std::int64_t>();
      const std::string why = Shape::why_invalid(tensor.shape.begin(), tensor.shape.end());
      if (!why.empty()) return damaged(path, fmt::format("tensor `{}`: {}", name, why));
      if (tensor.begin < 0 || tensor.end < tensor.begin || tensor.end > data_size) {
        return damaged(
            path, fmt::format("tensor `{}` lies at bytes {} to {} of {}: the file is cut short",
                              name, tensor.begin, tensor.end, data_size));
      }
      const std::int64_t width = width_of(tensor.dtype);
      if (width > 0 && tensor.end - tensor.begin !=
                           width * Shape(tensor.shape.begin(), tensor.shape.end()).elements()) {
        return damaged(
            path, fmt::format("tensor `{}` has {} bytes, which does not fit {} {}", name,
                              tensor.end - tensor.begin, tensor.dtype, shape_text(tensor.shape)));
      }
      expected = std::max(expected, tensor.end);
      file.tensors.push_back(std::move(tensor));
    }
    if (expected != data_size) {
      return damaged(
          path, fmt::format("its tensors end at byte {} and its data at {}", expected, data_size));
    }
  } catch (const Json::exception&) {
    return damaged(path, "its header is not the JSON of a safetensors file");
  }
  file.data.assign(data, data + data_size);
  if (const auto crc = file.metadata.find(kChecksum); crc != file.metadata.end()) {
    std::string header(bytes->data() + sizeof header_size, header_size);
    header.erase(header.find_last_not_of(' ') + 1);
    const std::string quoted = fmt::format("\"{}\":\"{}\"", kChecksum, crc->second);
    const auto at = header.find(quoted);
    if (at != std::string::npos) {
      header.replace(at, quoted.size(), fmt::format("\"{}\":\"{}\"", kChecksum, kNoChecksum));
    }
    const std::uint32_t of_header =
        checksum(0, header.data(), static_cast<std::int64_t>(header.size()));
    const std::string found =
        fmt::format("{:08x}", checksum(of_header, file.data.data(), data_size));
    if (found != crc->second)
      return damaged(path, fmt::format("its checksum is {}, not {}", found, crc->second));
  } else if (std::any_of(file.metadata.begin(), file.metadata.end(),
                         [](const auto& fact) { return fact.first.starts_with("strata."); })) {
    return damaged(path, "its checksum is gone");
  }
  return file;
}

bool is_float_type(const std::string& dtype) {
  return dtype == "F64" || dtype == "F32" || dtype == "F16" || dtype == "BF16";
}

void read_floats(const SafetensorsFile& file, const SafetensorsFile::Tensor& tensor, float* out) {
  read_as(file, tensor, out);
}
void read_floats(const SafetensorsFile& file, const SafetensorsFile::Tensor& tensor, double* out) {
  read_as(file, tensor, out);
}

Status load_tensors(const SafetensorsFile& file, const std::string& path,
                    const std::vector<NamedTensor>& tensors, bool parameters_only) {
  std::string missing, different;
  int problems = 0;
  std::vector<std::pair<const SafetensorsFile::Tensor*, const NamedTensor*>> found;
  for (const NamedTensor& tensor : tensors) {
    const bool of_training =
        tensor.role == TensorRole::kSlot || tensor.role == TensorRole::kAverage;
    if (parameters_only && of_training) continue;
    const SafetensorsFile::Tensor* from =
        parameters_only ? file.find(tensor.name + "/ema") : nullptr;
    if (!from) from = file.find(tensor.name);
    if (!from) {
      if (++problems <= 5) missing += (missing.empty() ? "`" : ", `") + tensor.name + "`";
    } else if (!std::equal(from->shape.begin(), from->shape.end(), tensor.shape.begin(),
                           tensor.shape.end()) ||
               !is_float_type(from->dtype)) {
      if (++problems <= 5) {
        different +=
            fmt::format("{}`{}` is {} {}, not {}", different.empty() ? "" : ", ", tensor.name,
                        from->dtype, shape_text(from->shape), tensor.shape.text());
      }
    } else {
      found.emplace_back(from, &tensor);
    }
  }
  if (problems > 0) {
    std::string facts = missing.empty() ? "" : "it has no " + missing;
    if (!different.empty()) facts += (facts.empty() ? "" : "; ") + different;
    if (problems > 5) facts += fmt::format("; {} more", problems - 5);
    Error error = make_error(ExitCode::kData, "`{}` does not fit the model: {}", path, facts);
    error.hint = "weights belong to one model: use the file they were trained with";
    return error;
  }
  // Slots, averages and what transforms found (their names have a slash) may be left over: weights
  // are taken from runs with other optimizers and data.
  std::string unknown;
  int left_over = 0;
  for (const SafetensorsFile::Tensor& tensor : file.tensors) {
    if (tensor.name.find('/') != std::string::npos ||
        std::any_of(found.begin(), found.end(),
                    [&](const auto& pair) { return pair.second->name == tensor.name; })) {
      continue;
    }
    if (++left_over <= 5) unknown += (unknown.empty() ? "`" : ", `") + tensor.name + "`";
  }
  if (left_over > 0) {
    Error error =
        make_error(ExitCode::kData, "`{}` does not fit the model, which has no {}{}", path, unknown,
                   left_over > 5 ? fmt::format(" and {} more", left_over - 5) : "");
    error.hint = "weights belong to one model: use the file they were trained with";
    return error;
  }
  for (const auto& [from, to] : found) {
    if (to->precision == Precision::kF64) {
      read_floats(file, *from, static_cast<double*>(to->data));
    } else {
      read_floats(file, *from, static_cast<float*>(to->data));
    }
  }
  return {};
}

std::string hash_tensors(const std::vector<NamedTensor>& tensors) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  for (const NamedTensor& tensor : tensors) {
    const std::string name = tensor.name + " " + tensor.shape.text() + "\n";
    EVP_DigestUpdate(context.get(), name.data(), name.size());
    EVP_DigestUpdate(context.get(), tensor.data, static_cast<std::size_t>(tensor.bytes()));
  }
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(context.get(), digest, &size);
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

}  // namespace strata
