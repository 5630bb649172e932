// Conv2D -> BatchNorm -> Add -> ReLU, the end of a residual block (He et al., 2016,
// arXiv:1512.03385), by samples: neither the normalized values nor their sum are in memory before
// the ReLU.
#include "plugins/support/convolution_batch_norm.h"

namespace strata::plugins {
namespace {

class Conv2DBatchNormAddReLU final : public ConvolutionBatchNormFusion<AfterNorm::kAddReLU> {
 public:
  static constexpr const char* kPattern[] = {"Conv2D", "BatchNorm", "Add", "ReLU"};
  static constexpr const char* kDoc =
      "A convolution, batch normalization, the sum with one other value and ReLU in one, sample by "
      "sample. The convolution's branch is the first that `Add` names.";
  using ConvolutionBatchNormFusion::ConvolutionBatchNormFusion;
};

const FusionRegistration<Conv2DBatchNormAddReLU> kRegistration{"Conv2DBatchNormAddReLU"};

}  // namespace
}  // namespace strata::plugins
