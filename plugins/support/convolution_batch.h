// A convolution of a batch: its samples cut into slices, and the gradients of the weights summed
// over them. Depends on the standard library alone.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <type_traits>

#include "plugins/support/convolution.h"

namespace strata::plugins {

// A batch is cut into at most this many slices, each with a Slice's space of its own.
constexpr std::int64_t kConvolutionSlices = 16;

inline std::int64_t convolution_slice_count(std::int64_t batch) {
  return std::min(batch, kConvolutionSlices);
}

// Spaces for slices: each takes the first that is free, so that there are as many in use as threads
// at work, and those stay in their caches. What is computed does not depend on which it is.
class ConvolutionSpaces {
 public:
  class Use {
   public:
    explicit Use(ConvolutionSpaces& spaces) : spaces_(spaces) {
      std::uint32_t free = spaces_.free_.load(std::memory_order_relaxed);
      do {
        number_ = std::countr_zero(free);
      } while (
          !spaces_.free_.compare_exchange_weak(free, free & ~bit(), std::memory_order_acquire));
    }
    ~Use() {
      spaces_.used_[number_] = true;
      spaces_.free_.fetch_or(bit(), std::memory_order_release);
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    int number() const { return number_; }
    bool is_first() const { return !spaces_.used_[number_]; }

   private:
    std::uint32_t bit() const { return std::uint32_t{1} << number_; }
    ConvolutionSpaces& spaces_;
    int number_ = 0;
  };

 private:
  static_assert(kConvolutionSlices < 32);
  std::atomic<std::uint32_t> free_ = (std::uint32_t{1} << kConvolutionSlices) - 1;
  bool used_[kConvolutionSlices] = {};  // each for who has its space
};

// body(slice, its number, sample) for each sample, in parallel; scratch 0 holds
// kConvolutionSlices · slice_elements(makes), where slices that `make` the output's gradient have
// space for it.
template <class T, template <class> class Pass, class Body>
void convolution_slices(const Pass<T>& pass, const Convolution& c, bool makes, const Body& body) {
  const std::int64_t batch = pass.batch(), count = convolution_slice_count(batch);
  ConvolutionSpaces spaces;
  pass.parallel(count, batch * c.outputs() * c.rows(), [&](std::int64_t number) {
    const ConvolutionSpaces::Use use(spaces);
    const ConvolutionSlice<T> slice(
        pass, c, pass.scratch(0) + use.number() * c.slice_elements(makes), makes);
    if (use.is_first()) {
      if constexpr (std::is_same_v<Pass<T>, BackwardPass<T>>) {
        slice.begin_backward();
      } else {
        slice.begin_forward();
      }
    }
    for (std::int64_t n = number * batch / count; n < (number + 1) * batch / count; ++n)
      body(slice, number, n);
  });
}

// The gradients of a convolution whose weights are parameter 0 and whose input is the pass's.
template <class T>
class ConvolutionGradients {
 public:
  // `parts`: kConvolutionSlices · weights() elements; `turned`: weights().
  ConvolutionGradients(const BackwardPass<T>& pass, const Convolution& c, T* parts, T* turned)
      : pass_(pass), c_(c), parts_(parts), turned_(turned) {
    if (pass.d_input()) ConvolutionSlice<T>::turn_weights(c, pass.parameter(0), turned);
  }

  // What sample n adds, dy being the gradient of its output; samples of a slice in their order.
  template <class OutputGradient>
  void add(const ConvolutionSlice<T>& slice, std::int64_t number, std::int64_t n,
           const OutputGradient& dy) const {
    T* d_weight = parts_ + number * c_.weights();
    const std::int64_t batch = pass_.batch();
    if (n == number * batch / convolution_slice_count(batch))
      std::fill_n(d_weight, c_.weights(), T(0));
    slice.weight_gradient(pass_.input() + n * c_.in_elements(), dy, d_weight);
    if (T* dx = pass_.d_input())
      slice.input_gradient(dy, turned_, pass_.accumulate(), dx + n * c_.in_elements());
  }

  // The slices' gradients, [groups, rows, filters] each, added in their order and turned; some
  // filters at a time.
  void hand_weights() const {
    const std::int64_t rows = c_.rows(), filters = c_.filters(), weights = c_.weights();
    const std::int64_t slices = convolution_slice_count(pass_.batch());
    const std::int64_t blocks = (filters + kFilters - 1) / kFilters;
    pass_.parallel(c_.groups * blocks, weights * slices * 4, [&](std::int64_t task) {
      const std::int64_t group = task / blocks, begin = task % blocks * kFilters;
      const std::int64_t count = std::min(kFilters, filters - begin);
      const T* parts = parts_ + group * filters * rows + begin;
      T* turned = turned_ + (group * filters + begin) * rows;
      for (std::int64_t row = 0; row < rows; ++row) {
        T sum[kFilters] = {};
        for (std::int64_t slice = 0; slice < slices; ++slice) {
          const T* part = parts + slice * weights + row * filters;
          for (std::int64_t f = 0; f < count; ++f) sum[f] += part[f];
        }
        for (std::int64_t f = 0; f < count; ++f) turned[f * rows + row] = sum[f];
      }
      pass_.gradient(0, (group * filters + begin) * rows, count * rows, turned);
    });
  }

 private:
  static constexpr std::int64_t kFilters = 16;

  const BackwardPass<T>& pass_;
  const Convolution& c_;
  T *parts_, *turned_;
};

}  // namespace strata::plugins
