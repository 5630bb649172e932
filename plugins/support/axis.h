// What Concat and Split share: axes of a sample, and copying parts along one of them.
#pragma once

#include <algorithm>
#include <string>

#include "framework/plugin/layer.h"

namespace strata::plugins {

template <class Options>
void describe_axis(Schema<Options>& schema) {
  schema.template option<std::int64_t>("axis", &Options::axis)
      .min(-8)
      .max(7)
      .doc("which axis of a sample, from 0; negative ones count from the last");
  schema.hint_for("dim", "it is called `axis` here, and the batch axis is not counted");
}

inline int checked_axis(std::int64_t axis, const Shape& shape, const char* who) {
  const std::int64_t found = axis < 0 ? shape.rank() + axis : axis;
  if (found < 0 || found >= shape.rank()) {
    throw PluginError(text(who, " is to work on axis ", axis, ", and ", shape.text(), " has ",
                           shape.rank() == 1 ? "one axis" : text(shape.rank(), " axes")));
  }
  return static_cast<int>(found);
}

// A sample as rows of values that lie together from the axis on.
struct AxisCut {
  std::int64_t rows, length;
};
inline AxisCut cut(const Shape& shape, std::int64_t axis) {
  const int first = static_cast<int>(axis < 0 ? shape.rank() + axis : axis);
  return {shape.elements(0, first), shape.elements(first, shape.rank())};
}

// The first `count` values of each row of `from` to those of `to`, for all samples.
template <class Pass, class T>
void copy_rows(const Pass& pass, std::int64_t rows_per_sample, const T* from,
               std::int64_t from_stride, T* to, std::int64_t to_stride, std::int64_t count,
               bool accumulate) {
  pass.tiles(pass.batch() * rows_per_sample, std::max<std::int64_t>(1, kElementwiseTile / count),
             [=](std::int64_t first, std::int64_t last) {
               for (std::int64_t row = first; row < last; ++row) {
                 const T* source = from + row * from_stride;
                 T* target = to + row * to_stride;
                 if (accumulate) {
                   for (std::int64_t i = 0; i < count; ++i) target[i] += source[i];
                 } else {
                   std::copy_n(source, count, target);
                 }
               }
             });
}

}  // namespace strata::plugins
