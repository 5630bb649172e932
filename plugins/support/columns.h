// What Conv1D and ConvTranspose2D share: the correlation of an image [channels, height, width] with
// filters, which gives a map [channels, positions], its transpose, and its gradients, one sample at
// a time. What a filter sees of a stretch of positions is gathered as the columns of a matrix; the
// rest are products. Filters are stored [map channels, image channels / groups, height, width], as
// in PyTorch. Sequences are images of height 1.
#pragma once

#include <algorithm>

#include "framework/plugin/layer.h"
#include "framework/plugin/reduce.h"

namespace strata::plugins {

// One axis: position p looks at image points p · stride - before + k · dilation, k in [0, kernel).
struct ColumnAxis {
  std::int64_t image = 1, positions = 1, kernel = 1, stride = 1, dilation = 1, before = 0;

  static constexpr double kMost =
      65536;  // of a kernel, stride …: sizes made of them never overflow

  std::int64_t reach() const { return (kernel - 1) * dilation + 1; }
  std::int64_t point(std::int64_t position, std::int64_t k) const {
    return position * stride - before + k * dilation;
  }
  // Positions [first, last) for which k lies inside the image, within [begin, end).
  std::int64_t first(std::int64_t k, std::int64_t begin, std::int64_t end) const {
    const std::int64_t missing = -point(0, k);
    return std::clamp(missing <= 0 ? 0 : (missing + stride - 1) / stride, begin, end);
  }
  std::int64_t last(std::int64_t k, std::int64_t begin, std::int64_t end) const {
    const std::int64_t room = image - 1 - point(0, k);
    return std::clamp(room < 0 ? 0 : room / stride + 1, begin, end);
  }
};

struct Correlation {
  std::int64_t image_channels, map_channels, groups;
  ColumnAxis y, x;

  // Samples are cut into at most this many slices, each with a buffer of its own.
  static constexpr std::int64_t kSlices = 16;
  static constexpr std::int64_t kGathered = 65536;  // elements of the columns gathered at a time

  std::int64_t filters() const { return map_channels / groups; }
  std::int64_t points() const { return y.kernel * x.kernel; }
  std::int64_t rows() const { return image_channels / groups * points(); }  // of the columns
  std::int64_t positions() const { return y.positions * x.positions; }
  std::int64_t image_size() const { return image_channels * y.image * x.image; }
  std::int64_t map_size() const { return map_channels * positions(); }
  std::int64_t weights() const { return map_channels * rows(); }
  std::int64_t chunk() const {
    return std::clamp<std::int64_t>(kGathered / rows(), 1, positions());
  }
  std::int64_t column_elements() const { return rows() * chunk(); }

  // map = weight · image (added to what is there where `accumulate`)
  template <class T>
  void to_map(const Services& pass, const T* weight, const T* image, bool accumulate, T* columns,
              T* map) const {
    each_chunk([&](std::int64_t group, std::int64_t begin, std::int64_t count) {
      gather(group_of(image, group), begin, count, columns);
      pass.product(Transpose::kNo, Transpose::kNo, filters(), count, rows(),
                   weight + group * filters() * rows(), rows(), static_cast<const T*>(columns),
                   count, accumulate, map + group * filters() * positions() + begin, positions());
    });
  }

  // image += weightᵀ · map
  template <class T>
  void add_to_image(const Services& pass, const T* weight, const T* map, T* columns,
                    T* image) const {
    each_chunk([&](std::int64_t group, std::int64_t begin, std::int64_t count) {
      pass.product(Transpose::kYes, Transpose::kNo, rows(), count, filters(),
                   weight + group * filters() * rows(), rows(),
                   map + group * filters() * positions() + begin, positions(),
                   /*accumulate=*/false, columns, count);
      scatter(columns, begin, count, image + group * (image_size() / groups));
    });
  }

  // d_weight += map · imageᵀ
  template <class T>
  void add_to_weights(const Services& pass, const T* map, const T* image, T* columns,
                      T* d_weight) const {
    each_chunk([&](std::int64_t group, std::int64_t begin, std::int64_t count) {
      gather(group_of(image, group), begin, count, columns);
      pass.product(Transpose::kNo, Transpose::kYes, filters(), rows(), count,
                   map + group * filters() * positions() + begin, positions(),
                   static_cast<const T*>(columns), count, /*accumulate=*/true,
                   d_weight + group * filters() * rows(), rows());
    });
  }

  // body(slice, first sample, end), in parallel. Returns how many slices there are.
  template <class Body>
  static std::int64_t slices(const Services& pass, std::int64_t batch, const Body& body) {
    const std::int64_t count = std::min(batch, kSlices);
    pass.parallel(count, [&](std::int64_t slice) {
      body(slice, slice * batch / count, (slice + 1) * batch / count);
    });
    return count;
  }

  // parameter 0 += the slices' gradients of the weights, one behind the other, in their order.
  template <class T>
  void add_slices(const BackwardPass<T>& pass, const T* parts, std::int64_t slices) const {
    T* d_weight = pass.d_parameter(0);
    const std::int64_t stride = weights();
    pass.tiles(stride, kElementwiseTile, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t slice = 0; slice < slices; ++slice) {
        const T* part = parts + slice * stride;
        for (std::int64_t i = begin; i < end; ++i) d_weight[i] += part[i];
      }
    });
  }

 private:
  template <class T>
  const T* group_of(const T* image, std::int64_t group) const {
    return image + group * (image_size() / groups);
  }

  template <class Body>
  void each_chunk(const Body& body) const {
    for (std::int64_t group = 0; group < groups; ++group) {
      for (std::int64_t begin = 0; begin < positions(); begin += chunk())
        body(group, begin, std::min(chunk(), positions() - begin));
    }
  }

  // body(elements of the columns' row, their number, the image's row, kx, first position) for each
  // filter point and each stretch of positions in one row of the map; the image's row is -1
  // outside.
  template <class Body>
  void each_stretch(std::int64_t begin, std::int64_t count, const Body& body) const {
    std::int64_t row = 0;
    for (std::int64_t c = 0; c < image_channels / groups; ++c) {
      for (std::int64_t ky = 0; ky < y.kernel; ++ky) {
        for (std::int64_t kx = 0; kx < x.kernel; ++kx, ++row) {
          for (std::int64_t p = begin; p < begin + count;) {
            const std::int64_t column = p % x.positions;
            const std::int64_t length = std::min(x.positions - column, begin + count - p);
            const std::int64_t line = y.point(p / x.positions, ky);
            const bool inside = line >= 0 && line < y.image;
            body(row * count + (p - begin), length, inside ? c * y.image + line : -1, kx, column);
            p += length;
          }
        }
      }
    }
  }

  // columns[rows, count]: what positions [begin, begin + count) see of a group; zeros outside.
  template <class T>
  void gather(const T* image, std::int64_t begin, std::int64_t count, T* columns) const {
    each_stretch(begin, count,
                 [&](std::int64_t at, std::int64_t length, std::int64_t line, std::int64_t kx,
                     std::int64_t column) {
                   T* to = columns + at;
                   if (line < 0) {
                     std::fill_n(to, length, T(0));
                     return;
                   }
                   const T* from = image + line * x.image + x.point(0, kx);
                   const std::int64_t end = column + length, first = x.first(kx, column, end),
                                      last = x.last(kx, first, end), stride = x.stride;
                   for (std::int64_t p = column; p < first; ++p) *to++ = T(0);
                   for (std::int64_t p = first; p < last; ++p) *to++ = from[p * stride];
                   for (std::int64_t p = last; p < end; ++p) *to++ = T(0);
                 });
  }

  // image += what the columns hold of it.
  template <class T>
  void scatter(const T* columns, std::int64_t begin, std::int64_t count, T* image) const {
    each_stretch(begin, count,
                 [&](std::int64_t at, std::int64_t length, std::int64_t line, std::int64_t kx,
                     std::int64_t column) {
                   if (line < 0) return;
                   const T* from = columns + at - column;
                   T* to = image + line * x.image + x.point(0, kx);
                   const std::int64_t end = column + length, first = x.first(kx, column, end),
                                      last = x.last(kx, first, end), stride = x.stride;
                   for (std::int64_t p = first; p < last; ++p) to[p * stride] += from[p];
                 });
  }
};

// y[channels, positions] = the bias of each channel, or zeros: one sample.
template <class T>
void fill_with_bias(const T* bias, std::int64_t channels, std::int64_t positions, T* y) {
  for (std::int64_t c = 0; c < channels; ++c)
    std::fill_n(y + c * positions, positions, bias ? bias[c] : T(0));
}

// d_bias[channels] += Σ dy over samples and positions.
template <class T>
void add_bias_gradient(const BackwardPass<T>& pass, std::int64_t channels, T* d_bias) {
  const std::int64_t batch = pass.batch(), positions = pass.output_size() / (batch * channels);
  const T* dy = pass.d_output();
  pass.tiles(
      channels, std::max<std::int64_t>(1, kElementwiseTile / (batch * positions)),
      [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t c = begin; c < end; ++c) {
          double sum = 0;
          for (std::int64_t n = 0; n < batch; ++n) {
            const T* of = dy + (n * channels + c) * positions;
            sum += static_cast<double>(sum_of<T>(positions, [=](std::int64_t i) { return of[i]; }));
          }
          d_bias[c] += static_cast<T>(sum);
        }
      });
}

inline void check_groups(std::int64_t groups, std::int64_t inputs, std::int64_t channels) {
  if (inputs % groups == 0 && channels % groups == 0) return;
  throw PluginError(text("`groups` must divide the input's ", inputs, " channels and the ",
                         channels, " of the output, and is ", groups));
}

}  // namespace strata::plugins
