// Dense -> ReLU by panels of features: a panel's activation is applied while it is in cache.
#include "framework/plugin/fusion.h"
#include "framework/plugin/linear.h"

namespace strata::plugins {
namespace {

class DenseReLU final : public Fusion {
 public:
  static constexpr const char* kPattern[] = {"Dense", "ReLU"};
  static constexpr const char* kDoc =
      "A fully connected layer and ReLU in one, by panels of 64 features.";

  DenseReLU(const std::vector<Member>& members, const Shape&)
      : units_(members[0].integer("units")), bias_(members[0].flag("bias")) {}

  Plan infer(const Shape& input) const {
    const std::int64_t inputs = input[-1];
    return Plan()
        .scratch(input.elements() / inputs * units_)  // dz
        .scratch(0, Linear::space(inputs, units_))
        .needs_input()
        .needs_output()
        .overwrites()
        .hands_gradients();
  }

  // x: [rows, inputs], weight: [units, inputs], bias: [units], y: [rows, units]
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const Linear linear = linear_of(pass);
    T* y = pass.output();
    linear.blocks(pass, [&](std::int64_t panel, std::int64_t begin, const Linear& part) {
      T* columns = y + begin * units_ + linear.first(panel);
      const int width = linear.width(panel);
      part.product(pass, panel, pass.input() + begin * linear.inputs, pass.parameter(0), false,
                   columns, units_);
      T bias[kPanel] = {};
      if (bias_) std::copy_n(pass.parameter(1) + linear.first(panel), width, bias);
      for (std::int64_t row = 0; row < part.rows; ++row) {
        T* z = columns + row * units_;
        for (int j = 0; j < width; ++j) {
          const T value = z[j] + bias[j];
          z[j] = value < T(0) ? T(0) : value;  // a NaN is passed on
        }
      }
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const Linear linear = linear_of(pass);
    T* dz = pass.scratch(0);
    const auto mask = [&](std::int64_t panel) {
      const std::int64_t first = linear.first(panel);
      for (std::int64_t row = 0; row < linear.rows; ++row) {
        const T* y = pass.output() + row * linear.units + first;
        const T* dy = pass.d_output() + row * linear.units + first;
        T* out = dz + row * linear.units + first;
        for (int j = 0; j < linear.width(panel); ++j) {
          const T gradient = dy[j];
          out[j] = y[j] > T(0) ? gradient : T(0);
        }
      }
    };
    const auto learn = [&](std::int64_t panel) {
      linear.weight_gradient(pass, 0, panel, dz, pass.input(), pass.scratch(1));
      if (bias_) linear.bias_gradient(pass, 1, panel, dz);
    };
    if (T* dx = pass.d_input()) {
      pass.parallel(linear.panels(), 16 * linear.rows * linear.units, mask);
      linear.input_gradient(pass, dz, pass.parameter(0), pass.accumulate(), dx);
      pass.parallel(linear.panels(), linear.gradient_operations(), learn);
    } else {
      pass.parallel(linear.panels(), linear.gradient_operations(), [&](std::int64_t panel) {
        mask(panel);
        learn(panel);
      });
    }
  }

 private:
  template <class T>
  Linear linear_of(const LayerPass<T>& pass) const {
    const std::int64_t inputs = pass.input_shape()[-1];
    return {pass.input_size() / inputs, inputs, units_};
  }

  const std::int64_t units_;
  const bool bias_;
};

const FusionRegistration<DenseReLU> kRegistration{"DenseReLU"};

}  // namespace
}  // namespace strata::plugins
