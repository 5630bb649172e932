// The sizes of a two-dimensional convolution: what its filters look at, and how padded copies of a
// sample are laid out (see convolution.h). Depends on the standard library alone.
#pragma once

#include <algorithm>
#include <cstdint>

namespace strata::plugins {

inline std::int64_t floor_quotient(std::int64_t a, std::int64_t b) {
  return a >= 0 ? a / b : -((b - 1 - a) / b);
}

// Elements i of a padded line: value i · step + start of `size` ones, zeros outside.
struct PaddedLine {
  std::int64_t length, size, step, start;
  // The values are elements [first(), last()).
  std::int64_t first() const {
    return start >= 0 ? 0 : std::min(length, (step - 1 - start) / step);
  }
  std::int64_t last() const {
    const std::int64_t room = size - 1 - start;
    return room < 0 ? first() : std::clamp(room / step + 1, first(), length);
  }
};

// One axis: output o looks at input o · stride + q for the filter's points, q = k · dilation -
// before, that is, at value o + shift of those that are phase + multiples of the stride.
struct ConvolutionAxis {
  std::int64_t in, out, kernel, stride, dilation, before;

  // Sets `out`, and for "same" `before`. False where the filter does not fit.
  void pad_same() {
    out = (in + stride - 1) / stride;
    before = std::max<std::int64_t>(0, (out - 1) * stride + reach() - in) / 2;
  }
  bool pad_both_sides() {
    out = (in + 2 * before - reach()) / stride + 1;
    return in + 2 * before >= reach();
  }

  std::int64_t offset(std::int64_t k) const { return k * dilation - before; }
  std::int64_t shift(std::int64_t k) const { return floor_quotient(offset(k), stride); }
  std::int64_t phase(std::int64_t k) const { return offset(k) - shift(k) * stride; }
  std::int64_t least_shift() const { return shift(0); }
  std::int64_t most_shift() const { return shift(kernel - 1); }
  std::int64_t reach() const { return (kernel - 1) * dilation + 1; }  // of the filter, in inputs

  // Phases that points meet: where there are few points, not all of them.
  std::int64_t copies() const { return std::min(kernel, stride); }
  std::int64_t copy_of(std::int64_t k) const { return kernel <= stride ? k : phase(k); }
  PaddedLine line(std::int64_t copy) const {
    const std::int64_t of = kernel <= stride ? phase(copy) : copy;
    return {out + most_shift() - least_shift(), in, stride, of + least_shift() * stride};
  }
  // Inputs of a phase, and the output's gradient as they see it.
  std::int64_t in_of(std::int64_t of) const { return of < in ? (in - 1 - of) / stride + 1 : 0; }
  PaddedLine line_back() const {
    return {in_of(0) + most_shift() - least_shift(), out, 1, -most_shift()};
  }

  // From one row of a padded plane to the next.
  std::int64_t pitch() const {
    std::int64_t shared = line(0).length;
    for (std::int64_t copy = 0; copy < copies(); ++copy)
      shared = std::min(shared, spare(line(copy)));
    return std::max(out, line(0).length - shared);
  }
  std::int64_t pitch_back() const {
    return std::max(in_of(0), line_back().length - spare(line_back()));
  }

 private:
  static std::int64_t spare(const PaddedLine& line) {
    return std::min(line.first(), line.length - line.last());
  }
};

struct Convolution {
  std::int64_t inputs, channels, groups;
  ConvolutionAxis y, x;
  std::int64_t pitch, pitch_back;  // from one row of a padded plane to the next

  Convolution(std::int64_t of_inputs, std::int64_t of_channels, std::int64_t of_groups,
              const ConvolutionAxis& vertical, const ConvolutionAxis& horizontal)
      : inputs(of_inputs),
        channels(of_channels),
        groups(of_groups),
        y(vertical),
        x(horizontal),
        pitch(x.pitch()),
        pitch_back(x.pitch_back()) {}

  std::int64_t group_inputs() const { return inputs / groups; }
  std::int64_t filters() const { return channels / groups; }  // of a group
  std::int64_t points() const { return y.kernel * x.kernel; }
  std::int64_t rows() const { return group_inputs() * points(); }  // of a group's columns
  std::int64_t weights() const { return channels * rows(); }
  std::int64_t positions() const { return y.out * x.out; }
  std::int64_t in_positions() const { return y.in * x.in; }
  std::int64_t in_elements() const { return inputs * in_positions(); }
  std::int64_t outputs() const { return channels * positions(); }

  // Positions as they are counted, up to the last one.
  std::int64_t wide() const { return (y.out - 1) * pitch + x.out; }
  std::int64_t wide_back() const { return (y.in_of(0) - 1) * pitch_back + x.in_of(0); }
  // Elements of a padded plane.
  std::int64_t plane() const { return (y.line(0).length - 1) * pitch + x.line(0).length; }
  std::int64_t plane_back() const {
    return (y.line_back().length - 1) * pitch_back + x.line_back().length;
  }
  // Whether the padded copy of the output's gradient has all of it: else inputs see only some.
  bool whole_back() const {
    return y.line_back().last() - y.line_back().first() == y.out &&
           x.line_back().last() - x.line_back().first() == x.out;
  }
  // Whether a sample is its own padded copy.
  bool as_it_is() const {
    return y.stride == 1 && x.stride == 1 && x.line(0).start == 0 && y.line(0).start == 0 &&
           x.line(0).length == x.in && y.line(0).length == y.in && pitch == x.in;
  }
  bool as_it_is_back() const {
    return y.line_back().start == 0 && x.line_back().start == 0 && x.line_back().length == x.out &&
           y.line_back().length == y.out && pitch_back == x.out;
  }

  double flops() const {
    return 2.0 * static_cast<double>(outputs()) * static_cast<double>(rows());
  }

  // What a Slice works in; in one that `makes` the output's gradient there is space for it.
  std::int64_t slice_elements(bool makes) const {
    return source_elements() + source_back_elements(makes) + result_elements() + turned_elements() +
           kPacked + pointer_elements();
  }
  std::int64_t source_elements() const {
    return as_it_is() ? 0 : aligned(group_inputs() * y.copies() * x.copies() * plane());
  }
  std::int64_t source_back_elements(bool makes) const {
    if (makes && whole_back()) return aligned(channels * plane_back());
    return (as_it_is_back() ? 0 : aligned(filters() * plane_back())) +
           (makes ? aligned(outputs()) : 0);
  }
  std::int64_t result_elements() const {
    return std::max(filters() * aligned(wide()), group_inputs() * aligned(wide_back()));
  }
  std::int64_t turned_elements() const { return aligned(wide() * filters()); }
  std::int64_t pointer_elements() const {
    return aligned(2 * std::max(group_inputs(), filters()) * points());
  }
  // Columns that are copied side by side at a time, in a core's first cache.
  static constexpr std::int64_t kPacked = 8192;
  static std::int64_t aligned(std::int64_t elements) { return (elements + 15) / 16 * 16; }
};

}  // namespace strata::plugins
