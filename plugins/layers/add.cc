// Add: the elementwise sum of several values, as at the end of a residual block (He et al., 2016,
// arXiv:1512.03385).
#include <algorithm>
#include <vector>

#include "framework/plugin/exchange.h"
#include "plugins/support/same_shape.h"

namespace strata::plugins {
namespace {

class Add final : public Layer {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Adds two or more values of one shape, element by element.\n"
            "Shapes are never stretched to fit: a branch that changes the shape needs a layer on "
            "the other one, too.")
        .example("Add(main, skip)")
        .variadic();
  }

  explicit Add(const Options&) {}

  Plan infer(const std::vector<Input>& inputs) const {
    return Plan()
        .output(common_shape("Add", inputs, advice))
        .in_place()
        .overwrites()
        .flops(combining_flops(inputs));
  }

  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    combine_inputs(pass, [](T a, T b) { return a + b; });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const int count = pass.input_count();
    const T* dy = pass.d_output();
    pass.tiles(pass.output_size(), kElementwiseTile, [&](std::int64_t begin, std::int64_t end) {
      for (int k = 0; k < count; ++k) {
        T* dx = pass.d_input(k);
        if (!dx || dx == dy)
          continue;  // in place, the gradient of the sum is that of the first value already
        if (pass.accumulate(k)) {
          for (std::int64_t i = begin; i < end; ++i) dx[i] += dy[i];
        } else {
          std::copy(dy + begin, dy + end, dx + begin);
        }
      }
    });
  }

  void to_onnx(OnnxLayer& onnx) const {
    OnnxNames inputs;
    for (int i = 0; i < onnx.input_count(); ++i) inputs.push_back(onnx.input(i));
    onnx.node(inputs.size() == 2 ? "Add" : "Sum", inputs, {onnx.output()});
  }

 private:
  // What mends the shapes that people really get: another number of features or channels, images of
  // another size.
  static std::string advice(const Shape& a, const Shape& b) {
    if (a.rank() != b.rank()) return "bring both to one rank first, with Flatten for example";
    if (a.rank() == 1)
      return text("a Dense(", a[0], ") on the other branch gives it the same number of features");
    if (a.rank() == 3 && a[0] == b[0])
      return "both branches have to use the same strides and padding";
    return {};
  }
};

const LayerRegistration<Add> kRegistration{"Add"};
const ExchangeRegistration<Add> kExchange;

}  // namespace
}  // namespace strata::plugins
