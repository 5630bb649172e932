// Concat: several values one after the other along an axis, as torch.cat and Keras' Concatenate.
#include <algorithm>
#include <vector>

#include "framework/plugin/exchange.h"
#include "plugins/support/axis.h"

namespace strata::plugins {
namespace {

class Concat final : public Layer {
 public:
  struct Options {
    std::int64_t axis = 0;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Puts two or more values one after the other along an axis.\n"
            "Axis 0, the channels of images, is the first one of a sample: the batch axis is not "
            "counted. Their other axes have to be alike.")
        .example("Concat(left, right)")
        .variadic();
    describe_axis(schema);
  }

  explicit Concat(const Options& options) : axis_(options.axis) {}

  Plan infer(const std::vector<Input>& inputs) const {
    const Shape& first = inputs.at(0).shape;
    const int axis = checked_axis(axis_, first, "Concat");
    std::vector<std::int64_t> extents(first.begin(), first.end());
    for (std::size_t k = 1; k < inputs.size(); ++k) {
      const Shape& shape = inputs[k].shape;
      bool alike = shape.rank() == first.rank();
      for (int i = 0; alike && i < first.rank(); ++i) alike = i == axis || shape[i] == first[i];
      if (!alike) {
        throw PluginError(text("Concat along axis ", axis, " needs the other axes alike: `",
                               inputs[0].name, "` is ", first.text(), ", and `", inputs[k].name,
                               "` is ", shape.text()));
      }
      extents[static_cast<std::size_t>(axis)] += shape[axis];
    }
    return Plan().output(Shape(extents.begin(), extents.end())).overwrites();
  }

  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const AxisCut whole = cut(pass.output_shape(), axis_);
    std::int64_t offset = 0;
    for (int k = 0; k < pass.input_count(); ++k) {
      const AxisCut part = cut(pass.input_shape(k), axis_);
      copy_rows(pass, whole.rows, pass.input(k), part.length, pass.output() + offset, whole.length,
                part.length, /*accumulate=*/false);
      offset += part.length;
    }
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const AxisCut whole = cut(pass.output_shape(), axis_);
    std::int64_t offset = 0;
    for (int k = 0; k < pass.input_count(); ++k) {
      const AxisCut part = cut(pass.input_shape(k), axis_);
      if (T* dx = pass.d_input(k)) {
        copy_rows(pass, whole.rows, pass.d_output() + offset, whole.length, dx, part.length,
                  part.length, pass.accumulate(k));
      }
      offset += part.length;
    }
  }

  void to_onnx(OnnxLayer& onnx) const {
    OnnxNames inputs;
    for (int i = 0; i < onnx.input_count(); ++i) inputs.push_back(onnx.input(i));
    onnx.node("Concat", inputs, {onnx.output()},
              {{"axis", 1 + checked_axis(axis_, onnx.input_shape(), "Concat")}});
  }

 private:
  const std::int64_t axis_;
};

const LayerRegistration<Concat> kRegistration{"Concat"};
const ExchangeRegistration<Concat> kExchange;

}  // namespace
}  // namespace strata::plugins
