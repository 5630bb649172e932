// What Softmax and LogSoftmax share: work on the rows of the last axis.
#pragma once

#include <algorithm>

#include "framework/plugin/layer.h"

namespace strata::plugins {

template <class Options>
void hint_last_axis(Schema<Options>& schema) {
  schema.hint_for("axis", "it works on the last axis").hint_for("dim", "it works on the last axis");
}

inline void check_last_axis(const char* who, const Shape& input) {
  if (input.rank() > 0) return;
  throw PluginError(text(who, " needs at least one axis, and the input is a single number ([])"));
}

// body(begin, n) for each row: elements [begin, begin + n).
template <class T, class Body>
void each_last_axis(const LayerPass<T>& pass, const Body& body) {
  const std::int64_t n = pass.input_shape()[-1], count = pass.input_size() / n;
  pass.tiles(count, std::max<std::int64_t>(1, kElementwiseTile / (8 * n)),
             [&](std::int64_t first, std::int64_t last) {
               for (std::int64_t row = first; row < last; ++row) body(row * n, n);
             });
}

}  // namespace strata::plugins
