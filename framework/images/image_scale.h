// Images in another size: a triangle filter over all pixels that an output covers (bilinear with
// antialiasing, as Pillow and torchvision have it); and as planes.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/images/image_files.h"

namespace strata {

// One axis: which inputs an output is made of, and how much of each.
struct ScaledAxis {
  struct Taps {
    std::int64_t first = 0;
    std::vector<float> weights;  // with sum 1
  };
  std::vector<Taps> outputs;

  // Outputs cover `length` inputs from `begin` on.
  ScaledAxis(std::int64_t begin, std::int64_t length, std::int64_t in, std::int64_t out) {
    const double scale = static_cast<double>(length) / static_cast<double>(out);
    const double reach = std::max(1.0, scale);
    for (std::int64_t o = 0; o < out; ++o) {
      const double center = static_cast<double>(begin) + (static_cast<double>(o) + 0.5) * scale;
      Taps taps;
      taps.first = std::max<std::int64_t>(0, static_cast<std::int64_t>(center - reach + 0.5));
      const auto end = std::min(in, static_cast<std::int64_t>(center + reach + 0.5));
      double sum = 0;
      for (std::int64_t i = taps.first; i < end; ++i) {
        const double distance = std::abs(static_cast<double>(i) + 0.5 - center) / reach;
        taps.weights.push_back(static_cast<float>(std::max(0.0, 1 - distance)));
        sum += taps.weights.back();
      }
      for (float& weight : taps.weights) weight = static_cast<float>(weight / sum);
      outputs.push_back(std::move(taps));
    }
  }
};

// With `crop` the largest part in the middle that has the new proportions, else all of it.
inline RgbImage scaled(const RgbImage& image, std::int64_t height, std::int64_t width, bool crop) {
  if (image.height == height && image.width == width) return image;
  std::int64_t rows = image.height, columns = image.width;
  if (crop) {
    rows = std::clamp<std::int64_t>(image.width * height / width, 1, image.height);
    columns = std::clamp<std::int64_t>(image.height * width / height, 1, image.width);
  }
  const ScaledAxis x((image.width - columns) / 2, columns, image.width, width);
  const ScaledAxis y((image.height - rows) / 2, rows, image.height, height);
  std::vector<float> narrow(static_cast<std::size_t>(image.height * width * 3), 0.0f);
  for (std::int64_t row = 0; row < image.height; ++row) {
    for (std::int64_t column = 0; column < width; ++column) {
      const ScaledAxis::Taps& taps = x.outputs[static_cast<std::size_t>(column)];
      const std::uint8_t* in = image.pixels.data() + (row * image.width + taps.first) * 3;
      float* out = narrow.data() + (row * width + column) * 3;
      for (const float weight : taps.weights) {
        for (int c = 0; c < 3; ++c) out[c] += weight * static_cast<float>(*in++);
      }
    }
  }
  RgbImage result{width, height, {}};
  result.pixels.resize(static_cast<std::size_t>(height * width * 3));
  std::vector<float> sums(static_cast<std::size_t>(width * 3));
  for (std::int64_t row = 0; row < height; ++row) {
    const ScaledAxis::Taps& taps = y.outputs[static_cast<std::size_t>(row)];
    std::fill(sums.begin(), sums.end(), 0.5f);  // to round
    for (std::size_t k = 0; k < taps.weights.size(); ++k) {
      const float* in = narrow.data() + (taps.first + static_cast<std::int64_t>(k)) * width * 3;
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += taps.weights[k] * in[i];
    }
    std::uint8_t* out = result.pixels.data() + row * width * 3;
    for (std::size_t i = 0; i < sums.size(); ++i)
      out[i] = static_cast<std::uint8_t>(std::clamp(sums[i], 0.0f, 255.0f));
  }
  return result;
}

// out: [channels, height, width], red, green and blue, or, with one channel, their brightness
// (ITU-R BT.601).
inline void write_planes(const RgbImage& image, std::int64_t channels, std::uint8_t* out) {
  const std::int64_t positions = image.height * image.width;
  const std::uint8_t* in = image.pixels.data();
  for (std::int64_t i = 0; i < positions; ++i, in += 3) {
    if (channels == 3) {
      for (std::int64_t c = 0; c < 3; ++c) out[c * positions + i] = in[c];
    } else {  // of sums of 65536, so that grey stays what it is
      out[i] =
          static_cast<std::uint8_t>((19595 * in[0] + 38470 * in[1] + 7471 * in[2] + 32768) >> 16);
    }
  }
}

}  // namespace strata
