// Small pictures of samples, as PNG (ISO/IEC 15948).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace strata {

struct Picture {
  std::int64_t width = 0, height = 0;
  int channels = 1;                 // 1: grey, 3: red, green, blue
  std::vector<std::uint8_t> bytes;  // [height, width, channels]
};

std::string encode_png(const Picture& picture);

// What is larger than `most` on a side is shrunk: each pixel is the mean of those it stands for.
Picture shrunk(const Picture& picture, std::int64_t most);

// "data:image/png;base64,…"
std::string png_uri(const Picture& picture);

}  // namespace strata
