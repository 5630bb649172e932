// MixUp: samples and their labels are mixed in pairs while training (Zhang et al., 2018,
// arXiv:1710.09412).
#include <algorithm>
#include <cmath>

#include "framework/plugin/transform.h"

namespace strata::plugins {
namespace {

class MixUp final : public Transform {
 public:
  struct Options {
    double alpha = 0.2;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Mixes the samples of a batch in pairs, in training only: x = a * x_i + (1 - a) * x_j, "
            "and the labels alike.\n"
            "a is drawn from Beta(alpha, alpha) for each batch, and j is i shifted round the batch "
            "by a random number; the order of samples is random anyway. All fields of real numbers "
            "are mixed, so labels have to be one-hot; class numbers stay those of x_i. It depends "
            "on the seed, the epoch and the batch alone.")
        .example("MixUp(0.2)");
    schema.option("alpha", &Options::alpha)
        .above(0)
        .doc("below 1 most mixtures are near one of the two samples; 1 makes all alike");
  }

  explicit MixUp(const Options& options) : alpha_(options.alpha) {}

  DataPlan infer(const std::vector<Field>& fields) const {
    DataPlan plan;
    const Field* labels = nullptr;
    bool has_shares = false;
    for (std::size_t f = 0; f < fields.size(); ++f) {
      const Field& field = fields[f];
      if (field.dtype == STRATA_U8)
        throw PluginError(text("`", field.name, "` holds bytes, and MixUp mixes real numbers"),
                          "put Rescale, Normalize or Standardize before it");
      if (field.dtype == STRATA_I32 && !labels) labels = &field;
      has_shares = has_shares || (f > 0 && field.dtype == STRATA_REAL);
      plan.field(field);
    }
    if (fields.empty() || fields[0].dtype != STRATA_REAL)
      throw PluginError("MixUp mixes real numbers, and the data's first field has none");
    if (labels && !has_shares)
      throw PluginError(
          text("`", labels->name, "` holds class numbers, which cannot be mixed"),
          text("put OneHot(\"", labels->name, "\") before it, and let the loss read `one_hot`"));
    return plan;
  }

  template <class T>
  void apply_batch(const TransformPass<T>& pass) const {
    const std::int64_t count = pass.count();
    std::int64_t shift = 0;
    T share = 1;
    if (pass.training() && count > 1) {
      Numbers<T> numbers(pass);
      shift = 1 + std::min(count - 2, static_cast<std::int64_t>(numbers.uniform() *
                                                                static_cast<double>(count - 1)));
      share = static_cast<T>(beta(numbers));
    }
    for (int f = 0; f < pass.field_count(); ++f) {
      const std::int64_t elements = pass.shape(f).elements();
      if (pass.dtype(f) == STRATA_REAL) {
        mix(pass, pass.template input<T>(f), pass.template output<T>(f), elements, shift, share);
      } else {
        std::copy_n(pass.template input<std::int32_t>(f), count * elements,
                    pass.template output<std::int32_t>(f));
      }
    }
  }

 private:
  // The batch's stream, in order.
  template <class T>
  class Numbers {
   public:
    explicit Numbers(const TransformPass<T>& pass) : pass_(pass) {}
    double uniform() {  // (0, 1)
      std::uint32_t word;
      pass_.random(pass_.key(0), next_++, 1, &word);
      return (static_cast<double>(word) + 0.5) * 0x1p-32;
    }
    double normal() {  // Box and Muller
      const double radius = std::sqrt(-2 * std::log(uniform()));
      return radius * std::cos(2 * M_PI * uniform());
    }

   private:
    const TransformPass<T>& pass_;
    std::uint64_t next_ = 0;
  };

  // The logarithm of a number from Gamma(alpha, 1): Marsaglia and Tsang (2000), for alpha below 1
  // through alpha + 1. A logarithm, since numbers from a small alpha are below the smallest double.
  template <class N>
  double log_gamma_number(N& numbers) const {
    const double d = (alpha_ < 1 ? alpha_ + 1 : alpha_) - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    for (;;) {
      const double x = numbers.normal(), root = 1 + c * x;
      const double u = numbers.uniform();
      if (root <= 0) continue;
      const double v = root * root * root;
      if (std::log(u) >= 0.5 * x * x + d - d * v + d * std::log(v)) continue;
      const double drawn = std::log(d * v);
      return alpha_ < 1 ? drawn + std::log(numbers.uniform()) / alpha_ : drawn;
    }
  }

  template <class N>
  double beta(N& numbers) const {
    const double a = log_gamma_number(numbers), b = log_gamma_number(numbers);
    return 1 / (1 + std::exp(b - a));
  }

  // y_i = share · x_i + (1 - share) · x_{i + shift}
  template <class T>
  static void mix(const TransformPass<T>& pass, const T* x, T* y, std::int64_t elements,
                  std::int64_t shift, T share) {
    const std::int64_t count = pass.count();
    const std::int64_t rows =
        std::max<std::int64_t>(1, kElementwiseTile / std::max<std::int64_t>(1, elements));
    pass.tiles(count, rows, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const T* own = x + i * elements;
        const T* other = x + (i + shift) % count * elements;
        T* out = y + i * elements;
        if (shift == 0) {
          std::copy_n(own, elements, out);
        } else {
          for (std::int64_t e = 0; e < elements; ++e)
            out[e] = share * own[e] + (T(1) - share) * other[e];
        }
      }
    });
  }

  const double alpha_;
};

const TransformRegistration<MixUp> kRegistration{"MixUp"};

}  // namespace
}  // namespace strata::plugins
