// IDX files over zlib's inflate: the whole gzip trailer is checked, and nothing may follow it.
#include "plugins/support/idx.h"

#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>

#include "framework/plugin/dataset.h"

namespace strata::plugins {
namespace {

using Bytes = std::vector<std::uint8_t>;

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// The bytes of a file, decompressed where it is a gzip file.
class Source {
 public:
  explicit Source(const std::string& path) : path_(path) {
    struct stat facts {};
    if (stat(path.c_str(), &facts) != 0) fail(text("cannot be read: ", std::strerror(errno)));
    if (S_ISDIR(facts.st_mode)) fail("is a folder, not a file");
    if (!S_ISREG(facts.st_mode)) fail("is not a regular file");
    if (facts.st_size == 0) fail("is empty");
    file_.reset(std::fopen(path.c_str(), "rb"));
    if (!file_) fail(text("cannot be read: ", std::strerror(errno)));
    refill();
    if (available_ >= 2 && input_[0] == 0x1f && input_[1] == 0x8b) {
      zipped_ = true;
      if (inflateInit2(&zip_, 15 + 16) != Z_OK) fail("cannot be decompressed: zlib did not start");
    }
  }
  ~Source() {
    if (zipped_) inflateEnd(&zip_);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  [[noreturn]] void fail(const std::string& fact) const { throw data_error(path_ + " " + fact); }

  // Up to `count` bytes; fewer only at the end.
  std::size_t read(std::uint8_t* out, std::size_t count) {
    return zipped_ ? read_zipped(out, count) : read_plain(out, count);
  }

  // Throws where a byte is left.
  void expect_end() {
    std::uint8_t byte = 0;
    if (read(&byte, 1) > 0) fail("goes on after the data that its header describes");
    if (zipped_ && (available_ > 0 || refill())) fail("has bytes after its gzip data");
  }

 private:
  bool refill() {
    position_ = 0;
    available_ = std::fread(input_.data(), 1, input_.size(), file_.get());
    if (available_ == 0 && std::ferror(file_.get()))
      fail(text("cannot be read: ", std::strerror(errno)));
    return available_ > 0;
  }

  std::size_t read_plain(std::uint8_t* out, std::size_t count) {
    std::size_t done = 0;
    while (done < count && (available_ > 0 || refill())) {
      const std::size_t n = std::min(count - done, available_);
      std::memcpy(out + done, input_.data() + position_, n);
      done += n;
      position_ += n;
      available_ -= n;
    }
    return done;
  }

  std::size_t read_zipped(std::uint8_t* out, std::size_t count) {
    std::size_t done = 0;
    while (done < count && !ended_) {
      if (available_ == 0 && !refill()) fail("is truncated: its gzip data breaks off");
      const std::size_t room = std::min<std::size_t>(count - done, 1u << 30);
      zip_.next_in = input_.data() + position_;
      zip_.avail_in = static_cast<uInt>(available_);
      zip_.next_out = out + done;
      zip_.avail_out = static_cast<uInt>(room);
      const int result = inflate(&zip_, Z_NO_FLUSH);
      position_ += available_ - zip_.avail_in;
      available_ = zip_.avail_in;
      done += room - zip_.avail_out;
      if (result == Z_STREAM_END) {
        ended_ = true;
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        fail(text("is damaged: its gzip data does not decompress (",
                  zip_.msg ? zip_.msg : "unknown reason", ")"));
      }
    }
    return done;
  }

  const std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::array<std::uint8_t, 1 << 16> input_;
  std::size_t position_ = 0, available_ = 0;
  bool zipped_ = false, ended_ = false;
  z_stream zip_{};
};

std::uint32_t big_endian(const std::uint8_t* b) {
  return (std::uint32_t{b[0]} << 24) | (std::uint32_t{b[1]} << 16) | (std::uint32_t{b[2]} << 8) |
         b[3];
}

std::string product_text(const std::vector<std::int64_t>& extents) {
  std::string out;
  for (const std::int64_t extent : extents)
    out += (out.empty() ? "" : " × ") + std::to_string(extent);
  return out;
}

std::string hex(std::uint32_t value) {
  char digits[16];
  std::snprintf(digits, sizeof digits, "0x%08x", value);
  return digits;
}

// The extents, from a checked header.
std::vector<std::int64_t> read_header(Source& source, int axes) {
  std::array<std::uint8_t, 4> word{};
  const std::uint32_t expected = 0x800u + static_cast<std::uint32_t>(axes);  // 8: unsigned bytes
  if (source.read(word.data(), 4) < 4) source.fail("is truncated: it ends within its header");
  const std::uint32_t magic = big_endian(word.data());
  if (magic != expected) {
    source.fail(text("is not an IDX file of bytes with ", axes, axes == 1 ? " axis" : " axes",
                     ": its magic number is ", hex(magic), ", not ", hex(expected)));
  }
  std::vector<std::int64_t> extents;
  for (int i = 0; i < axes; ++i) {
    if (source.read(word.data(), 4) < 4) source.fail("is truncated: it ends within its header");
    extents.push_back(big_endian(word.data()));
  }
  return extents;
}

}  // namespace

IdxFile read_idx(const std::string& path, int axes) {
  Source source(path);
  IdxFile file{path, read_header(source, axes), {}};
  std::int64_t size = 1;
  for (const std::int64_t extent : file.extents) {
    if (__builtin_mul_overflow(size, extent, &size) || size > Shape::kMaxElements) {
      source.fail(text("has a header with impossible sizes: ", product_text(file.extents)));
    }
  }
  if (size == 0) source.fail(text("holds no data: its header says ", product_text(file.extents)));
  // A damaged header can ask for terabytes: memory grows with what is really there.
  std::size_t done = 0;
  while (done < static_cast<std::size_t>(size)) {
    const std::size_t room =
        std::min(static_cast<std::size_t>(size), std::max<std::size_t>(1u << 20, 2 * done));
    file.values.resize(room);
    const std::size_t n = source.read(file.values.data() + done, room - done);
    done += n;
    if (done < room) {
      source.fail(text("is truncated: its header says ", product_text(file.extents), " (", size,
                       " bytes), and only ", done, done == 1 ? " byte follows" : " bytes follow"));
    }
  }
  source.expect_end();
  return file;
}

std::int64_t peek_idx_count(const std::string& path) noexcept {
  try {
    Source source(path);
    std::array<std::uint8_t, 8> header{};
    if (source.read(header.data(), header.size()) < header.size() ||
        big_endian(header.data()) >> 8 != 8)
      return -1;
    return big_endian(header.data() + 4);
  } catch (...) {
    return -1;
  }
}

}  // namespace strata::plugins
