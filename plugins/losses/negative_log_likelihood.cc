// NegativeLogLikelihood: minus the value of the right class, for models that end in LogSoftmax, as
// PyTorch's NLLLoss.
#include <algorithm>
#include <optional>

#include "framework/plugin/loss.h"
#include "plugins/support/class_scores.h"

namespace strata::plugins {
namespace {

class NegativeLogLikelihood final : public Loss {
 public:
  struct Options {
    std::optional<std::vector<double>> class_weights;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Minus the logarithm of the probability of the right class, where the model ends in "
            "LogSoftmax.\n"
            "CrossEntropy does both in one step. With class weights, a sample's loss is multiplied "
            "by its class' weight, and losses are still averaged over samples, as in Keras; "
            "PyTorch "
            "divides by the sum of the weights instead.")
        .example("NegativeLogLikelihood(log_probabilities, label)")
        .inputs({"log_probabilities", "label"});
    schema.option("class_weights", &Options::class_weights)
        .min(0)
        .doc("what the samples of each class weigh, in the order of the classes; none: all alike");
    schema.hint_for("weight", "it is called `class_weights` here")
        .hint_for("class_weight", "it is called `class_weights` here");
  }

  explicit NegativeLogLikelihood(const Options& options) : weights_(options.class_weights) {}

  LossPlan infer(const std::vector<Input>& inputs) const {
    const Input& scores = inputs.at(0);
    check_class_scores("NegativeLogLikelihood", inputs);
    if (scores.shape[0] < 2) {
      throw PluginError(text("NegativeLogLikelihood needs at least two classes, and `", scores.name,
                             "` has one value"));
    }
    if (weights_ && static_cast<std::int64_t>(weights_->size()) != scores.shape[0]) {
      throw PluginError(text("`class_weights` has ", weights_->size(), " numbers, and `",
                             scores.name, "` has ", scores.shape[0], " classes"));
    }
    return {};
  }

  // x: [batch, classes]
  template <class T>
  void evaluate(const LossPass<T>& pass) const {
    const std::int64_t classes = pass.shape(0)[0];
    const std::int32_t* labels = pass.labels(1);
    check_labels(labels, pass.batch(), classes);
    const T* x = pass.input(0);
    T* dx = pass.d_input(0);
    if (dx) std::fill_n(dx, pass.batch() * classes, T(0));
    for (std::int64_t sample = 0; sample < pass.batch(); ++sample) {
      const std::int64_t at = sample * classes + labels[sample];
      const double weight = weights_ ? (*weights_)[static_cast<std::size_t>(labels[sample])] : 1.0;
      pass.losses()[sample] = -weight * static_cast<double>(x[at]);
      if (dx) dx[at] = static_cast<T>(-weight * pass.scale());
    }
  }

 private:
  const std::optional<std::vector<double>> weights_;
};

const LossRegistration<NegativeLogLikelihood> kRegistration{"NegativeLogLikelihood"};

}  // namespace
}  // namespace strata::plugins
