// Picture files for tests, by libpng and libjpeg.
#pragma once

#include <gtest/gtest.h>
#include <png.h>

#include <cstdio>
//
#include <jpeglib.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace strata::test {

// [height, width, channels] pixels as a PNG.
inline void write_png(const std::string& path, std::uint32_t width, std::uint32_t height,
                      std::uint32_t format, const void* pixels) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = width;
  png.height = height;
  png.format = format;
  ASSERT_TRUE(png_image_write_to_file(&png, path.c_str(), 0, pixels, 0, nullptr)) << png.message;
}

inline void write_rgb(const std::string& path, std::uint32_t width, std::uint32_t height,
                      std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  const std::uint8_t color[] = {red, green, blue};
  std::vector<std::uint8_t> pixels(std::size_t{3} * width * height);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = color[i % 3];
  write_png(path, width, height, PNG_FORMAT_RGB, pixels.data());
}

// One colour everywhere, as JPEG with `channels` components.
inline void write_jpeg(const std::string& path, unsigned size,
                       const std::vector<std::uint8_t>& color, J_COLOR_SPACE space) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::FILE* file = std::fopen(path.c_str(), "wb");
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  jpeg_stdio_dest(&jpeg, file);
  jpeg.image_width = jpeg.image_height = size;
  jpeg.input_components = static_cast<int>(color.size());
  jpeg.in_color_space = space;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 100, TRUE);
  jpeg_start_compress(&jpeg, TRUE);
  std::vector<std::uint8_t> row;
  for (unsigned x = 0; x < size; ++x) row.insert(row.end(), color.begin(), color.end());
  for (unsigned y = 0; y < size; ++y) {
    JSAMPROW pointer = row.data();
    jpeg_write_scanlines(&jpeg, &pointer, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  std::fclose(file);
}

}  // namespace strata::test
