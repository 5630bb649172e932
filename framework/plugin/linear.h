// What Dense and the fusions with it share: y = x · Wᵀ by panels of output units, and its
// gradients. A panel's outputs stay in a core's cache while a fusion does the rest of its work on
// them, and a slice of the weight gradient is handed over as soon as it is known. How work is cut
// depends on shapes alone. Depends on the standard library alone.
#pragma once

#include <algorithm>
#include <cstdint>

#include "framework/plugin/layer.h"
#include "framework/plugin/reduce.h"

namespace strata {

// x: [rows, inputs], weight: [units, inputs], y: [rows, units]
struct Linear {
  static constexpr std::int64_t kRowBlock = 256;
  std::int64_t rows, inputs, units;

  std::int64_t panels() const { return (units + kPanel - 1) / kPanel; }
  std::int64_t first(std::int64_t panel) const { return panel * kPanel; }
  int width(std::int64_t panel) const {
    return static_cast<int>(std::min<std::int64_t>(kPanel, units - first(panel)));
  }
  std::int64_t operations() const { return rows * inputs * units; }
  // Rows of the weight gradient that are made and handed over at once: few where the batch is small
  // and the update takes long beside the product, so that a slice is still in the nearest cache.
  std::int64_t slice() const { return rows <= 128 ? 16 : kPanel; }
  // Elements of space that weight_gradient needs.
  static std::int64_t space(std::int64_t inputs, std::int64_t units) {
    return (units + kPanel - 1) / kPanel * kPanel * inputs;
  }

  // Few panels and many rows are cut both ways: body(panel, first row, part), where part is this for
  // a block of the rows; in parallel.
  template <class Body>
  void blocks(const Services& pass, Body&& body) const {
    const std::int64_t block = panels() >= 4 ? rows : std::min(rows, kRowBlock);
    const std::int64_t count = (rows + block - 1) / block;
    pass.parallel(panels() * count, operations(), [&](std::int64_t task) {
      const std::int64_t begin = task % count * block;
      body(task / count, begin, Linear{std::min(block, rows - begin), inputs, units});
    });
  }

  // out[row · stride + j] = Σ x[row] · weight[first + j], added to what is there where
  // `accumulate`; on the calling thread.
  template <class T>
  void product(const Services& pass, std::int64_t panel, const T* x, const T* weight,
               bool accumulate, T* out, std::int64_t stride) const {
    pass.product(Transpose::kNo, Transpose::kYes, rows, width(panel), inputs, x, inputs,
                 weight + first(panel) * inputs, inputs, accumulate, out, stride);
  }

  // dx[rows, inputs] = dz · weight. Before weight_gradient: that one may change the weights.
  template <class T>
  void input_gradient(const Services& pass, const T* dz, const T* weight, bool accumulate,
                      T* dx) const {
    pass.matmul(Transpose::kNo, Transpose::kNo, rows, inputs, units, dz, units, weight, inputs,
                accumulate, dx, inputs);
  }

  // d_weight[units, inputs] = dzᵀ · x for the units of one panel, handed over slice by slice.
  template <class T>
  void weight_gradient(const BackwardPass<T>& pass, int parameter, std::int64_t panel, const T* dz,
                       const T* x, T* space) const {
    T* mine = space + panel * kPanel * inputs;
    for (std::int64_t row = 0; row < width(panel); row += slice()) {
      const std::int64_t count = std::min(slice(), width(panel) - row);
      const std::int64_t unit = first(panel) + row;
      pass.product(Transpose::kYes, Transpose::kNo, count, inputs, rows, dz + unit, units, x,
                   inputs, /*accumulate=*/false, mine, inputs);
      pass.gradient(parameter, unit * inputs, count * inputs, mine);
    }
  }

  // d_bias[units] = Σ dz over rows, for the units of one panel.
  template <class T>
  void bias_gradient(const BackwardPass<T>& pass, int parameter, std::int64_t panel,
                     const T* dz) const {
    const T* columns = dz + first(panel);
    const std::int64_t stride = units;
    double sums[kPanel] = {};
    add_column_sums<T>(
        rows, width(panel), [=](std::int64_t row, int j) { return columns[row * stride + j]; },
        sums);
    T values[kPanel];
    for (int j = 0; j < width(panel); ++j) values[j] = static_cast<T>(sums[j]);
    pass.gradient(parameter, first(panel), width(panel), values);
  }

  // What weight_gradient and the update behind it take together, for Services::parallel.
  std::int64_t gradient_operations() const { return (rows + 64) * inputs * units; }
};

}  // namespace strata
