// Softmax: exp(x) over its sum along the last axis (Bridle, 1990), with the largest value
// subtracted first.
#include <algorithm>
#include <cmath>

#include "framework/plugin/exchange.h"
#include "framework/plugin/reduce.h"
#include "plugins/support/last_axis.h"

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
    hint_last_axis(schema);
  }

  explicit Softmax(const Options&) {}

  Plan infer(const Shape& input) const {
    check_last_axis("Softmax", input);
    return Plan().output(input).needs_output().in_place().overwrites().trait("softmax").flops(
        5.0 * static_cast<double>(input.elements()));
  }

  // x, y: [rows, n]
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const T* x = pass.input();
    T* y = pass.output();
    each_last_axis(pass, [=](std::int64_t begin, std::int64_t n) {
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
    each_last_axis(pass, [=](std::int64_t begin, std::int64_t n) {
      const T mean = sum_of<T>(n, [=](std::int64_t i) { return dy[begin + i] * y[begin + i]; });
      if (accumulate) {
        for (std::int64_t i = begin; i < begin + n; ++i) dx[i] += y[i] * (dy[i] - mean);
      } else {
        for (std::int64_t i = begin; i < begin + n; ++i) dx[i] = y[i] * (dy[i] - mean);
      }
    });
  }

  void to_onnx(OnnxLayer& onnx) const { onnx.node("Softmax", {{"axis", -1}}); }
};

const LayerRegistration<Softmax> kRegistration{"Softmax"};
const ExchangeRegistration<Softmax> kExchange;

}  // namespace
}  // namespace strata::plugins
