// The header is a line of Python: {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 28,
// 28), }.
#include "plugins/support/npy.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <string_view>

#include "framework/base/half.h"
#include "plugins/support/bytes.h"

namespace strata::plugins {
namespace {

constexpr const char* kTypes[] = {"|u1", "|i1", "|b1", "<u2", "<i2", "<u4",
                                  "<i4", "<u8", "<i8", "<f2", "<f4", "<f8"};

std::size_t value_size(const std::string& type) { return static_cast<std::size_t>(type[2] - '0'); }

// What stands behind 'key': in the header, empty where it is not there.
std::string_view after(std::string_view header, std::string_view key) {
  const std::size_t at = header.find(key);
  if (at == std::string_view::npos) return {};
  std::string_view rest = header.substr(at + key.size());
  const std::size_t colon = rest.find(':');
  if (colon == std::string_view::npos) return {};
  rest.remove_prefix(colon + 1);
  while (!rest.empty() && rest[0] == ' ') rest.remove_prefix(1);
  return rest;
}

std::vector<std::int64_t> parse_shape(std::string_view rest, const std::string& path) {
  std::vector<std::int64_t> shape;
  const auto fail = [&] { throw data_error(text(path, " is damaged: its header has no shape")); };
  const std::size_t end = rest.find(')');
  if (rest.empty() || rest[0] != '(' || end == std::string_view::npos) fail();
  std::int64_t number = -1, product = 1;
  for (const char c : rest.substr(1, end)) {
    if (std::isdigit(static_cast<unsigned char>(c))) {
      number = std::max<std::int64_t>(0, number) * 10 + (c - '0');
      if (number > Shape::kMaxElements) fail();
    } else if (c == ',' || c == ')') {
      if (number < 0) continue;
      if (__builtin_mul_overflow(product, number, &product) || product > Shape::kMaxElements ||
          shape.size() == Shape::kMaxRank + 1) {
        throw data_error(text(path, " has a header with impossible sizes"));
      }
      shape.push_back(number);
      number = -1;
    } else if (c != ' ') {
      fail();
    }
  }
  if (shape.empty()) throw data_error(text(path, " holds a single number, not samples"));
  if (product == 0) throw data_error(text(path, " holds no samples"));
  return shape;
}

template <class From, class To>
void convert(const std::uint8_t* from, std::int64_t count, To* to) {
  for (std::int64_t i = 0; i < count; ++i) {
    From value;
    std::memcpy(&value, from + static_cast<std::size_t>(i) * sizeof value, sizeof value);
    to[i] = static_cast<To>(value);
  }
}

template <class To>
void convert_from(const std::string& type, const std::uint8_t* from, std::int64_t count, To* to) {
  if (type == "|u1" || type == "|b1") return convert<std::uint8_t>(from, count, to);
  if (type == "|i1") return convert<std::int8_t>(from, count, to);
  if (type == "<u2") return convert<std::uint16_t>(from, count, to);
  if (type == "<i2") return convert<std::int16_t>(from, count, to);
  if (type == "<u4") return convert<std::uint32_t>(from, count, to);
  if (type == "<i4") return convert<std::int32_t>(from, count, to);
  if (type == "<u8") return convert<std::uint64_t>(from, count, to);
  if (type == "<i8") return convert<std::int64_t>(from, count, to);
  if (type == "<f2") return convert<Half>(from, count, to);
  if (type == "<f4") return convert<float>(from, count, to);
  convert<double>(from, count, to);
}

}  // namespace

void NpyArray::copy_row(std::int64_t from, std::int64_t to, strata_dtype dtype, void* out) const {
  std::int64_t count = 1;
  for (std::size_t axis = 1; axis < shape.size(); ++axis) count *= shape[axis];
  const std::uint8_t* values =
      bytes.data() + offset + static_cast<std::size_t>(from * count) * value_size(type);
  const std::int64_t begin = to * count;
  switch (dtype) {
    case STRATA_U8:
      return convert_from(type, values, count, static_cast<std::uint8_t*>(out) + begin);
    case STRATA_I32:
      return convert_from(type, values, count, static_cast<std::int32_t*>(out) + begin);
    case STRATA_F32:
      return convert_from(type, values, count, static_cast<float*>(out) + begin);
    default:
      return convert_from(type, values, count, static_cast<double*>(out) + begin);
  }
}

NpyArray read_npy(const std::string& path) {
  NpyArray array{path, {}, {}, read_bytes(path, {}), 0};
  const std::vector<std::uint8_t>& bytes = array.bytes;
  if (bytes.size() < 10 || std::memcmp(bytes.data(), "\x93NUMPY", 6) != 0)
    throw data_error(text(path, " is not an NPY file"), "numpy.save writes them");
  const int version = bytes[6];
  if (version < 1 || version > 3)
    throw data_error(text(path, " has version ", version, " of NPY, which is not known here"));
  const std::size_t start = version == 1 ? 10 : 12;
  std::size_t length = 0;
  for (std::size_t i = start; i-- > 8;) length = length * 256 + (i < bytes.size() ? bytes[i] : 0);
  if (bytes.size() < start || length > bytes.size() - start)
    throw data_error(text(path, " is truncated: it ends within its header"));
  array.offset = start + length;
  const std::string_view header(reinterpret_cast<const char*>(bytes.data()) + start, length);

  const std::string_view type = after(header, "'descr'");
  if (type.size() < 5 || type[0] != '\'' || type[4] != '\'')
    throw data_error(text(path, " does not hold numbers of a simple type"));
  array.type = std::string(type.substr(1, 3));
  if (std::find(std::begin(kTypes), std::end(kTypes), array.type) == std::end(kTypes)) {
    throw data_error(
        text(path, " holds values of the type ", array.type, ", which is not known here"),
        "numpy's astype(numpy.float32) makes numbers that are");
  }
  if (after(header, "'fortran_order'").substr(0, 5) != "False") {
    throw data_error(text(path, " has its values column by column"),
                     "numpy.ascontiguousarray puts them row by row");
  }
  array.shape = parse_shape(after(header, "'shape'"), path);
  std::size_t values = 1;
  for (const std::int64_t extent : array.shape) values *= static_cast<std::size_t>(extent);
  const std::size_t wanted = values * value_size(array.type), there = bytes.size() - array.offset;
  if (there < wanted) {
    throw data_error(text(path, " is truncated: its header says ", wanted, " bytes of values, and ",
                          there, there == 1 ? " follows" : " follow"));
  }
  if (there > wanted)
    throw data_error(text(path, " goes on after the values that its header describes"));
  return array;
}

}  // namespace strata::plugins
