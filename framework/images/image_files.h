// PNG and JPEG files as pixels, by libpng and libjpeg-turbo, and finding them in folders.
// Everything that is wrong with one is an ExitCode::kData that names it: neither library's way of
// failing (longjmp) leaves the .cc.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/error.h"

namespace strata {

struct RgbImage {
  std::int64_t width = 0, height = 0;
  std::vector<std::uint8_t> pixels;  // [height, width, 3]
};

// Whether a file that begins with these bytes (8 are enough) says to be a PNG or a JPEG.
bool is_image(std::string_view start);

// A whole file, whose content and not its name says what it is; `name` is for messages.
// Transparency is dropped, 16 bits are rounded to 8, palettes and CMYK become RGB, of an animation
// this is the first picture, and a camera's note on orientation is not heeded. Files of more than
// 256 MiB, and images of more than 100 million pixels, are refused before they are decoded.
Result<RgbImage> decode_image(const std::string& name, std::string_view bytes);
Result<RgbImage> read_image(const std::string& path);

// Whether the name ends as a PNG's or a JPEG's does.
bool is_picture_name(const std::filesystem::path& path);
// An error where the name is that of another kind of image: nobody left one there by accident, and
// it cannot be read.
Status check_not_foreign(const std::string& path);

// What a folder holds, by name; hidden files are left out.
Result<std::vector<std::filesystem::path>> folder_entries(const std::string& folder);
// All files with such names in a folder and those below it, by name. Each begins as an image does;
// links are followed, but not in circles.
Result<std::vector<std::string>> pictures_below(const std::string& folder);

}  // namespace strata
