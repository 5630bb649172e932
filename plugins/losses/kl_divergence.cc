// KLDivergence: how far a predicted distribution is from a given one, Σ t (log t - log p) (Kullback
// and Leibler, 1951); from log-probabilities it is PyTorch's KLDivLoss with batchmean.
#include <algorithm>
#include <cmath>

#include "framework/plugin/loss.h"
#include "framework/plugin/reduce.h"

namespace strata::plugins {
namespace {

class KLDivergence final : public Loss {
 public:
  struct Options {
    std::string from = "logits";
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "How far the predicted distribution p is from the target's t: Σ t * (log t - log p).\n"
            "The sum goes over the last axis and is averaged over the others; a t of 0 adds "
            "nothing. From probabilities, those below 1e-7 count as 1e-7 (and get no gradient).")
        .example("KLDivergence(prediction, target)")
        .inputs({"prediction", "target"});
    schema.option("from", &Options::from)
        .choices({"logits", "log_probabilities", "probabilities"})
        .doc("what the model ends in: logits, LogSoftmax or Softmax");
    schema.hint_for("log_target", "targets are probabilities")
        .hint_for("reduction", "losses are averages over samples, PyTorch's batchmean");
  }

  explicit KLDivergence(const Options& options)
      : from_logits_(options.from == "logits"), logarithms_(options.from == "log_probabilities") {}

  LossPlan infer(const std::vector<Input>& inputs) const {
    const Input& prediction = inputs.at(0);
    const Input& target = inputs.at(1);
    if (prediction.dtype != STRATA_REAL || prediction.shape.rank() == 0) {
      throw PluginError(text("KLDivergence needs one value per class, and `", prediction.name,
                             "` has the shape ", prediction.shape.text()));
    }
    if (target.dtype != STRATA_REAL || !(target.shape == prediction.shape)) {
      throw PluginError(
          text("KLDivergence compares `", prediction.name, "` with probabilities of ", "its shape ",
               prediction.shape.text(), ", and `", target.name, "` has none"),
          "CrossEntropy compares with class numbers");
    }
    LossPlan plan;
    if (from_logits_) plan.trait("applies-softmax");
    return plan;
  }

  template <class T>
  void evaluate(const LossPass<T>& pass) const {
    const std::int64_t n = pass.shape(0)[-1], rows = pass.shape(0).elements() / n;
    pass.tiles(pass.batch(), std::max<std::int64_t>(1, kElementwiseTile / (8 * n * rows)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t sample = begin; sample < end; ++sample) {
                   double sum = 0;
                   for (std::int64_t row = 0; row < rows; ++row) {
                     sum += static_cast<double>(of_row(pass, (sample * rows + row) * n, n,
                                                       pass.scale() / static_cast<double>(rows)));
                   }
                   pass.losses()[sample] = sum / static_cast<double>(rows);
                 }
               });
  }

 private:
  static constexpr double kSmallest = 1e-7;

  template <class T>
  T of_row(const LossPass<T>& pass, std::int64_t begin, std::int64_t n, double scale) const {
    const T* x = pass.input(0) + begin;
    const T* t = pass.input(1) + begin;
    T logarithm = 0;  // of the sum of exponentials
    if (from_logits_) {
      const T largest = *std::max_element(x, x + n);
      logarithm = largest +
                  std::log(sum_of<T>(n, [=](std::int64_t i) { return std::exp(x[i] - largest); }));
    }
    const auto log_p = [=, this](std::int64_t i) {
      if (from_logits_ || logarithms_) return x[i] - logarithm;
      return std::log(x[i] < T(kSmallest) ? T(kSmallest) : x[i]);  // a NaN is passed on
    };
    const auto log_t = [=](std::int64_t i) { return t[i] > T(0) ? std::log(t[i]) : T(0); };
    const auto factor = static_cast<T>(scale);
    if (pass.d_input(0)) {
      T* dx = pass.d_input(0) + begin;
      const T all = from_logits_ ? sum_of<T>(n, [=](std::int64_t i) { return t[i]; }) : T(0);
      for (std::int64_t i = 0; i < n; ++i) {
        if (from_logits_) {
          dx[i] = factor * (std::exp(log_p(i)) * all - t[i]);
        } else if (logarithms_) {
          dx[i] = -factor * t[i];
        } else {
          dx[i] = x[i] < T(kSmallest) ? T(0) : -factor * t[i] / x[i];
        }
      }
    }
    if (pass.d_input(1)) {
      T* dt = pass.d_input(1) + begin;
      for (std::int64_t i = 0; i < n; ++i)
        dt[i] = factor * (log_t(i) - log_p(i) + (t[i] > T(0) ? T(1) : T(0)));
    }
    return sum_of<T>(n, [=](std::int64_t i) { return t[i] * (log_t(i) - log_p(i)); });
  }

  const bool from_logits_, logarithms_;
};

const LossRegistration<KLDivergence> kRegistration{"KLDivergence"};

}  // namespace
}  // namespace strata::plugins
