// How to write an activation: the function and its slope, once for all precisions; the loops over a
// batch, in place or not, are here.
//
//   class Tanh final : public ElementwiseOfOutput<Tanh> {
//    public:
//     struct Options {};
//     static void describe(Schema<Options>& schema);
//     explicit Tanh(const Options&) {}
//     template <class T> auto value() const { return [](T x) { return std::tanh(x); }; }
//     template <class T> auto slope() const { return [](T y) { return T(1) - y * y; }; }
//   };
//   const LayerRegistration<Tanh> kRegistration{"Tanh"};
//
// ElementwiseOfOutput is for slopes that the output tells: it works in place, and the input need
// not be kept. ElementwiseOfInput is for those that need the input. Both functions are asked for
// once a call, so that what they capture stays in registers. Depends on the standard library alone.
#pragma once

#include "framework/plugin/layer.h"

namespace strata {

namespace plugin_internal {

// `known` is what the slope is a function of.
template <class T, class Slope>
void multiply_by_slope(const BackwardPass<T>& pass, const T* known, const Slope& slope) {
  const T* dy = pass.d_output();
  T* dx = pass.d_input();
  if (!dx) return;
  const bool accumulate = pass.accumulate();
  pass.tiles(pass.input_size(), kElementwiseTile, [&](std::int64_t begin, std::int64_t end) {
    if (accumulate) {
      for (std::int64_t i = begin; i < end; ++i) dx[i] += dy[i] * slope(known[i]);
    } else {
      for (std::int64_t i = begin; i < end; ++i) dx[i] = dy[i] * slope(known[i]);
    }
  });
}

template <class Self>
class Elementwise : public Layer {
 public:
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const T* x = pass.input();
    T* y = pass.output();
    const auto value = self().template value<T>();
    pass.tiles(pass.input_size(), kElementwiseTile, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) y[i] = value(x[i]);
    });
  }

 protected:
  const Self& self() const { return static_cast<const Self&>(*this); }
};

// Counted for each element; an exponential or the like is a few operations.
constexpr double kElementwiseOperations = 4;

}  // namespace plugin_internal

template <class Self>
class ElementwiseOfOutput : public plugin_internal::Elementwise<Self> {
 public:
  Plan infer(const Shape& input) const {
    return Plan().output(input).needs_output().in_place().overwrites().flops(
        plugin_internal::kElementwiseOperations * static_cast<double>(input.elements()));
  }
  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    plugin_internal::multiply_by_slope(pass, pass.output(), this->self().template slope<T>());
  }
};

template <class Self>
class ElementwiseOfInput : public plugin_internal::Elementwise<Self> {
 public:
  Plan infer(const Shape& input) const {
    return Plan().output(input).needs_input().overwrites().flops(
        plugin_internal::kElementwiseOperations * static_cast<double>(input.elements()));
  }
  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    plugin_internal::multiply_by_slope(pass, pass.input(), this->self().template slope<T>());
  }
};

}  // namespace strata
