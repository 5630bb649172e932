// Two-dimensional convolution of one sample, forward and backward, as matrix products without a
// matrix of columns: what Conv2D and its fusions share.
//
// In a copy of the sample with its padding, what a filter's point sees of all output positions is
// one stretch of memory, so a product takes pointers into the copy as its rows (the indirection of
// Dukhan, 2019, arXiv:1907.02129). Positions are counted over the copy's rows; those between two
// rows of the output are thrown away, and the padding at the end of a row is that before the next
// one, so they are few. A stride of s takes s copies, each with every s-th value: in those its
// points are stretches again. The gradient of the input is the same with the output's gradient in
// the copy, for each of the stride's phases with the points that meet it. The gradient of the
// weights sums over positions, with the output's gradient turned so that filters lie side by side.
//
// Where nothing is padded the sample itself takes the place of its copy. Depends on the standard
// library alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "framework/plugin/layer.h"
#include "plugins/support/convolution_shape.h"
#include "plugins/support/every_second.h"
#include "plugins/support/turn.h"

namespace strata::plugins {

// to[i] = value(i) for i in [0, count), in blocks of known size, the last of which may overlap the
// one before.
template <class T, class Value>
inline void in_blocks(std::int64_t count, T* to, const Value& value) {
  constexpr std::int64_t kBlock = 8;
  if (count < kBlock) {
    for (std::int64_t i = 0; i < count; ++i) to[i] = value(i);
    return;
  }
  for (std::int64_t block = 0; block < count; block += kBlock) {
    const std::int64_t begin = std::min(block, count - kBlock);
    T values[kBlock];
    for (std::int64_t i = 0; i < kBlock; ++i) values[i] = value(begin + i);
    std::copy_n(values, kBlock, to + begin);
  }
}

// What one task needs to convolve samples one after the other: space, and pointers into it.
// Weights are [channels, group inputs, height, width].
template <class T>
class ConvolutionSlice {
 public:
  // The first of those who work in `space` writes its padding, which stays.
  ConvolutionSlice(const Services& services, const Convolution& convolution, T* space, bool makes)
      : services_(services),
        c_(convolution),
        makes_(makes),
        source_(space),
        source_back_(source_ + c_.source_elements()),
        result_(source_back_ + c_.source_back_elements(makes)),
        turned_(result_ + c_.result_elements()),
        packed_(turned_ + c_.turned_elements()),
        pointers_(reinterpret_cast<const T**>(packed_ + Convolution::kPacked)) {}

  void begin_forward() const { std::fill_n(source_, c_.source_elements(), T(0)); }
  void begin_backward() const {
    begin_forward();
    std::fill_n(source_back_, c_.source_back_elements(makes_), T(0));
    std::fill_n(turned_, c_.turned_elements(), T(0));
  }

  // The gradient of a sample's output: channels, and the lines of one, so far apart.
  template <class Value>
  struct OutputGradient {
    Value* values;
    std::int64_t channel, line;
    bool padded;
  };
  OutputGradient<const T> output_gradient(const T* dy) const {
    return {dy, c_.positions(), c_.x.out, c_.as_it_is_back()};
  }
  // Space for one, where it is made: in its padded copy, if that has all of it.
  OutputGradient<T> made_output_gradient() const {
    if (c_.whole_back()) return {source_back_ + before(), c_.plane_back(), c_.pitch_back, true};
    T* behind = source_back_ + c_.source_back_elements(false);
    return {behind, c_.positions(), c_.x.out, c_.as_it_is_back()};
  }

  // y[channels, positions] = finish(channel)(convolution of x[inputs, height, width])
  template <class Finish>
  void forward(const T* x, const T* weight, T* y, const Finish& finish) const {
    const std::int64_t filters = c_.filters();
    for (std::int64_t group = 0; group < c_.groups; ++group, y += filters * c_.positions()) {
      point(source_of(x + group * c_.group_inputs() * c_.in_positions()));
      const Result result = product(filters, c_.rows(), weight + group * filters * c_.rows(),
                                    {c_.y.out, c_.x.out, c_.pitch}, y, /*accumulate=*/false);
      for (std::int64_t f = 0; f < filters; ++f) {
        const auto function = finish(group * filters + f);
        T* to = y + f * c_.positions();
        if (result.values == y) {
          for (std::int64_t i = 0; i < c_.positions(); ++i) to[i] = function(to[i]);
          continue;
        }
        const T* from = result.values + f * result.row;
        for (std::int64_t line = 0; line < c_.y.out; ++line)
          in_blocks(
              c_.x.out, to + line * c_.x.out,
              [&, in = from + line * result.line](std::int64_t i) { return function(in[i]); });
      }
    }
  }

  // Adds to d_weight, [groups, rows, filters].
  template <class Value>
  void weight_gradient(const T* x, const OutputGradient<Value>& dy, T* d_weight) const {
    const std::int64_t filters = c_.filters(), rows = c_.rows();
    for (std::int64_t group = 0; group < c_.groups; ++group) {
      for (std::int64_t line = 0; line < c_.y.out; ++line) {
        turn<T>(dy.values + group * filters * dy.channel + line * dy.line, dy.channel, filters,
                c_.x.out, turned_ + line * c_.pitch * filters, filters);
      }
      point(source_of(x + group * c_.group_inputs() * c_.in_positions()));
      services_.product_rows_of_a(rows, filters, c_.wide(), pointers_,
                                  static_cast<const T*>(turned_), filters, /*accumulate=*/true,
                                  d_weight + group * rows * filters, filters);
    }
  }

  // dx[inputs, height, width], added to where `accumulate`; `weight` as turn_weights leaves it.
  template <class Value>
  void input_gradient(const OutputGradient<Value>& dy, const T* weight, bool accumulate,
                      T* dx) const {
    for (std::int64_t group = 0; group < c_.groups; ++group) {
      const T* of = dy.values + group * c_.filters() * dy.channel;
      const T* source = dy.padded ? of - before() : source_back_;
      if (!dy.padded)
        pad(of, c_.filters(), c_.y.line_back(), c_.x.line_back(), c_.pitch_back, source_back_);
      T* to = dx + group * c_.group_inputs() * c_.in_positions();
      each_phase(c_, [&](std::int64_t phase_y, std::int64_t phase_x, std::int64_t taps) {
        phase_gradient(source, weight, phase_y, phase_x, taps * c_.filters(), accumulate, to);
        weight += c_.group_inputs() * c_.filters() * taps;
      });
    }
  }

  // For each group and phase: [group inputs, filters, points that meet the phase].
  static void turn_weights(const Convolution& c, const T* weight, T* to) {
    for (std::int64_t group = 0; group < c.groups; ++group, weight += c.filters() * c.rows()) {
      each_phase(c, [&](std::int64_t phase_y, std::int64_t phase_x, std::int64_t) {
        for (std::int64_t i = 0; i < c.group_inputs(); ++i) {
          for (std::int64_t f = 0; f < c.filters(); ++f) {
            each_point(c, phase_y, phase_x, [&](std::int64_t ky, std::int64_t kx) {
              *to++ = weight[(f * c.group_inputs() + i) * c.points() + ky * c.x.kernel + kx];
            });
          }
        }
      });
    }
  }

 private:
  // The points that meet a phase of the input.
  template <class Body>
  static void each_point(const Convolution& c, std::int64_t phase_y, std::int64_t phase_x,
                         const Body& body) {
    for (std::int64_t ky = 0; ky < c.y.kernel; ++ky) {
      if (c.y.phase(ky) != phase_y) continue;
      for (std::int64_t kx = 0; kx < c.x.kernel; ++kx) {
        if (c.x.phase(kx) == phase_x) body(ky, kx);
      }
    }
  }
  // body(vertical phase, horizontal phase, points that meet them) for those that inputs have.
  template <class Body>
  static void each_phase(const Convolution& c, const Body& body) {
    for (std::int64_t phase_y = 0; phase_y < std::min(c.y.stride, c.y.in); ++phase_y) {
      for (std::int64_t phase_x = 0; phase_x < std::min(c.x.stride, c.x.in); ++phase_x) {
        std::int64_t taps = 0;
        each_point(c, phase_y, phase_x, [&](std::int64_t, std::int64_t) { ++taps; });
        body(phase_y, phase_x, taps);
      }
    }
  }

  // Of the padding before the first value of the output's gradient.
  std::int64_t before() const {
    return c_.y.line_back().first() * c_.pitch_back + c_.x.line_back().first();
  }

  // The values of padded planes, to[plane, row, column] = from[plane, …], rows `pitch` apart.
  static void pad(const T* from, std::int64_t planes, const PaddedLine& y, const PaddedLine& x,
                  std::int64_t pitch, T* to) {
    const std::int64_t left = x.first(), count = x.last() - left;
    const std::int64_t top = y.first(), rows = y.last() - top;
    if (count == 0 || rows == 0) return;
    from += (top * y.step + y.start) * x.size + left * x.step + x.start;
    to += top * pitch + left;
    const auto each_row = [&](const auto& copy) {
      for (std::int64_t plane = 0; plane < planes; ++plane) {
        for (std::int64_t row = 0; row < rows; ++row)
          copy(from + row * y.step * x.size, to + row * pitch);
        from += y.size * x.size;
        to += (y.length - 1) * pitch + x.length;
      }
    };
    if (x.step == 1) {
      each_row([=](const T* in, T* out) {
        in_blocks(count, out, [=](std::int64_t i) { return in[i]; });
      });
    } else if (x.step == 2) {
      each_row([=](const T* in, T* out) { EverySecond<T>::take(in, count, out); });
    } else {
      each_row([=, step = x.step](const T* in, T* out) {
        for (std::int64_t i = 0; i < count; ++i) out[i] = in[i * step];
      });
    }
  }

  // A group's inputs as pointers look at them: [copies, inputs] padded planes.
  const T* source_of(const T* x) const {
    if (c_.as_it_is()) return x;
    T* to = source_;
    for (std::int64_t copy_y = 0; copy_y < c_.y.copies(); ++copy_y) {
      for (std::int64_t copy_x = 0; copy_x < c_.x.copies(); ++copy_x) {
        pad(x, c_.group_inputs(), c_.y.line(copy_y), c_.x.line(copy_x), c_.pitch, to);
        to += c_.group_inputs() * c_.plane();
      }
    }
    return source_;
  }

  // Pointers to what each point of the filters sees, in the order of their weights.
  void point(const T* source) const {
    const std::int64_t plane = c_.plane(), inputs = c_.group_inputs();
    for (std::int64_t ky = 0, k = 0; ky < c_.y.kernel; ++ky) {
      for (std::int64_t kx = 0; kx < c_.x.kernel; ++kx, ++k) {
        const std::int64_t copy = c_.y.copy_of(ky) * c_.x.copies() + c_.x.copy_of(kx);
        const T* at = source + copy * inputs * plane +
                      (c_.y.shift(ky) - c_.y.least_shift()) * c_.pitch + c_.x.shift(kx) -
                      c_.x.least_shift();
        for (std::int64_t i = 0; i < inputs; ++i) pointers_[i * c_.points() + k] = at + i * plane;
      }
    }
  }

  // Positions as a product counts them: lines of `width`, `pitch` apart.
  struct Lines {
    std::int64_t height, width, pitch;
    std::int64_t positions() const { return height * width; }
    // Short lines are mostly gaps: their columns are copied side by side instead.
    bool packed(std::int64_t m) const {
      return width == kPackedWidth && pitch > width && positions() <= kMostPacked && m >= 16;
    }
    // Lines that fill registers are computed one by one, where they belong and without the gaps, if
    // that leaves enough sums side by side.
    bool one_by_one(std::int64_t m) const {
      return pitch > width && width % kLineStep == 0 && width <= 2 * kLineStep &&
             m * width >= 4 * kLineStep;
    }
  };
  // Where a product is: from one row to the next, and from one line of a row to the next.
  struct Result {
    T* values;
    std::int64_t row, line;
  };

  // weight[m, rows] · the columns that pointers_ show; in `to`, [m, positions], where it is not
  // null and no gaps are between lines. Only there something may be added to. Moves pointers_.
  Result product(std::int64_t m, std::int64_t rows, const T* weight, const Lines& lines, T* to,
                 bool accumulate) const {
    const std::int64_t positions = lines.positions();
    if (lines.packed(m)) {
      T* out = to ? to : result_;
      const std::int64_t step = kPacked / positions;
      for (std::int64_t first = 0; first < rows; first += step) {
        const std::int64_t count = std::min(step, rows - first);
        pack(pointers_ + first, count, lines);
        services_.product(Transpose::kNo, Transpose::kNo, m, positions, count, weight + first, rows,
                          static_cast<const T*>(packed_), positions,
                          first > 0 || (to && accumulate), out, positions);
      }
      return {out, positions, lines.width};
    }
    if (lines.one_by_one(m)) {
      T* out = to ? to : result_;
      for (std::int64_t line = 0; line < lines.height; ++line) {
        services_.product_rows_of_b(m, lines.width, rows, weight, rows, pointers_, to && accumulate,
                                    out + line * lines.width, positions);
        for (std::int64_t i = 0; i < rows; ++i) pointers_[i] += lines.pitch;
      }
      return {out, positions, lines.width};
    }
    const std::int64_t wide = (lines.height - 1) * lines.pitch + lines.width;
    const bool direct = to && lines.pitch == lines.width;
    const Result result{direct ? to : result_, direct ? positions : Convolution::aligned(wide),
                        lines.pitch};
    services_.product_rows_of_b(m, wide, rows, weight, rows, pointers_, direct && accumulate,
                                result.values, result.row);
    return result;
  }

  void pack(const T* const* rows, std::int64_t count, const Lines& lines) const {
    T* to = packed_;
    for (std::int64_t i = 0; i < count; ++i) {
      const T* from = rows[i];
      for (std::int64_t line = 0; line < lines.height; ++line, from += lines.pitch)
        to = std::copy_n(from, kPackedWidth, to);
    }
  }

  // dx at the inputs of one phase = weight[group inputs, rows] · columns of the padded gradient
  void phase_gradient(const T* source, const T* weight, std::int64_t phase_y, std::int64_t phase_x,
                      std::int64_t rows, bool accumulate, T* dx) const {
    if (rows == 0) {
      if (!accumulate) clear_phase(phase_y, phase_x, dx);
      return;
    }
    const std::int64_t plane = c_.plane_back(), taps = rows / c_.filters();
    std::int64_t k = 0;
    each_point(c_, phase_y, phase_x, [&](std::int64_t ky, std::int64_t kx) {
      const T* at = source + (c_.y.most_shift() - c_.y.shift(ky)) * c_.pitch_back +
                    c_.x.most_shift() - c_.x.shift(kx);
      for (std::int64_t f = 0; f < c_.filters(); ++f) pointers_[f * taps + k] = at + f * plane;
      ++k;
    });
    const std::int64_t height = c_.y.in_of(phase_y), width = c_.x.in_of(phase_x);
    const bool whole = c_.y.stride == 1 && c_.x.stride == 1;
    const Result result = product(c_.group_inputs(), rows, weight, {height, width, c_.pitch_back},
                                  whole ? dx : nullptr, accumulate);
    if (result.values == dx) return;
    const std::int64_t step = c_.x.stride;
    for (std::int64_t i = 0; i < c_.group_inputs(); ++i) {
      for (std::int64_t line = 0; line < height; ++line) {
        const T* from = result.values + i * result.row + line * result.line;
        T* to = dx + (i * c_.y.in + phase_y + line * c_.y.stride) * c_.x.in;
        if (step == 2) {
          EverySecond<T>::put(from, phase_x, c_.x.in, accumulate, to);
        } else if (accumulate) {
          for (std::int64_t j = 0; j < width; ++j) to[phase_x + j * step] += from[j];
        } else {
          for (std::int64_t j = 0; j < width; ++j) to[phase_x + j * step] = from[j];
        }
      }
    }
  }

  // No point meets it.
  void clear_phase(std::int64_t phase_y, std::int64_t phase_x, T* dx) const {
    for (std::int64_t i = 0; i < c_.group_inputs(); ++i, dx += c_.in_positions()) {
      for (std::int64_t y = phase_y; y < c_.y.in; y += c_.y.stride) {
        for (std::int64_t x = phase_x; x < c_.x.in; x += c_.x.stride) dx[y * c_.x.in + x] = T(0);
      }
    }
  }

  static constexpr std::int64_t kPacked = Convolution::kPacked;
  static constexpr std::int64_t kPackedWidth = 8, kMostPacked = 128;
  static constexpr std::int64_t kLineStep = 32;

  const Services& services_;
  const Convolution& c_;
  const bool makes_;
  T *source_, *source_back_, *result_, *turned_, *packed_;
  const T** pointers_;
};

}  // namespace strata::plugins
