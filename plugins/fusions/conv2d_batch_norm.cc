// Conv2D -> BatchNorm by samples; see Conv2DBatchNormReLU.
#include "plugins/support/convolution_batch_norm.h"

namespace strata::plugins {
namespace {

class Conv2DBatchNorm final : public ConvolutionBatchNormFusion<AfterNorm::kNothing> {
 public:
  static constexpr const char* kPattern[] = {"Conv2D", "BatchNorm"};
  static constexpr const char* kDoc =
      "A convolution and batch normalization in one, sample by sample.";
  using ConvolutionBatchNormFusion::ConvolutionBatchNormFusion;
};

const FusionRegistration<Conv2DBatchNorm> kRegistration{"Conv2DBatchNorm"};

}  // namespace
}  // namespace strata::plugins
