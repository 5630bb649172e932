#include "framework/app/sample_files.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "framework/app/table_samples.h"
#include "framework/base/half.h"
#include "framework/base/utf8.h"

namespace strata::app {
namespace {

// An element type of a binary format.
struct ElementType {
  char kind;  // 'u', 'i', 'f', as numpy says
  int bytes;
};

template <class T>
double read_as(const char* at, bool big_endian) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, at, sizeof(T));
  if (big_endian != (std::endian::native == std::endian::big))
    std::reverse(bytes, bytes + sizeof(T));
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return static_cast<double>(value);
}

using Reader = double (*)(const char*, bool);

Reader reader_of(ElementType type) {
  switch (type.kind * 16 + type.bytes) {
    case 'u' * 16 + 1:
      return &read_as<std::uint8_t>;
    case 'u' * 16 + 2:
      return &read_as<std::uint16_t>;
    case 'u' * 16 + 4:
      return &read_as<std::uint32_t>;
    case 'u' * 16 + 8:
      return &read_as<std::uint64_t>;
    case 'i' * 16 + 1:
      return &read_as<std::int8_t>;
    case 'i' * 16 + 2:
      return &read_as<std::int16_t>;
    case 'i' * 16 + 4:
      return &read_as<std::int32_t>;
    case 'i' * 16 + 8:
      return &read_as<std::int64_t>;
    case 'f' * 16 + 2:
      return &read_as<Half>;
    case 'f' * 16 + 4:
      return &read_as<float>;
    case 'f' * 16 + 8:
      return &read_as<double>;
    default:
      return nullptr;
  }
}

template <class... Args>
Error damaged(const std::string& name, fmt::format_string<Args...> format, Args&&... args) {
  return make_error(ExitCode::kData, "{}: {}", safe_text(name),
                    fmt::format(format, std::forward<Args>(args)...));
}

// Dimensions, then elements from `offset` on: the common end of both binary formats.
Result<Samples> read_elements(const std::string& name, std::string_view content, std::size_t offset,
                              const std::vector<std::int64_t>& dims, ElementType type,
                              bool big_endian) {
  if (dims.empty()) return damaged(name, "holds a single number, where samples are wanted");
  Samples samples;
  samples.count = dims[0];
  if (dims[0] < 1) return damaged(name, "holds no samples");
  const std::string why = Shape::why_invalid(dims.begin(), dims.end());
  if (!why.empty()) return damaged(name, "its header gives an impossible shape: {}", why);
  samples.shape = Shape(dims.begin() + 1, dims.end());
  const std::int64_t elements = samples.count * samples.shape.elements();
  const auto there = static_cast<std::int64_t>(content.size() - offset);
  if (elements * type.bytes != there) {
    return damaged(name, "its header promises {} bytes of data behind offset {}, and there are {}",
                   elements * type.bytes, offset, there);
  }
  const Reader read = reader_of(type);
  samples.values.resize(static_cast<std::size_t>(elements));
  for (std::int64_t i = 0; i < elements; ++i) {
    const double value = read(content.data() + offset + i * type.bytes, big_endian);
    if (!std::isfinite(value)) {
      return damaged(name, "value {} of sample {} is {}, at offset {}",
                     i % samples.shape.elements() + 1, i / samples.shape.elements() + 1, value,
                     offset + static_cast<std::size_t>(i * type.bytes));
    }
    samples.values[static_cast<std::size_t>(i)] = value;
  }
  return samples;
}

// The value of a key in NPY's header, a Python dictionary: {'descr': '<f4', 'fortran_order': False,
// 'shape': (3, 4), }
std::optional<std::string_view> npy_value(std::string_view header, std::string_view key) {
  const std::size_t at = header.find("'" + std::string(key) + "'");
  if (at == std::string_view::npos) return std::nullopt;
  std::size_t begin = header.find(':', at);
  if (begin == std::string_view::npos) return std::nullopt;
  begin = header.find_first_not_of(' ', begin + 1);
  if (begin == std::string_view::npos) return std::nullopt;
  const char first = header[begin];
  const char* const until = first == '(' ? ")" : first == '\'' ? "'" : first == '[' ? "]" : ",}";
  const std::size_t end = header.find_first_of(until, begin + 1);
  if (end == std::string_view::npos) return std::nullopt;
  return first == '(' || first == '\'' ? header.substr(begin + 1, end - begin - 1)
                                       : header.substr(begin, end - begin);
}

std::optional<std::vector<std::int64_t>> parse_tuple(std::string_view text) {
  std::vector<std::int64_t> numbers;
  while (true) {
    const std::size_t begin = text.find_first_not_of(" ,");
    if (begin == std::string_view::npos) return numbers;
    text.remove_prefix(begin);
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc() || number < 0 || numbers.size() > 32) return std::nullopt;
    numbers.push_back(number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
}

Result<std::string> unzip(const std::string& name, std::string_view content) {
  constexpr std::size_t kLargest = std::size_t{1} << 34;  // a bomb, not samples
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) return damaged(name, "cannot be unzipped");
  std::string out;
  std::vector<char> block(1 << 18);
  int code = Z_OK;
  std::size_t at = 0;
  while (code != Z_STREAM_END) {
    if (stream.avail_in == 0 && at < content.size()) {
      const std::size_t some = std::min(content.size() - at, std::size_t{1} << 30);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data() + at));
      stream.avail_in = static_cast<uInt>(some);
      at += some;
    }
    stream.next_out = reinterpret_cast<Bytef*>(block.data());
    stream.avail_out = static_cast<uInt>(block.size());
    code = inflate(&stream, Z_NO_FLUSH);
    out.append(block.data(), block.size() - stream.avail_out);
    if ((code != Z_OK && code != Z_STREAM_END) || out.size() > kLargest) break;
  }
  const std::string why = stream.msg ? stream.msg : "it ends too early";
  inflateEnd(&stream);
  if (code != Z_STREAM_END)
    return damaged(name, "the gzip data are damaged after {} bytes: {}", out.size(), why);
  return out;
}

constexpr std::string_view kSeparators = ",;\t ";

// One line cut into cells; spaces around other separators do not count.
std::vector<std::string_view> split_line(std::string_view line) {
  char separator = ' ';
  for (const char candidate : {',', ';', '\t'}) {
    if (line.find(candidate) != std::string_view::npos) {
      separator = candidate;
      break;
    }
  }
  const auto trim = [](std::string_view cell) {
    const std::size_t begin = cell.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return std::string_view();
    cell = cell.substr(begin, cell.find_last_not_of(" \t") - begin + 1);
    if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"')
      cell = cell.substr(1, cell.size() - 2);
    return cell;
  };
  std::vector<std::string_view> cells;
  line = line.substr(std::min(line.find_first_not_of(" "), line.size()));
  while (true) {
    const std::size_t end = line.find(separator);
    cells.push_back(trim(line.substr(0, end)));
    if (end == std::string_view::npos) return cells;
    line.remove_prefix(end + 1);
    if (separator != ' ') continue;
    const std::size_t next = line.find_first_not_of(' ');
    if (next == std::string_view::npos) return cells;
    line.remove_prefix(next);
  }
}

std::optional<double> parse_number(std::string_view cell) {
  if (!cell.empty() && cell.front() == '+') cell.remove_prefix(1);
  double value = 0;
  const auto [end, failure] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (failure != std::errc() || end != cell.data() + cell.size()) return std::nullopt;
  return value;
}

std::string shown_cell(std::string_view cell) {
  return cell.empty() ? "an empty cell" : "`" + safe_text(cell.substr(0, 40)) + "`";
}

std::string dims_text(const Shape& shape) {
  std::string out = "[";
  for (int i = 0; i < shape.rank(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

}  // namespace

Result<Samples> parse_idx(const std::string& name, std::string_view content) {
  if (content.size() < 4)
    return damaged(name, "ends inside its header, at offset {}", content.size());
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(content[at]); };
  const auto type = [&]() -> std::optional<ElementType> {
    switch (byte(2)) {
      case 0x08:
        return ElementType{'u', 1};
      case 0x09:
        return ElementType{'i', 1};
      case 0x0B:
        return ElementType{'i', 2};
      case 0x0C:
        return ElementType{'i', 4};
      case 0x0D:
        return ElementType{'f', 4};
      case 0x0E:
        return ElementType{'f', 8};
      default:
        return std::nullopt;
    }
  }();
  if (byte(0) != 0 || byte(1) != 0 || !type)
    return damaged(name, "is no IDX file: it does not begin with IDX's magic number");
  const std::size_t rank = byte(3);
  const std::size_t offset = 4 + 4 * rank;
  if (content.size() < offset)
    return damaged(name, "ends inside its header, at offset {}", content.size());
  std::vector<std::int64_t> dims;
  for (std::size_t i = 0; i < rank; ++i) {
    dims.push_back(
        static_cast<std::int64_t>(read_as<std::uint32_t>(content.data() + 4 + 4 * i, true)));
  }
  return read_elements(name, content, offset, dims, *type, true);
}

Result<Samples> parse_npy(const std::string& name, std::string_view content) {
  if (content.size() < 10)
    return damaged(name, "ends inside its header, at offset {}", content.size());
  const int major = static_cast<unsigned char>(content[6]);
  if (major < 1 || major > 3)
    return damaged(name, "is an NPY file of version {}; 1 to 3 are known", major);
  const std::size_t begin = major == 1 ? 10 : 12;
  if (content.size() < begin)
    return damaged(name, "ends inside its header, at offset {}", content.size());
  const auto length =
      static_cast<std::size_t>(major == 1 ? read_as<std::uint16_t>(content.data() + 8, false)
                                          : read_as<std::uint32_t>(content.data() + 8, false));
  if (content.size() - begin < length)
    return damaged(name, "ends inside its header, at offset {}", content.size());
  const std::string_view header = content.substr(begin, length);

  const auto descr = npy_value(header, "descr");
  const auto order = npy_value(header, "fortran_order");
  const auto shape = npy_value(header, "shape");
  const auto dims = shape ? parse_tuple(*shape) : std::nullopt;
  if (!descr || !order || !dims)
    return damaged(name, "its header cannot be read: {}", shown_cell(header));
  ElementType type{0, 0};
  if (descr->size() == 3 && std::string_view("<>|=").find((*descr)[0]) != std::string_view::npos) {
    type = {(*descr)[1] == 'b' ? 'u' : (*descr)[1], (*descr)[2] - '0'};
  }
  if (type.bytes < 1 || !reader_of(type)) {
    Error error =
        damaged(name, "holds elements of type `{}`; ints, f2, f4, f8 and bool can be read",
                safe_text(*descr));
    error.hint = "save the array as .astype(\"float32\")";
    return error;
  }
  if (order->substr(0, 4) == "True") {
    Error error = damaged(name, "is in Fortran order");
    error.hint = "save numpy.ascontiguousarray(x) instead";
    return error;
  }
  return read_elements(name, content, begin + length, *dims, type, (*descr)[0] == '>');
}

Result<Samples> parse_csv(const std::string& name, std::string_view content) {
  Samples samples;
  std::size_t columns = 0;
  bool first = true;
  for (std::int64_t number = 1; !content.empty(); ++number) {
    const std::size_t end = content.find('\n');
    std::string_view line = content.substr(0, end);
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(kSeparators.substr(2)) == std::string_view::npos) continue;
    const auto cells = split_line(line);
    if (first) {
      first = false;
      columns = cells.size();
      const bool header = std::none_of(cells.begin(), cells.end(),
                                       [](auto cell) { return parse_number(cell).has_value(); });
      if (header && !content.empty()) continue;
    }
    if (cells.size() != columns) {
      return damaged(name, "line {} has {} values, and the first line has {}", number, cells.size(),
                     columns);
    }
    for (std::size_t i = 0; i < columns; ++i) {
      const auto value = parse_number(cells[i]);
      if (!value)
        return damaged(name, "line {}, column {}: {} is not a number", number, i + 1,
                       shown_cell(cells[i]));
      if (!std::isfinite(*value)) {
        return damaged(name, "line {}, column {}: {} is not a finite number", number, i + 1,
                       shown_cell(cells[i]));
      }
      samples.values.push_back(*value);
    }
    ++samples.count;
  }
  if (samples.count == 0)
    return damaged(name, "{}", first ? "is empty" : "has a header and no samples");
  samples.shape = Shape{static_cast<std::int64_t>(columns)};
  return samples;
}

Result<Samples> parse_samples(const std::string& name, std::string content, const Shape& expected,
                              const TableFormat* table) {
  if (content.size() >= 2 && content[0] == '\x1f' && content[1] == '\x8b') {
    auto plain = unzip(name, content);
    if (!plain.ok()) return plain.error();
    content = std::move(*plain);
  }
  if (content.empty()) return damaged(name, "is empty");
  const std::string_view bytes(content);
  const bool npy = bytes.starts_with("\x93NUMPY");
  const bool idx = !npy && bytes.size() >= 2 && bytes[0] == 0 && bytes[1] == 0;
  if (!npy && !idx && bytes.substr(0, 4096).find('\0') != std::string_view::npos) {
    return damaged(name, "is none of the formats that can be read: IDX, NPY, CSV, PNG, JPEG");
  }
  if (table && !npy && !idx) {
    auto rows = parse_table(name, bytes, *table);
    if (!rows.ok()) return rows.error();
    if (*rows) return std::move(**rows);
  }
  auto samples = npy   ? parse_npy(name, bytes)
                 : idx ? parse_idx(name, bytes)
                       : parse_csv(name, bytes);
  const std::string of_table = table && !npy && !idx ? columns_hint(*table) : "";
  if (!samples.ok()) {
    Error error = samples.error();
    if (error.hint.empty()) error.hint = of_table;
    return error;
  }
  const std::int64_t found = samples->shape.elements();
  if (found == expected.elements()) return samples;
  // A single sample without its batch axis: [28, 28] for [28, 28].
  if (samples->count * found == expected.elements() &&
      samples->shape.rank() + 1 == expected.rank()) {
    samples->count = 1;
    samples->shape = expected;
    return samples;
  }
  Error error = damaged(name, "a sample has {} {} ({}), and the model takes {} ({})", found,
                        found == 1 ? "value" : "values", dims_text(samples->shape),
                        expected.elements(), dims_text(expected));
  if (!npy && !idx && found == expected.elements() + 1)
    error.hint = "leave out a column that holds labels or an index";
  if (!of_table.empty()) error.hint = of_table;
  return error;
}

}  // namespace strata::app
