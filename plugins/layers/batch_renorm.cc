// BatchRenorm: batch renormalization (Ioffe, 2017, arXiv:1702.03275), batch normalization whose
// training sees what inference will: values are normalized by the batch and then corrected towards
// the running statistics, so small or uneven batches do less harm. The paper averages deviations;
// here variances are averaged, as in BatchNorm, so that both mean the same in inference.
#include <vector>

#include "framework/plugin/exchange.h"
#include "plugins/support/batch_norm.h"

namespace strata::plugins {
namespace {

// Between which batches a limit is loosened, counted from the first one that the layer trained on.
// The defaults are the paper's.
using Ramp = std::vector<std::int64_t>;

class BatchRenorm final : public Layer {
 public:
  struct Options : BatchNormOptions {
    double r_max = 3;
    double d_max = 5;
    Ramp r_ramp = {5000, 40000};
    Ramp d_ramp = {5000, 25000};
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "BatchNorm for small batches: in training, too, values are normalized as inference "
            "will do it.\n"
            "y = ((x - mean) / deviation * r + d) * scale + shift, where r = deviation / running "
            "deviation and d = (mean - running mean) / running deviation are kept within 1 / r_max "
            "to "
            "r_max and -d_max to d_max, and count as constants in gradients. At first r_max is 1 "
            "and "
            "d_max 0, which is BatchNorm; over `r_ramp` and `d_ramp` they rise to their values. "
            "The "
            "ramps are the paper's, for long runs: give the first epochs of shorter ones, such as "
            "[500, 4000]. In inference it is BatchNorm. Training needs at least two values per "
            "channel in a batch.")
        .example("BatchRenorm(r_ramp = [500, 4000], d_ramp = [500, 2500])");
    describe_batch_norm(schema);
    schema.option("r_max", &Options::r_max)
        .min(1)
        .doc("the most that r may be in the end, and 1 / r_max the least");
    schema.option("d_max", &Options::d_max)
        .min(0)
        .doc("the most that d may be in the end, and -d_max the least");
    schema.option("r_ramp", &Options::r_ramp)
        .min(0)
        .doc(
            "the number of batches after which r_max begins to rise from 1, and that when it is "
            "reached");
    schema.option("d_ramp", &Options::d_ramp)
        .min(0)
        .doc(
            "the number of batches after which d_max begins to rise from 0, and that when it is "
            "reached");
    schema.hint_for("renorm", "BatchRenorm always does what Keras' `renorm = True` asks for")
        .hint_for("renorm_clipping", "`r_max` and `d_max` are its limits")
        .hint_for("renorm_momentum",
                  "`decay` is the weight of the old value in all running statistics")
        .hint_for("rmax", "it is called `r_max` here")
        .hint_for("dmax", "it is called `d_max` here");
  }

  explicit BatchRenorm(const Options& options) : options_(options), norm_("BatchRenorm", options) {
    check_ramp("r_ramp", options.r_ramp);
    check_ramp("d_ramp", options.d_ramp);
  }

  Plan infer(const Shape& input) const {
    return norm_.plan(input)
        .state("num_batches_tracked", {1}, 0)
        .saved(0, input[0])   // r
        .saved(0, input[0]);  // d
  }

  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    T& batches = *pass.state(kBatches);
    const double r_max =
        1 + (options_.r_max - 1) * share(options_.r_ramp, static_cast<double>(batches));
    const double d_max = options_.d_max * share(options_.d_ramp, static_cast<double>(batches));
    norm_.forward(pass, [=](double ratio, double distance, T* r, T* d) {
      *r = static_cast<T>(std::clamp(ratio, 1 / r_max, r_max));
      *d = static_cast<T>(std::clamp(distance, -d_max, d_max));
    });
    // In f32 a count stops at 2^24, which is behind the ramps' ends.
    if (pass.training()) batches += T(1);
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    norm_.template backward</*kCorrected=*/true>(pass);
  }

  void to_onnx(OnnxLayer& onnx) const { norm_.to_onnx(onnx); }

 private:
  static constexpr int kBatches = 2;  // behind ChannelNorm's states
  static constexpr std::int64_t kMostBatches = 1 << 24;

  static void check_ramp(const char* name, const Ramp& ramp) {
    if (ramp.size() != 2) {
      throw PluginError(
          text("`", name, "` takes two numbers, [begin, end], and has ", ramp.size()));
    }
    if (ramp[1] < ramp[0]) {
      throw PluginError(
          text("`", name, "` ends at batch ", ramp[1], ", before it begins at ", ramp[0]));
    }
    if (ramp[1] > kMostBatches) {
      throw PluginError(text("`", name, "` ends at batch ", ramp[1],
                             ", and batches are counted up to ", kMostBatches));
    }
  }

  // How far a ramp has come, 0 to 1, after so many batches.
  static double share(const Ramp& ramp, double batches) {
    const auto begin = static_cast<double>(ramp[0]), end = static_cast<double>(ramp[1]);
    if (batches >= end) return 1;
    return batches <= begin ? 0 : (batches - begin) / (end - begin);
  }

  const Options options_;
  const ChannelNorm norm_;
};

const LayerRegistration<BatchRenorm> kRegistration{"BatchRenorm"};
const ExchangeRegistration<BatchRenorm> kExchange;

}  // namespace
}  // namespace strata::plugins
