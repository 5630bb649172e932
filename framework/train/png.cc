// Chunks, each with its length and checksum, around deflated rows.
#include "framework/train/png.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>

namespace strata {
namespace {

void put_number(std::string& out, std::uint64_t value) {  // four bytes, the highest first
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
}

std::string chunk(const std::string& kind, const std::string& data) {
  const std::string body = kind + data;
  std::string out;
  put_number(out, data.size());
  out += body;
  put_number(out, crc32_z(0, reinterpret_cast<const Bytef*>(body.data()), body.size()));
  return out;
}

}  // namespace

std::string encode_png(const Picture& picture) {
  std::string header;
  put_number(header, static_cast<std::uint64_t>(picture.width));
  put_number(header, static_cast<std::uint64_t>(picture.height));
  header += {8, static_cast<char>(picture.channels == 3 ? 2 : 0), 0, 0, 0};
  const auto row = static_cast<std::size_t>(picture.width * picture.channels);
  std::string rows;
  for (std::size_t y = 0; y < static_cast<std::size_t>(picture.height); ++y) {
    rows += '\0';  // no filter
    rows.append(reinterpret_cast<const char*>(picture.bytes.data()) + y * row, row);
  }
  uLongf size = compressBound(rows.size());
  std::string packed(size, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
            reinterpret_cast<const Bytef*>(rows.data()), rows.size(), Z_BEST_COMPRESSION);
  packed.resize(size);
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + chunk("IDAT", packed) + chunk("IEND", "");
}

Picture shrunk(const Picture& picture, std::int64_t most) {
  const std::int64_t longest = std::max(picture.width, picture.height);
  if (longest <= most) return picture;
  const std::int64_t factor = (longest + most - 1) / most;
  Picture small{std::max<std::int64_t>(1, picture.width / factor),
                std::max<std::int64_t>(1, picture.height / factor),
                picture.channels,
                {}};
  for (std::int64_t y = 0; y < small.height; ++y)
    for (std::int64_t x = 0; x < small.width; ++x)
      for (int c = 0; c < picture.channels; ++c) {
        std::int64_t sum = 0, count = 0;
        for (std::int64_t v = y * factor; v < std::min((y + 1) * factor, picture.height); ++v)
          for (std::int64_t u = x * factor; u < std::min((x + 1) * factor, picture.width); ++u) {
            const std::int64_t at = (v * picture.width + u) * picture.channels + c;
            sum += picture.bytes[static_cast<std::size_t>(at)], ++count;
          }
        small.bytes.push_back(static_cast<std::uint8_t>(sum / std::max<std::int64_t>(count, 1)));
      }
  return small;
}

std::string png_uri(const Picture& picture) {
  const std::string bytes = encode_png(picture);
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return "data:image/png;base64," + text;
}

}  // namespace strata
