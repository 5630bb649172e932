#include "framework/tables/feature_name.h"

#include <gtest/gtest.h>

namespace strata {
namespace {

TEST(FeatureNames, AreReadBackAsTheyWere) {
  const std::pair<FeatureName, const char*> names[] = {
      {{"body_mass_g", {}, {}}, "body_mass_g"},
      {{"body_mass_g", {}, 4201.75}, "body_mass_g~4201.75"},
      {{"x", {}, -1e-12}, "x~-1e-12"},
      {{"sex", "female", {}}, "sex=female"},
      {{"sex", "", {}}, "sex="},
      {{"a=b", "c~d", {}}, "a\\=b=c\\~d"},
      {{"a\\", {}, 0.5}, "a\\\\~0.5"},
      {{"größe (cm)", "1,5 = viel", {}}, "größe (cm)=1,5 \\= viel"}};
  for (const auto& [name, text] : names) {
    EXPECT_EQ(print_feature(name), text);
    EXPECT_EQ(parse_feature(text), name) << text;
  }
}

TEST(FeatureNames, OtherTextsAreNone) {
  for (const char* text : {"a=b=c", "a~", "a~b", "a~1~2", "a\\", "a=b\\", "a~1=b"})
    EXPECT_FALSE(parse_feature(text)) << text;
}

}  // namespace
}  // namespace strata
