// Multiply: the elementwise product of several values, as gates have it (Hochreiter and
// Schmidhuber, 1997) and Keras' Multiply.
#include <vector>

#include "framework/plugin/exchange.h"
#include "plugins/support/same_shape.h"

namespace strata::plugins {
namespace {

class Multiply final : public Layer {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Multiplies two or more values of one shape, element by element.\n"
            "Shapes are never stretched to fit.")
        .example("Multiply(value, gate)")
        .variadic();
  }

  explicit Multiply(const Options&) {}

  Plan infer(const std::vector<Input>& inputs) const {
    const auto no_advice = [](const Shape&, const Shape&) { return std::string(); };
    return Plan()
        .output(common_shape("Multiply", inputs, no_advice))
        .needs_input()
        .overwrites()
        .flops(combining_flops(inputs));
  }

  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    combine_inputs(pass, [](T a, T b) { return a * b; });
  }

  // dx_k = dy · Π x_j over the others
  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const int count = pass.input_count();
    const T* dy = pass.d_output();
    pass.tiles(pass.output_size(), kElementwiseTile, [&](std::int64_t begin, std::int64_t end) {
      for (int k = 0; k < count; ++k) {
        T* dx = pass.d_input(k);
        if (!dx) continue;
        const bool accumulate = pass.accumulate(k);
        for (std::int64_t i = begin; i < end; ++i) {
          T gradient = dy[i];
          for (int j = 0; j < count; ++j) {
            if (j != k) gradient *= pass.input(j)[i];
          }
          dx[i] = accumulate ? dx[i] + gradient : gradient;
        }
      }
    });
  }

  void to_onnx(OnnxLayer& onnx) const {
    std::string product = onnx.input();
    for (int i = 1; i + 1 < onnx.input_count(); ++i)
      product = onnx.step("Mul", {product, onnx.input(i)});
    onnx.node("Mul", {product, onnx.input(onnx.input_count() - 1)}, {onnx.output()});
  }
};

const LayerRegistration<Multiply> kRegistration{"Multiply"};
const ExchangeRegistration<Multiply> kExchange;

}  // namespace
}  // namespace strata::plugins
