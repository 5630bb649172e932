// What Add and Multiply share: several inputs of one shape, combined element by element.
#pragma once

#include <string>
#include <vector>

#include "framework/plugin/layer.h"

namespace strata::plugins {

// Throws unless all inputs have the first one's shape; advice(first, other) may say what mends it.
template <class Advice>
const Shape& common_shape(const char* who, const std::vector<Input>& inputs, const Advice& advice) {
  const Shape& shape = inputs.at(0).shape;
  for (const Input& input : inputs) {
    if (input.shape == shape) continue;
    throw PluginError(text(who, " needs values of one shape: `", inputs[0].name, "` is ",
                           shape.text(), ", and `", input.name, "` is ", input.shape.text()),
                      advice(shape, input.shape));
  }
  return shape;
}

inline double combining_flops(const std::vector<Input>& inputs) {
  return static_cast<double>(inputs.size() - 1) * static_cast<double>(inputs[0].shape.elements());
}

// y = combine(combine(x0, x1), x2) …; y may be x0.
template <class T, class Combine>
void combine_inputs(const ForwardPass<T>& pass, const Combine& combine) {
  const int count = pass.input_count();
  T* y = pass.output();
  pass.tiles(pass.output_size(), kElementwiseTile, [&](std::int64_t begin, std::int64_t end) {
    const T *a = pass.input(0), *b = pass.input(1);
    for (std::int64_t i = begin; i < end; ++i) y[i] = combine(a[i], b[i]);
    for (int k = 2; k < count; ++k) {
      const T* x = pass.input(k);
      for (std::int64_t i = begin; i < end; ++i) y[i] = combine(y[i], x[i]);
    }
  });
}

}  // namespace strata::plugins
