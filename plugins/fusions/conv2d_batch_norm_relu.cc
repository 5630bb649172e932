// Conv2D -> BatchNorm -> ReLU by samples: the moments of a sample are taken while its convolution
// is in cache, and so is, going back, the gradient that the convolution reads.
#include "plugins/support/convolution_batch_norm.h"

namespace strata::plugins {
namespace {

class Conv2DBatchNormReLU final : public ConvolutionBatchNormFusion<AfterNorm::kReLU> {
 public:
  static constexpr const char* kPattern[] = {"Conv2D", "BatchNorm", "ReLU"};
  static constexpr const char* kDoc =
      "A convolution, batch normalization and ReLU in one, sample by sample.";
  using ConvolutionBatchNormFusion::ConvolutionBatchNormFusion;
};

const FusionRegistration<Conv2DBatchNormReLU> kRegistration{"Conv2DBatchNormReLU"};

}  // namespace
}  // namespace strata::plugins
