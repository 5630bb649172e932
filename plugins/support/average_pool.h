// What AveragePool1D and AveragePool2D share: the mean of each window.
#pragma once

#include "plugins/support/window.h"

namespace strata::plugins {

// Padding is left out of the mean, or counts as zeros with `count_padding`.
struct Averages {
  Windows w;
  bool count_padding;

  double flops() const {
    return static_cast<double>(w.channels * w.out_positions() * w.y.size * w.x.size);
  }

  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    each_plane(pass, w.channels, work(), [&](std::int64_t plane) {
      const T* x = pass.input() + plane * w.in_positions();
      T* y = pass.output() + plane * w.out_positions();
      for (std::int64_t row = 0; row < w.y.out; ++row) {
        for (std::int64_t column = 0; column < w.x.out; ++column) {
          T sum = 0;
          for (std::int64_t i = w.y.begin(row); i < w.y.end(row); ++i) {
            for (std::int64_t j = w.x.begin(column); j < w.x.end(column); ++j)
              sum += x[i * w.x.in + j];
          }
          y[row * w.x.out + column] = sum / divisor<T>(row, column);
        }
      }
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    if (!pass.d_input()) return;
    each_plane(pass, w.channels, work(), [&](std::int64_t plane) {
      const T* dy = pass.d_output() + plane * w.out_positions();
      T* dx = begin_plane(pass, plane, w.in_positions());
      for (std::int64_t row = 0; row < w.y.out; ++row) {
        for (std::int64_t column = 0; column < w.x.out; ++column) {
          const T share = dy[row * w.x.out + column] / divisor<T>(row, column);
          for (std::int64_t i = w.y.begin(row); i < w.y.end(row); ++i) {
            for (std::int64_t j = w.x.begin(column); j < w.x.end(column); ++j)
              dx[i * w.x.in + j] += share;
          }
        }
      }
    });
  }

 private:
  template <class T>
  T divisor(std::int64_t row, std::int64_t column) const {
    if (count_padding) return static_cast<T>(w.y.size * w.x.size);
    return static_cast<T>((w.y.end(row) - w.y.begin(row)) * (w.x.end(column) - w.x.begin(column)));
  }
  std::int64_t work() const { return w.in_positions() + w.out_positions() * w.y.size * w.x.size; }
};

template <class Options>
void describe_count_padding(Schema<Options>& schema) {
  schema.option("count_padding", &Options::count_padding)
      .doc("divide by the whole window's size at the edges, too");
  schema.hint_for("count_include_pad", "it is called `count_padding` here");
}

inline void check_count_padding(bool count_padding, const std::string* padding) {
  if (count_padding && padding && *padding == "same")
    throw PluginError("`count_padding` goes with padding in numbers, not with \"same\"");
}

}  // namespace strata::plugins
