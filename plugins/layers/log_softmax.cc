// LogSoftmax: the logarithm of Softmax along the last axis, x - log Σ exp(x), with the largest
// value subtracted first.
#include <algorithm>
#include <cmath>

#include "framework/plugin/exchange.h"
#include "framework/plugin/reduce.h"
#include "plugins/support/last_axis.h"

namespace strata::plugins {
namespace {

class LogSoftmax final : public Layer {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Turns the values of the last axis into logarithms of probabilities.\n"
            "NegativeLogLikelihood goes with it; CrossEntropy does both in one step.")
        .example("LogSoftmax");
    hint_last_axis(schema);
  }

  explicit LogSoftmax(const Options&) {}

  Plan infer(const Shape& input) const {
    check_last_axis("LogSoftmax", input);
    return Plan().output(input).needs_output().in_place().overwrites().flops(
        5.0 * static_cast<double>(input.elements()));
  }

  // x, y: [rows, n]
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const T* all_x = pass.input();
    T* all_y = pass.output();
    each_last_axis(pass, [=](std::int64_t begin, std::int64_t n) {
      const T* x = all_x + begin;
      T* y = all_y + begin;
      const T largest = *std::max_element(x, x + n);
      const T sum = sum_of<T>(n, [=](std::int64_t i) { return std::exp(x[i] - largest); });
      const T logarithm = std::log(sum);
      for (std::int64_t i = 0; i < n; ++i) y[i] = (x[i] - largest) - logarithm;
    });
  }

  // dx = dy - exp(y) · Σ dy
  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const T* y = pass.output();
    const T* dy = pass.d_output();
    T* dx = pass.d_input();
    if (!dx) return;
    const bool accumulate = pass.accumulate();
    each_last_axis(pass, [=](std::int64_t begin, std::int64_t n) {
      const T sum = sum_of<T>(n, [=](std::int64_t i) { return dy[begin + i]; });
      for (std::int64_t i = begin; i < begin + n; ++i) {
        const T gradient = dy[i] - std::exp(y[i]) * sum;
        dx[i] = accumulate ? dx[i] + gradient : gradient;
      }
    });
  }

  void to_onnx(OnnxLayer& onnx) const { onnx.node("LogSoftmax", {{"axis", -1}}); }
};

const LayerRegistration<LogSoftmax> kRegistration{"LogSoftmax"};
const ExchangeRegistration<LogSoftmax> kExchange;

}  // namespace
}  // namespace strata::plugins
