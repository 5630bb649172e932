// How an epoch is cut into batches.
#include <gtest/gtest.h>

#include <numeric>

#include "framework/runtime/input_pipeline.h"

namespace strata {
namespace {

std::vector<std::int64_t> sizes(std::int64_t samples, std::int64_t batch_size, LastBatch last) {
  const BatchPlan plan{samples, batch_size, last};
  std::vector<std::int64_t> out;
  for (std::int64_t b = 0; b < plan.batches(); ++b) out.push_back(plan.size(b));
  return out;
}

using Sizes = std::vector<std::int64_t>;

TEST(BatchPlan, KeepsASmallLastBatch) {
  EXPECT_EQ(sizes(10, 4, LastBatch::kKeep), (Sizes{4, 4, 2}));
  EXPECT_EQ(sizes(8, 4, LastBatch::kKeep), (Sizes{4, 4}));
  EXPECT_EQ(sizes(3, 4, LastBatch::kKeep), (Sizes{3}));
}

TEST(BatchPlan, DropsASmallLastBatch) {
  EXPECT_EQ(sizes(10, 4, LastBatch::kDrop), (Sizes{4, 4}));
  EXPECT_EQ(sizes(3, 4, LastBatch::kDrop), (Sizes{}));
}

TEST(BatchPlan, MergesASmallLastBatchIntoTheOneBefore) {
  EXPECT_EQ(sizes(10, 4, LastBatch::kMerge), (Sizes{4, 6}));
  EXPECT_EQ(sizes(8, 4, LastBatch::kMerge), (Sizes{4, 4}));
  EXPECT_EQ(sizes(3, 4, LastBatch::kMerge), (Sizes{3}));
}

TEST(BatchPlan, CoversEverySampleOnceInOrder) {
  for (std::int64_t samples = 1; samples < 40; ++samples) {
    for (std::int64_t batch_size = 1; batch_size < 12; ++batch_size) {
      for (const LastBatch last : {LastBatch::kKeep, LastBatch::kMerge}) {
        const BatchPlan plan{samples, batch_size, last};
        std::int64_t at = 0;
        for (std::int64_t b = 0; b < plan.batches(); ++b) {
          EXPECT_EQ(plan.begin(b), at);
          EXPECT_LE(plan.size(b), plan.largest());
          at += plan.size(b);
        }
        EXPECT_EQ(at, samples);
      }
    }
  }
}

}  // namespace
}  // namespace strata
