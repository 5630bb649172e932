#include "plugins/support/image_files.h"

// jpeglib.h uses FILE and size_t without including them.
#include <cstdio>
//
#include <jpeglib.h>
//
#include <jerror.h>
#include <png.h>

#include <csetjmp>
#include <cstring>

#include "plugins/support/bytes.h"

namespace strata::plugins {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{256} << 20;
constexpr std::int64_t kMostPixels = 100'000'000;
// Progressive JPEGs have about ten. Each costs time for the whole image, however small it is.
constexpr int kMostScans = 500;

void check_size(const std::string& path, std::int64_t width, std::int64_t height) {
  if (width > kMostPixels / height) {
    throw data_error(
        text(path, " has ", width, " × ", height, " pixels, and the most is ", kMostPixels),
        "make it smaller, or leave it out");
  }
}

// libjpeg ends a failed call by a function that must not return: it jumps back to the method that
// made the call. Between the two are only frames of libjpeg, and the methods' own variables are
// plain, so nothing is left undestroyed.
class JpegReader {
 public:
  explicit JpegReader(const std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}
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
    jpeg_mem_src(&jpeg_, bytes_.data(), bytes_.size());
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

  const std::vector<std::uint8_t>& bytes_;
  jpeg_decompress_struct jpeg_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf back_{};
  bool four_ = false;
  std::vector<std::uint8_t> row_;  // of CMYK
  char message_[JMSG_LENGTH_MAX] = {};
};

RgbImage read_jpeg(const std::string& path, const std::vector<std::uint8_t>& bytes) {
  JpegReader jpeg(bytes);
  if (!jpeg.read_header()) throw data_error(text(path, " is damaged: ", jpeg.message()));
  check_size(path, jpeg.width(), jpeg.height());
  RgbImage image{jpeg.width(), jpeg.height(), {}};
  image.pixels.resize(static_cast<std::size_t>(3 * image.width * image.height));
  if (!jpeg.read_pixels(image.pixels.data()))
    throw data_error(text(path, " is damaged: ", jpeg.message()));
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

RgbImage read_png(const std::string& path, const std::vector<std::uint8_t>& bytes) {
  PngReader reader;
  png_image* png = reader.get();
  if (!png_image_begin_read_from_memory(png, bytes.data(), bytes.size()))
    throw data_error(text(path, " is damaged: ", png->message));
  check_size(path, png->width, png->height);
  png->flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // 16 bits are another precision, not another scale
  png->format = PNG_FORMAT_RGBA;            // with RGB, what is transparent would become black
  RgbImage image{png->width, png->height, {}};
  const auto count = static_cast<std::size_t>(image.width * image.height);
  std::vector<std::uint8_t> rgba(4 * count);
  if (!png_image_finish_read(png, nullptr, rgba.data(), 0, nullptr))
    throw data_error(text(path, " is damaged: ", png->message));
  image.pixels.resize(3 * count);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t c = 0; c < 3; ++c) image.pixels[3 * i + c] = rgba[4 * i + c];
  }
  return image;
}

constexpr std::size_t kSignature = 8;
bool is_png(const std::uint8_t* bytes) {
  return std::memcmp(bytes, "\x89PNG\r\n\x1a\n", kSignature) == 0;
}
bool is_jpeg(const std::uint8_t* bytes) { return std::memcmp(bytes, "\xff\xd8\xff", 3) == 0; }

[[noreturn]] void neither(const std::string& path) {
  throw data_error(text(path, " is neither a PNG nor a JPEG file"),
                   "convert it, or move it elsewhere");
}

}  // namespace

RgbImage read_image(const std::string& path) {
  if (const std::int64_t size = file_size(path, ""); size > kMostBytes) {
    throw data_error(
        text(path, " has ", size, " bytes, and the most that is read is ", kMostBytes));
  }
  const std::vector<std::uint8_t> bytes = read_bytes(path, "");
  if (bytes.size() >= kSignature && is_png(bytes.data())) return read_png(path, bytes);
  if (bytes.size() >= kSignature && is_jpeg(bytes.data())) return read_jpeg(path, bytes);
  neither(path);
}

void check_image_kind(const std::string& path) {
  if (file_size(path, "") == 0) throw data_error(text(path, " is empty"));
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (!file) throw data_error(text(path, " cannot be read: ", std::strerror(errno)));
  std::uint8_t bytes[kSignature] = {};
  if (std::fread(bytes, 1, kSignature, file.get()) != kSignature ||
      (!is_png(bytes) && !is_jpeg(bytes))) {
    neither(path);
  }
}

}  // namespace strata::plugins
