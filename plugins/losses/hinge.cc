// Hinge: nothing for what is right by a margin, a straight line beyond (Cortes and Vapnik, 1995);
// for several classes the sum over the wrong ones (Weston and Watkins, 1999), as PyTorch's
// MultiMarginLoss.
#include <utility>

#include "plugins/support/class_scores.h"
#include "plugins/support/compare.h"

namespace strata::plugins {
namespace {

class Hinge final : public Loss {
 public:
  struct Options {
    double margin = 1;
    bool squared = false;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "What a score lacks of being right by a margin: max(0, margin - t * score).\n"
            "Targets t are -1 and 1 in the shape of the scores (the mean over a sample's "
            "elements), "
            "or class numbers: 0 and 1 beside one score, where 0 counts as -1, or one of several "
            "beside a score per class, where it is the sum over the other classes of "
            "max(0, margin - score of the right class + score), divided by the number of classes.")
        .example("Hinge(scores, label)")
        .inputs({"scores", "label"});
    schema.option("margin", &Options::margin).above(0).doc("by how much it has to be right");
    schema.option("squared", &Options::squared).doc("square what is lacking");
    schema.hint_for("p", "PyTorch's p = 2 is `squared = true` here");
  }

  explicit Hinge(const Options& options) : options_(options) {}

  LossPlan infer(const std::vector<Input>& inputs) const {
    if (inputs.at(1).dtype == STRATA_I32) {
      check_class_scores("Hinge", inputs);
    } else {
      check_comparable("Hinge", inputs);
    }
    return {};
  }

  template <class T>
  void evaluate(const LossPass<T>& pass) const {
    if (pass.shape(1).rank() > 0) {
      compare_pairs(pass, [this](T score, T t) {
        const auto [value, slope] = lacking(t * score);
        return PairLoss<T>{value, slope * t, slope * score};
      });
      return;
    }
    const std::int64_t classes = pass.shape(0)[0];
    check_labels(pass.labels(1), pass.batch(), classes == 1 ? 2 : classes);
    const auto scale = static_cast<T>(pass.scale());
    pass.tiles(pass.batch(), std::max<std::int64_t>(1, kElementwiseTile / (4 * classes)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t sample = begin; sample < end; ++sample) {
                   const T* x = pass.input(0) + sample * classes;
                   T* dx = pass.d_input(0) ? pass.d_input(0) + sample * classes : nullptr;
                   pass.losses()[sample] = static_cast<double>(
                       of_classes(x, dx, classes, pass.labels(1)[sample], scale));
                 }
               });
  }

 private:
  // What `side` lacks of the margin, and its derivative.
  template <class T>
  std::pair<T, T> lacking(T side) const {
    const T gap = static_cast<T>(options_.margin) - side;
    if (gap < T(0)) return {T(0), T(0)};  // a NaN is passed on
    return options_.squared ? std::pair(gap * gap, T(-2) * gap) : std::pair(gap, T(-1));
  }

  template <class T>
  T of_classes(const T* x, T* dx, std::int64_t classes, std::int64_t label, T scale) const {
    if (classes == 1) {
      const T sign = label == 1 ? T(1) : T(-1);
      const auto [value, slope] = lacking(sign * x[0]);
      if (dx) dx[0] = scale * slope * sign;
      return value;
    }
    T sum = 0, pull = 0;
    const T share = scale / static_cast<T>(classes);
    for (std::int64_t i = 0; i < classes; ++i) {
      if (i == label) continue;
      const auto [value, slope] = lacking(x[label] - x[i]);
      sum += value;
      pull += slope;
      if (dx) dx[i] = -share * slope;
    }
    if (dx) dx[label] = share * pull;
    return sum / static_cast<T>(classes);
  }

  const Options options_;
};

const LossRegistration<Hinge> kRegistration{"Hinge"};

}  // namespace
}  // namespace strata::plugins
