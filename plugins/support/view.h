// What layers share that only give a sample another shape: the values stay as they are.
#pragma once

#include <algorithm>

#include "framework/plugin/layer.h"

namespace strata::plugins {

class ViewLayer : public Layer {
 public:
  // A host that heeds view() never calls these.
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const T* x = pass.input();
    T* y = pass.output();
    if (x == y) return;
    pass.tiles(pass.input_size(), kElementwiseTile, [&](std::int64_t begin, std::int64_t end) {
      std::copy(x + begin, x + end, y + begin);
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const T* dy = pass.d_output();
    T* dx = pass.d_input();
    if (!dx || dx == dy) return;
    const bool accumulate = pass.accumulate();
    pass.tiles(pass.input_size(), kElementwiseTile, [&](std::int64_t begin, std::int64_t end) {
      if (!accumulate) {
        std::copy(dy + begin, dy + end, dx + begin);
      } else {
        for (std::int64_t i = begin; i < end; ++i) dx[i] += dy[i];
      }
    });
  }

 protected:
  static Plan view_of(const Shape& output) {
    return Plan().output(output).view().in_place().overwrites();
  }
};

}  // namespace strata::plugins
