// Permute: the axes of a sample in another order, as torch.permute and Keras' Permute.
#include <algorithm>
#include <optional>

#include "framework/plugin/exchange.h"

namespace strata::plugins {
namespace {

class Permute final : public Layer {
 public:
  struct Options {
    std::optional<std::vector<std::int64_t>> axes;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Puts the axes of a sample into another order.\n"
            "`axes` lists them, counted from 0, in their new order: Permute([2, 0, 1]) makes "
            "[channels, height, width] of [height, width, channels]. The batch axis is not "
            "counted; "
            "Keras counts from 1.")
        .example("Permute");
    schema.option("axes", &Options::axes)
        .min(0)
        .doc("the old axes in their new order; none: from last to first");
    schema.hint_for("dims", "they are called `axes` here, counted from 0 without the batch axis");
  }

  explicit Permute(const Options& options) : axes_(options.axes) {}

  Plan infer(const Shape& input) const {
    if (axes_) {
      std::vector<std::int64_t> sorted = *axes_;
      std::sort(sorted.begin(), sorted.end());
      bool good = static_cast<int>(sorted.size()) == input.rank();
      for (std::size_t i = 0; good && i < sorted.size(); ++i)
        good = sorted[i] == static_cast<std::int64_t>(i);
      if (!good) {
        throw PluginError(text("`axes` has to name each axis of ", input.text(),
                               " once, with numbers from 0 to ", input.rank() - 1));
      }
    }
    std::vector<std::int64_t> extents;
    for (int axis = 0; axis < input.rank(); ++axis) extents.push_back(input[old_axis(axis, input)]);
    return Plan().output(Shape(extents.begin(), extents.end())).overwrites();
  }

  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const T* x = pass.input();
    T* y = pass.output();
    each_row(pass, [=](std::int64_t out, std::int64_t in, std::int64_t count, std::int64_t stride) {
      for (std::int64_t i = 0; i < count; ++i) y[out + i] = x[in + i * stride];
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const T* dy = pass.d_output();
    T* dx = pass.d_input();
    if (!dx) return;
    const bool accumulate = pass.accumulate();
    each_row(pass, [=](std::int64_t out, std::int64_t in, std::int64_t count, std::int64_t stride) {
      for (std::int64_t i = 0; i < count; ++i) {
        T& d = dx[in + i * stride];
        d = accumulate ? d + dy[out + i] : dy[out + i];
      }
    });
  }

  void to_onnx(OnnxLayer& onnx) const {
    const Shape input = onnx.input_shape();
    std::vector<std::int64_t> order = {0};
    for (int axis = 0; axis < input.rank(); ++axis) order.push_back(1 + old_axis(axis, input));
    onnx.node("Transpose", {{"perm", order}});
  }
  void to_others(LayerTensors& tensors) const { tensors.moves_axes(); }

 private:
  int old_axis(int axis, const Shape& input) const {
    return axes_ ? static_cast<int>((*axes_)[static_cast<std::size_t>(axis)])
                 : input.rank() - 1 - axis;
  }

  // body(first output, first input, count, stride of inputs) for each row of the output.
  template <class T, class Body>
  void each_row(const LayerPass<T>& pass, const Body& body) const {
    const Shape in = pass.input_shape(), out = pass.output_shape();
    const int rank = out.rank();
    if (rank == 0) {
      body(0, 0, pass.batch(), 1);
      return;
    }
    std::int64_t strides[Shape::kMaxRank];  // of the input, in the order of the output's axes
    for (int axis = 0; axis < rank; ++axis)
      strides[axis] = in.elements(old_axis(axis, in) + 1, rank);
    const std::int64_t count = out[-1], rows = out.elements() / count;
    pass.tiles(pass.batch() * rows, std::max<std::int64_t>(1, kElementwiseTile / count),
               [&](std::int64_t first, std::int64_t last) {
                 for (std::int64_t row = first; row < last; ++row) {
                   std::int64_t rest = row % rows, from = row / rows * out.elements();
                   for (int axis = rank - 2; axis >= 0; --axis) {
                     from += rest % out[axis] * strides[axis];
                     rest /= out[axis];
                   }
                   body(row * count, from, count, strides[rank - 1]);
                 }
               });
  }

  const std::optional<std::vector<std::int64_t>> axes_;
};

const LayerRegistration<Permute> kRegistration{"Permute"};
const ExchangeRegistration<Permute> kExchange;

}  // namespace
}  // namespace strata::plugins
