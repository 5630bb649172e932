// OneHot, MixUp and Standardize on their own: what they refuse, in their words, and what they give.
#include "tests/plugins/plugin_test.h"

namespace strata::test {
namespace {

using Field = DataDescription::FieldInfo;

const Field kBytes{"image", STRATA_U8, {2, 2}, 0, {}}, kImage{"image", STRATA_REAL, {2, 2}, 0, {}},
    kLabel{"label", STRATA_I32, {}, 3, {}}, kShares{"one_hot", STRATA_REAL, {3}, 0, {}};

std::string refused(const std::string& name, const Json& options, std::vector<Field> fields) {
  const auto made = infer_transform(*create(STRATA_TRANSFORM, name, options),
                                    {std::move(fields), {{"train", 4}}});
  return made ? "accepted" : made.error().message + " | " + made.error().hint;
}

TEST(OneHot, SaysWhatItCannotRead) {
  EXPECT_EQ(refused("OneHot", {}, {kImage, kLabel}), "accepted");
  EXPECT_EQ(refused("OneHot", {{"field", "class"}}, {kImage, kLabel}),
            "the data has no field `class`: it has `image`, `label` | ");
  EXPECT_EQ(refused("OneHot", {{"field", "image"}}, {kImage, kLabel}),
            "OneHot reads a class number per sample, and `image` is none (its shape is [2, 2]) | ");
  EXPECT_EQ(refused("OneHot", {{"to", "image"}}, {kImage, kLabel}),
            "the data has a field `image` already | give the new one another name: to = \"…\"");
  EXPECT_EQ(refused("OneHot", {{"classes", 2}}, {kImage, kLabel}),
            "`label` has 3 classes, and `classes` is 2 | ");
  EXPECT_EQ(refused("OneHot", {}, {kImage, {"label", STRATA_I32, {}, 0, {}}}),
            "the data do not say how many classes `label` has | say it: OneHot(classes = …)");
}

TEST(MixUp, SaysWhatItCannotMix) {
  EXPECT_EQ(refused("MixUp", {}, {kImage, kLabel, kShares}), "accepted");
  EXPECT_EQ(refused("MixUp", {}, {kImage}), "accepted");
  EXPECT_EQ(refused("MixUp", {}, {kBytes, kLabel, kShares}),
            "`image` holds bytes, and MixUp mixes real numbers | put Rescale, Normalize or "
            "Standardize before it");
  EXPECT_EQ(refused("MixUp", {}, {kImage, kLabel}),
            "`label` holds class numbers, which cannot be mixed | put OneHot(\"label\") before it, "
            "and let the loss read `one_hot`");
  EXPECT_EQ(refused("MixUp", {}, {kLabel}),
            "MixUp mixes real numbers, and the data's first field has none | ");
}

TEST(Standardize, SaysWhatItCannotRead) {
  EXPECT_EQ(refused("Standardize", {}, {kBytes, kLabel}), "accepted");
  EXPECT_EQ(refused("Standardize", {{"field", "label"}}, {kImage, kLabel}),
            "`label` holds class numbers, and Standardize is for images and values | ");
  EXPECT_EQ(refused("Standardize", {{"field", "pixels"}}, {kImage, kLabel}),
            "the data has no field `pixels`: it has `image`, `label` | ");
}

TEST(OneHot, HasAOneAtTheClass) {
  const InstancePtr transform = create(STRATA_TRANSFORM, "OneHot", {{"classes", 4}});
  const strata_field fields[] = {
      {sizeof(strata_field), "label", STRATA_I32, 3, plugin_internal::from_shape({})}};
  std::vector<std::int32_t> labels = {2, 0};
  Buffer<double> out(8);
  const void* inputs[] = {labels.data()};
  void* outputs[] = {labels.data(), out.data()};
  strata_transform_pass pass{};
  pass.struct_size = sizeof pass;
  pass.real_dtype = STRATA_F64;
  pass.count = 2;
  pass.inputs = inputs;
  pass.outputs = outputs;
  const auto apply = [&] {
    return call_plugin(transform->functions<strata_transform>().apply, transform->raw(), fields,
                       std::int64_t{1}, static_cast<const strata_transform_pass*>(&pass));
  };
  ASSERT_TRUE(apply().ok());
  EXPECT_EQ(out.values(), (std::vector<double>{0, 0, 1, 0, 1, 0, 0, 0}));
  labels[1] = 4;
  const Status failed = apply();
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, ExitCode::kData);
  EXPECT_EQ(failed.error().message, "`label` holds 4, which is no class: there are 4, from 0 to 3");
}

TEST(CrossEntropy, ReadsASharePerClass) {
  const InstancePtr loss = create(STRATA_LOSS, "CrossEntropy");
  EXPECT_EQ(refusal(loss, {output({3}), target({3})}), "accepted");
  EXPECT_EQ(refusal(loss, {output({3}), target({4})}),
            "`target` has a share for each of 4 classes, and `logits` has 3 values");
  // One-hot shares are class numbers.
  const std::vector<double> scores = {0.3, -1, 2, 0.1, 0.2, -0.4};
  const LossResult numbers = evaluate<double>(loss, {3}, scores, {2, 0});
  const LossResult shares = evaluate<double>(loss, {3}, scores, {}, {0, 0, 1, 1, 0, 0});
  EXPECT_THAT(shares.losses, IsNear(numbers.losses, 1e-14));
  EXPECT_THAT(shares.gradient, IsNear(numbers.gradient, 1e-14));
}

}  // namespace
}  // namespace strata::test
