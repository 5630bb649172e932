// Dense -> BatchNorm -> ReLU by panels of features: product, normalization and activation of a
// panel are done while it is in cache, and so are, going back, the slices of its weight gradient.
#include "plugins/support/dense_batch_norm.h"

namespace strata::plugins {
namespace {

class DenseBatchNormReLU final : public DenseBatchNormFusion<true> {
 public:
  static constexpr const char* kPattern[] = {"Dense", "BatchNorm", "ReLU"};
  static constexpr const char* kDoc =
      "A fully connected layer, batch normalization and ReLU in one, by panels of 64 features.";
  using DenseBatchNormFusion::DenseBatchNormFusion;
};

const FusionRegistration<DenseBatchNormReLU> kRegistration{"DenseBatchNormReLU"};

}  // namespace
}  // namespace strata::plugins
