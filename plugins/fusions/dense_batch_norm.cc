// Dense -> BatchNorm by panels of features; see DenseBatchNormReLU.
#include "plugins/support/dense_batch_norm.h"

namespace strata::plugins {
namespace {

class DenseBatchNorm final : public DenseBatchNormFusion<false> {
 public:
  static constexpr const char* kPattern[] = {"Dense", "BatchNorm"};
  static constexpr const char* kDoc =
      "A fully connected layer and batch normalization in one, by panels of 64 features.";
  using DenseBatchNormFusion::DenseBatchNormFusion;
};

const FusionRegistration<DenseBatchNorm> kRegistration{"DenseBatchNorm"};

}  // namespace
}  // namespace strata::plugins
