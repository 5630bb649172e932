// Every registered plugin through the conformance harness. No list: a new plugin is found in the
// registry.
#include "framework/plugin/testing/conformance.h"

#include <gtest/gtest.h>

#include "framework/plugin/registration.h"
#include "framework/plugin/registry.h"
#include "tests/conformance/allocation_count.h"

namespace strata {
namespace {

std::string name_of(const Entry& entry) {
  std::string kind(kind_name(entry.kind()));
  std::erase(kind, ' ');
  return kind + "_" + entry.name();
}

const Registry& registry() {
  static const Registry registry = Registry::builtin();
  return registry;
}

class Conformance : public testing::TestWithParam<const Entry*> {};

TEST_P(Conformance, Holds) {
  const ConformanceReport report =
      check_conformance(*GetParam(), registry(), {.allocations = &allocation_count});
  for (const std::string& problem : report.problems) ADD_FAILURE() << problem;
  EXPECT_GE(report.checks, 5);
  EXPECT_TRUE(GetParam()->kind() == STRATA_FUSION || !report.cases.empty());
}

INSTANTIATE_TEST_SUITE_P(Plugins, Conformance, testing::ValuesIn(registry().all()),
                         [](const auto& test) { return name_of(*test.param); });

TEST(Registry, HasNoNameTwice) {
  std::size_t registrations = 0;
  for (const auto* r = plugin_internal::registrations(); r; r = r->next) ++registrations;
  EXPECT_EQ(registrations, registry().all().size());
}

TEST(Registry, HasEveryKindThatATrainingRunNeeds) {
  for (const Kind kind : {STRATA_LAYER, STRATA_LOSS, STRATA_METRIC, STRATA_OPTIMIZER,
                          STRATA_SCHEDULE, STRATA_INITIALIZER, STRATA_DATASET, STRATA_TRANSFORM}) {
    EXPECT_FALSE(registry().all(kind).empty()) << kind_name(kind);
  }
}

TEST(Hints, BatchNormExplainsMomentum) {
  const Entry* batch_norm = registry().find(STRATA_LAYER, "BatchNorm");
  ASSERT_NE(batch_norm, nullptr);
  const std::string hint = batch_norm->hint_for("momentum");
  EXPECT_NE(hint.find("PyTorch"), std::string::npos);
  EXPECT_NE(hint.find("Keras"), std::string::npos);
  EXPECT_NE(hint.find("decay = 0.9"), std::string::npos);
  EXPECT_EQ(batch_norm->hint_for("momentun"), "");
}

}  // namespace
}  // namespace strata
