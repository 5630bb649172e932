// PNG and JPEG files as pixels, by libpng and libjpeg-turbo. Everything that is wrong with a file
// is thrown as a data_error that names it: neither library's way of failing (longjmp) leaves the
// .cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace strata::plugins {

struct RgbImage {
  std::int64_t width = 0, height = 0;
  std::vector<std::uint8_t> pixels;  // [height, width, 3]
};

// The whole file, which its content and not its name says to be a PNG or a JPEG. Transparency is
// dropped, 16 bits are rounded to 8, palettes and CMYK become RGB, of an animation this is the
// first picture, and a camera's note on orientation is not heeded. Files of more than 256 MiB, and
// images of more than 100 million pixels, are refused before they are decoded.
RgbImage read_image(const std::string& path);

// Whether the file begins as one of the two does. Throws where it cannot be read.
void check_image_kind(const std::string& path);

}  // namespace strata::plugins
