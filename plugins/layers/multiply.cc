// Multiply: the elementwise product of several values, as gates have it (Hochreiter and
// Schmidhuber, 1997) and Keras' Multiply.
#include <vector>

#include "framework/plugin/layer.h"

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
    const Shape& shape = inputs.at(0).shape;
    for (const Input& input : inputs) {
      if (input.shape == shape) continue;
      throw PluginError(text("Multiply needs values of one shape: `", inputs[0].name, "` is ",
                             shape.text(), ", and `", input.name, "` is ", input.shape.text()));
    }
    return Plan().output(shape).needs_input().overwrites().flops(
        static_cast<double>(inputs.size() - 1) * static_cast<double>(shape.elements()));
  }

  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const int count = pass.input_count();
    T* y = pass.output();
    pass.tiles(pass.output_size(), kElementwiseTile, [&](std::int64_t begin, std::int64_t end) {
      const T *a = pass.input(0), *b = pass.input(1);
      for (std::int64_t i = begin; i < end; ++i) y[i] = a[i] * b[i];
      for (int k = 2; k < count; ++k) {
        const T* x = pass.input(k);
        for (std::int64_t i = begin; i < end; ++i) y[i] *= x[i];
      }
    });
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
};

const LayerRegistration<Multiply> kRegistration{"Multiply"};

}  // namespace
}  // namespace strata::plugins
