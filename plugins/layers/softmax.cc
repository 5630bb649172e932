// Softmax: exp(x) over its sum along the last axis (Bridle, 1990), with the largest value
// subtracted first.
#include <algorithm>
#include <cmath>

#include "framework/plugin/layer.h"
#include "framework/plugin/reduce.h"

namespace strata::plugins {
namespace {

class Softmax final : public Layer {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Turns the values of the last axis into probabilities: positive, with sum 1.\n"
            "A loss that takes logits applies it itself: CrossEntropy(from_logits = false) goes "
            "with this layer.")
        .example("Softmax");
    schema.hint_for("axis", "it works on the last axis")
        .hint_for("dim", "it works on the last axis");
  }

  explicit Softmax(const Options&) {}

  Plan infer(const Shape& input) const {
    if (input.rank() == 0)
      throw PluginError("Softmax needs at least one axis, and the input is a single number ([])");
    return Plan().output(input).needs_output().in_place().overwrites().trait("softmax").flops(
        5.0 * static_cast<double>(input.elements()));
  }

  // x, y: [rows, n]
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const T* x = pass.input();
    T* y = pass.output();
    rows(pass, [=](std::int64_t begin, std::int64_t n) {
      const T largest = *std::max_element(x + begin, x + begin + n);
      for (std::int64_t i = begin; i < begin + n; ++i) y[i] = std::exp(x[i] - largest);
      const T inverse = T(1) / sum_of<T>(n, [=](std::int64_t i) { return y[begin + i]; });
      for (std::int64_t i = begin; i < begin + n; ++i) y[i] *= inverse;
    });
  }

  // dx = y · (dy - Σ dy y)
  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const T* y = pass.output();
    const T* dy = pass.d_output();
    T* dx = pass.d_input();
    if (!dx) return;
    const bool accumulate = pass.accumulate();
    rows(pass, [=](std::int64_t begin, std::int64_t n) {
      const T mean = sum_of<T>(n, [=](std::int64_t i) { return dy[begin + i] * y[begin + i]; });
      if (accumulate) {
        for (std::int64_t i = begin; i < begin + n; ++i) dx[i] += y[i] * (dy[i] - mean);
      } else {
        for (std::int64_t i = begin; i < begin + n; ++i) dx[i] = y[i] * (dy[i] - mean);
      }
    });
  }

 private:
  // body(begin, n) for each row.
  template <class T, class Body>
  static void rows(const LayerPass<T>& pass, const Body& body) {
    const std::int64_t n = pass.input_shape()[-1], count = pass.input_size() / n;
    pass.tiles(count, std::max<std::int64_t>(1, kElementwiseTile / (8 * n)),
               [&](std::int64_t first, std::int64_t last) {
                 for (std::int64_t row = first; row < last; ++row) body(row * n, n);
               });
  }
};

const LayerRegistration<Softmax> kRegistration{"Softmax"};

}  // namespace
}  // namespace strata::plugins
