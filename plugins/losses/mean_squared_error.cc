// MeanSquaredError: the squared difference, averaged over a sample's elements.
#include "plugins/support/compare.h"

namespace strata::plugins {
namespace {

class MeanSquaredError final : public Loss {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "The mean over a sample's elements of (prediction - target)².\n"
            "The target has the shape of the prediction; a class number is compared with a "
            "prediction of one value.")
        .example("MeanSquaredError(prediction, target)")
        .inputs({"prediction", "target"});
  }

  explicit MeanSquaredError(const Options&) {}

  LossPlan infer(const std::vector<Input>& inputs) const {
    check_comparable("MeanSquaredError", inputs);
    return {};
  }

  template <class T>
  void evaluate(const LossPass<T>& pass) const {
    // infer lets through targets of the prediction's shape, and class numbers (rank 0) beside a
    // prediction of shape [1].
    const std::int64_t n = pass.shape(0).elements();
    if (pass.shape(1) == pass.shape(0)) {
      compare(pass, n, pass.input(1), pass.d_input(1));
    } else {
      compare(pass, n, pass.labels(1), static_cast<T*>(nullptr));
    }
  }

 private:
  // prediction, target: [batch, n]
  template <class T, class Target>
  static void compare(const LossPass<T>& pass, std::int64_t n, const Target* target, T* d_target) {
    const T* prediction = pass.input(0);
    T* d_prediction = pass.d_input(0);
    const double factor = 2 * pass.scale() / static_cast<double>(n);
    pass.tiles(pass.batch(), std::max<std::int64_t>(1, kElementwiseTile / n),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t sample = begin; sample < end; ++sample) {
                   const auto difference = [p = prediction + sample * n,
                                            t = target + sample * n](std::int64_t i) {
                     return p[i] - static_cast<T>(t[i]);
                   };
                   const T sum =
                       sum_of<T>(n, [=](std::int64_t i) { return difference(i) * difference(i); });
                   pass.losses()[sample] = static_cast<double>(sum) / static_cast<double>(n);
                   for (std::int64_t i = 0; d_prediction && i < n; ++i) {
                     d_prediction[sample * n + i] = static_cast<T>(factor) * difference(i);
                   }
                   for (std::int64_t i = 0; d_target && i < n; ++i) {
                     d_target[sample * n + i] = -static_cast<T>(factor) * difference(i);
                   }
                 }
               });
  }
};

const LossRegistration<MeanSquaredError> kRegistration{"MeanSquaredError"};

}  // namespace
}  // namespace strata::plugins
