#include "framework/images/image_files.h"

// jpeglib.h uses FILE and size_t without including them.
#include <cstdio>
//
#include <jpeglib.h>
//
#include <jerror.h>
#include <png.h>

#include <algorithm>
#include <cerrno>
#include <csetjmp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "framework/base/atomic_file.h"
#include "framework/base/utf8.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;
constexpr std::int64_t kMostPixels = 100'000'000;
// Progressive JPEGs have about ten. Each costs time for the whole image, however small it is.
constexpr int kMostScans = 500;
constexpr std::size_t kMostNested = 32;

template <class... Args>
Error bad(const std::string& name, fmt::format_string<Args...> format, Args&&... args) {
  return make_error(ExitCode::kData, "{} {}", safe_text(name),
                    fmt::format(format, std::forward<Args>(args)...));
}

Status check_extents(const std::string& name, std::int64_t width, std::int64_t height) {
  if (width <= kMostPixels / height) return {};
  Error error = bad(name, "has {} × {} pixels, and the most is {}", width, height, kMostPixels);
  error.hint = "make it smaller, or leave it out";
  return error;
}

Status check_bytes(const std::string& name, std::uint64_t size) {
  if (size == 0) return bad(name, "is empty");
  if (size <= kMostBytes) return {};
  return bad(name, "has {} bytes, and the most that is read is {}", size, kMostBytes);
}

// libjpeg ends a failed call by a function that must not return: it jumps back to the method that
// made the call. Between the two are only frames of libjpeg, and the methods' own variables are
// plain, so nothing is left undestroyed.
class JpegReader {
 public:
  explicit JpegReader(std::string_view bytes) : bytes_(bytes) {}
  ~JpegReader() { jpeg_destroy_decompress(&jpeg_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  const char* message() const { return message_; }  // of the first thing that was wrong
  std::int64_t width() const { return jpeg_.image_width; }
  std::int64_t height() const { return jpeg_.image_height; }

  // Both say whether all went well.
  bool read_header() {
    jpeg_.err = jpeg_std_error(&errors_);
    jpeg_.client_data = this;
    errors_.error_exit = [](j_common_ptr jpeg) {
      self(jpeg).keep_message(jpeg);
      std::longjmp(self(jpeg).back_, 1);
    };
    errors_.emit_message = [](j_common_ptr jpeg, int level) {
      if (level < 0 && is_damage(jpeg->err->msg_code)) self(jpeg).keep_message(jpeg);
    };
    if (setjmp(back_)) return false;
    jpeg_create_decompress(&jpeg_);
    jpeg_mem_src(&jpeg_, reinterpret_cast<const unsigned char*>(bytes_.data()), bytes_.size());
    jpeg_read_header(&jpeg_, TRUE);
    return true;
  }

  // rgb: [height, width, 3]
  bool read_pixels(std::uint8_t* rgb) {
    four_ = jpeg_.jpeg_color_space == JCS_CMYK || jpeg_.jpeg_color_space == JCS_YCCK;
    if (four_) row_.resize(static_cast<std::size_t>(4 * width()));
    progress_.progress_monitor = [](j_common_ptr jpeg) {
      if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number <= kMostScans) return;
      std::snprintf(self(jpeg).message_, sizeof message_, "it has more than %d scans", kMostScans);
      std::longjmp(self(jpeg).back_, 1);
    };
    if (setjmp(back_)) return false;
    jpeg_.progress = &progress_;
    jpeg_.out_color_space = four_ ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&jpeg_);
    while (jpeg_.output_scanline < jpeg_.output_height) {
      JSAMPROW row = rgb + std::size_t{3} * jpeg_.output_width * jpeg_.output_scanline;
      if (!four_) {
        jpeg_read_scanlines(&jpeg_, &row, 1);
        continue;
      }
      JSAMPROW four = row_.data();
      jpeg_read_scanlines(&jpeg_, &four, 1);
      to_rgb(row);
    }
    jpeg_finish_decompress(&jpeg_);
    return message_[0] == 0;
  }

 private:
  static JpegReader& self(j_common_ptr jpeg) {
    return *static_cast<JpegReader*>(jpeg->client_data);
  }
  // Of libjpeg's warnings, those that do not touch the pixels.
  static bool is_damage(int code) {
    return code != JWRN_EXTRANEOUS_DATA && code != JWRN_ADOBE_XFORM && code != JWRN_JFIF_MAJOR &&
           code != JWRN_BOGUS_ICC && code != JWRN_TOO_MUCH_DATA;
  }
  void keep_message(j_common_ptr jpeg) {
    if (message_[0]) return;
    jpeg->err->format_message(jpeg, message_);
    if (message_[0] >= 'A' && message_[0] <= 'Z') message_[0] += 'a' - 'A';
  }
  // Inks are stored as what they let through where Adobe's marker is there, as it mostly is.
  void to_rgb(std::uint8_t* rgb) const {
    const bool inverted = jpeg_.saw_Adobe_marker;
    const auto light = [inverted](std::uint8_t ink) { return inverted ? ink : 255 - ink; };
    for (std::size_t x = 0; x < row_.size() / 4; ++x) {
      for (std::size_t c = 0; c < 3; ++c) {
        rgb[3 * x + c] = static_cast<std::uint8_t>(
            (light(row_[4 * x + c]) * light(row_[4 * x + 3]) + 127) / 255);
      }
    }
  }

  const std::string_view bytes_;
  jpeg_decompress_struct jpeg_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf back_{};
  bool four_ = false;
  std::vector<std::uint8_t> row_;  // of CMYK
  char message_[JMSG_LENGTH_MAX] = {};
};

Result<RgbImage> decode_jpeg(const std::string& name, std::string_view bytes) {
  JpegReader jpeg(bytes);
  if (!jpeg.read_header()) return bad(name, "is damaged: {}", jpeg.message());
  if (const Status fits = check_extents(name, jpeg.width(), jpeg.height()); !fits)
    return fits.error();
  RgbImage image{jpeg.width(), jpeg.height(), {}};
  image.pixels.resize(static_cast<std::size_t>(3 * image.width * image.height));
  if (!jpeg.read_pixels(image.pixels.data())) return bad(name, "is damaged: {}", jpeg.message());
  return image;
}

// libpng's simplified interface, whose calls return after a failure.
class PngReader {
 public:
  PngReader() { png_.version = PNG_IMAGE_VERSION; }
  ~PngReader() { png_image_free(&png_); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  png_image* get() { return &png_; }

 private:
  png_image png_{};
};

Result<RgbImage> decode_png(const std::string& name, std::string_view bytes) {
  PngReader reader;
  png_image* png = reader.get();
  if (!png_image_begin_read_from_memory(png, bytes.data(), bytes.size()))
    return bad(name, "is damaged: {}", png->message);
  if (const Status fits = check_extents(name, png->width, png->height); !fits) return fits.error();
  png->flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // 16 bits are another precision, not another scale
  png->format = PNG_FORMAT_RGBA;            // with RGB, what is transparent would become black
  RgbImage image{png->width, png->height, {}};
  const auto count = static_cast<std::size_t>(image.width * image.height);
  std::vector<std::uint8_t> rgba(4 * count);
  if (!png_image_finish_read(png, nullptr, rgba.data(), 0, nullptr))
    return bad(name, "is damaged: {}", png->message);
  image.pixels.resize(3 * count);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t c = 0; c < 3; ++c) image.pixels[3 * i + c] = rgba[4 * i + c];
  }
  return image;
}

// What both begin with is told from this many bytes, and neither has fewer.
constexpr std::size_t kSignature = 8;
bool is_png(std::string_view bytes) { return bytes.starts_with("\x89PNG\r\n\x1a\n"); }
bool is_jpeg(std::string_view bytes) {
  return bytes.size() >= kSignature && bytes.starts_with("\xff\xd8\xff");
}

Error neither(const std::string& name) {
  Error error = bad(name, "is neither a PNG nor a JPEG file");
  error.hint = "convert it, or move it elsewhere";
  return error;
}

std::string lower_extension(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return extension;
}

// Whether it is a file of a size that is read.
Status check_file(const std::string& path) {
  std::error_code failure;
  const fs::file_status status = fs::status(path, failure);
  if (!failure && !fs::is_regular_file(status)) return bad(path, "is not a regular file");
  const std::uintmax_t size = failure ? 0 : fs::file_size(path, failure);
  if (failure) return bad(path, "cannot be read: {}", failure.message());
  return check_bytes(path, size);
}

// The same, and whether it begins as an image does.
Status check_kind(const std::string& path) {
  if (const Status readable = check_file(path); !readable) return readable;
  char bytes[kSignature] = {};
  std::ifstream file(path, std::ios::binary);
  if (!file) return bad(path, "cannot be read: {}", std::strerror(errno));
  file.read(bytes, kSignature);
  return is_image({bytes, static_cast<std::size_t>(file.gcount())}) ? Status() : neither(path);
}

// `above` are the folders that it lies in.
Status add_pictures(const fs::path& folder, std::vector<fs::path>& above,
                    std::vector<std::string>& pictures) {
  std::error_code failure;
  const fs::path real = fs::canonical(folder, failure);
  if (failure) return bad(folder.string(), "cannot be read: {}", failure.message());
  if (std::find(above.begin(), above.end(), real) != above.end())
    return bad(folder.string(), "is a symbolic link to a folder that it lies in");
  if (above.size() >= kMostNested)
    return bad(folder.string(), "is nested deeper than {} folders", kMostNested);
  const auto entries = folder_entries(folder.string());
  if (!entries) return entries.error();
  above.push_back(real);
  for (const fs::path& entry : *entries) {
    Status added;
    if (fs::is_directory(entry, failure)) {
      added = add_pictures(entry, above, pictures);
    } else if (is_picture_name(entry)) {
      added = check_kind(entry.string());
      pictures.push_back(entry.string());
    } else {
      added = check_not_foreign(entry.string());
    }
    if (!added) return added;
  }
  above.pop_back();
  return {};
}

}  // namespace

bool is_image(std::string_view start) { return is_png(start) || is_jpeg(start); }

Result<RgbImage> decode_image(const std::string& name, std::string_view bytes) {
  if (const Status fits = check_bytes(name, bytes.size()); !fits) return fits.error();
  if (is_png(bytes)) return decode_png(name, bytes);
  if (is_jpeg(bytes)) return decode_jpeg(name, bytes);
  return neither(name);
}

Result<RgbImage> read_image(const std::string& path) {
  if (const Status readable = check_file(path); !readable) return readable.error();
  const Result<std::string> bytes = read_ordinary_file(path);
  if (!bytes) return bytes.error();
  return decode_image(path, *bytes);
}

bool is_picture_name(const fs::path& path) {
  const std::string extension = lower_extension(path);
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

Status check_not_foreign(const std::string& path) {
  static constexpr const char* kForeign[] = {".gif",  ".bmp", ".webp", ".tif", ".tiff", ".heic",
                                             ".avif", ".jp2", ".jxl",  ".ppm", ".pgm",  ".svg"};
  const std::string extension = lower_extension(path);
  if (std::none_of(std::begin(kForeign), std::end(kForeign),
                   [&](const char* foreign) { return extension == foreign; }))
    return {};
  Error error = bad(path, "is an image, but neither PNG nor JPEG");
  error.hint = "convert it, or move it elsewhere";
  return error;
}

Result<std::vector<fs::path>> folder_entries(const std::string& folder) {
  std::vector<fs::path> entries;
  std::error_code failure;
  fs::directory_iterator at(folder, failure);
  for (; !failure && at != fs::directory_iterator(); at.increment(failure)) {
    if (at->path().filename().string().front() != '.') entries.push_back(at->path());
  }
  if (failure) return bad(folder, "cannot be read: {}", failure.message());
  std::sort(entries.begin(), entries.end());
  return entries;
}

Result<std::vector<std::string>> pictures_below(const std::string& folder) {
  std::vector<std::string> pictures;
  std::vector<fs::path> above;
  if (const Status added = add_pictures(folder, above, pictures); !added) return added.error();
  return pictures;
}

}  // namespace strata
