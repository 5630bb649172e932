// Synthetic, Rescale and Normalize.
#include "framework/plugin/dataset.h"
#include "tests/plugins/plugin_test.h"

namespace strata::test {
namespace {

using Values = std::vector<double>;

// All points of a split, in f64.
Values points(const Json& options, std::int64_t split = 0) {
  const InstancePtr dataset = create(STRATA_DATASET, "Synthetic", options);
  const auto opened = open_dataset(*dataset, {});
  if (!opened) throw std::runtime_error(opened.error().message);
  const std::int64_t samples = opened->splits[static_cast<std::size_t>(split)].samples;
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < samples; ++i) indices.push_back(i);
  Buffer<double> point(samples * opened->fields[0].shape.elements());
  Buffer<std::int32_t> label(samples);
  void* fields[] = {point.data(), label.data()};
  EXPECT_TRUE(call_plugin(dataset->functions<strata_dataset>().read, dataset->raw(), split,
                          indices.data(), samples, std::int32_t{STRATA_F64}, fields)
                  .ok());
  for (std::int64_t i = 0; i < samples; ++i)
    EXPECT_EQ(label.data()[i], i % opened->fields[1].classes);
  return point.values();
}

TEST(Synthetic, SpiralsAreArmsThatTurnByHalfACircle) {
  const Values p = points({{"classes", 3}, {"noise", 0.0}, {"samples", 300}});
  for (std::size_t i = 0; i < 300; ++i) {
    const double radius = std::hypot(p[2 * i], p[2 * i + 1]),
                 angle = std::atan2(p[2 * i + 1], p[2 * i]);
    ASSERT_LE(radius, 1);
    const double expected = 2 * M_PI * static_cast<double>(i % 3) / 3 + M_PI * radius;
    ASSERT_NEAR(std::remainder(angle - expected, 2 * M_PI), 0, 1e-9) << i;
  }
}

TEST(Synthetic, BlobsLieAroundTheirCentres) {
  const Values p = points(
      {{"kind", "blobs"}, {"classes", 4}, {"features", 5}, {"samples", 4000}, {"noise", 0.1}});
  for (std::size_t c = 0; c < 4; ++c) {
    double x = 0, squares = 0;
    for (std::size_t i = c; i < 4000; i += 4) x += p[5 * i] / 1000;
    for (std::size_t i = c; i < 4000; i += 4) squares += (p[5 * i] - x) * (p[5 * i] - x) / 1000;
    EXPECT_NEAR(x, std::cos(2 * M_PI * static_cast<double>(c) / 4), 0.02);
    EXPECT_NEAR(squares, 0.01, 0.002);
  }
}

TEST(Synthetic, DependsOnTheSeedAlone) {
  EXPECT_EQ(points({{"seed", 4}}), points({{"seed", 4}}));
  EXPECT_NE(points({{"seed", 4}}), points({{"seed", 5}}));
  EXPECT_NE(points({{"samples", 200}}, 0), points({{"samples", 200}}, 1))
      << "val is not train again";
  const Values few = points({{"samples", 10}}), many = points({{"samples", 20}});
  EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin()))
      << "more samples begin with the same ones";
}

TEST(Synthetic, RefusesSpiralsOfThreeFeatures) {
  EXPECT_EQ(try_create(STRATA_DATASET, "Synthetic", {{"features", 3}}).error().message,
            "spirals have 2 features, not 3");
}

DataDescription data_of(DataDescription::FieldInfo first) {
  return {{std::move(first), {"label", STRATA_I32, {}, 10, {"a"}}}, {{"train", 5}}};
}

template <class X>
Values apply(const InstancePtr& transform, const DataDescription& data, const Values& values) {
  const auto elements = static_cast<std::int64_t>(values.size());
  Buffer<X> in(elements);
  Buffer<double> out(elements);
  in.set(values);
  const strata_field fields[] = {
      {sizeof(strata_field), "image", data.fields[0].dtype, 0,
       plugin_internal::from_shape(data.fields[0].shape)},
      {sizeof(strata_field), "label", STRATA_I32, 10, plugin_internal::from_shape({})}};
  const void* inputs[] = {in.data(), nullptr};
  void* outputs[] = {out.data(), nullptr};
  strata_transform_pass pass{};
  pass.struct_size = sizeof pass;
  pass.real_dtype = STRATA_F64;
  pass.count = elements / data.fields[0].shape.elements();
  pass.inputs = inputs;
  pass.outputs = outputs;
  pass.services = &serial_services();
  EXPECT_TRUE(call_plugin(transform->functions<strata_transform>().apply, transform->raw(), fields,
                          std::int64_t{2}, static_cast<const strata_transform_pass*>(&pass))
                  .ok());
  EXPECT_TRUE(out.intact());
  return out.values();
}

TEST(Rescale, MakesRealNumbersOfBytes) {
  const DataDescription data = data_of({"image", STRATA_U8, {2, 2}, 0, {}});
  const InstancePtr rescale =
      create(STRATA_TRANSFORM, "Rescale", {{"scale", 1.0 / 255}, {"offset", -0.5}});
  const auto after = infer_transform(*rescale, data);
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->fields[0].dtype, STRATA_REAL);
  EXPECT_EQ(after->fields[0].shape, (Shape{2, 2}));
  EXPECT_EQ(after->fields[1].class_names, std::vector<std::string>{"a"});
  EXPECT_EQ(after->splits[0].samples, 5);
  EXPECT_THAT(apply<std::uint8_t>(rescale, data, {0, 51, 255, 102}),
              IsNear(Values({-0.5, -0.3, 0.5, -0.1}), 1e-15));
}

TEST(Rescale, NeedsItsScale) {
  EXPECT_FALSE(default_call(*registry().find(STRATA_TRANSFORM, "Rescale"), registry()).ok());
}

TEST(Rescale, ByNothingIsASlip) {
  const auto instance = try_create(STRATA_TRANSFORM, "Rescale", {{"scale", 0.0}});
  ASSERT_FALSE(instance.ok());
  EXPECT_EQ(instance.error().message, "`scale` is 0, which makes all values the same");
  EXPECT_EQ(instance.error().hint, "`1 // 255` is a whole number, 0; `1 / 255` is not");
}

TEST(Normalize, BringsBytesToUnitRangeFirst) {
  const DataDescription data = data_of({"image", STRATA_U8, {1, 2}, 0, {}});
  const InstancePtr normalize =
      create(STRATA_TRANSFORM, "Normalize", {{"mean", 0.1307}, {"std", 0.3081}});
  EXPECT_THAT(apply<std::uint8_t>(normalize, data, {0, 255, 33, 34}),
              IsNear(Values({-0.1307 / 0.3081, (1 - 0.1307) / 0.3081,
                             (33 / 255.0 - 0.1307) / 0.3081, (34 / 255.0 - 0.1307) / 0.3081}),
                     1e-15));
}

TEST(Normalize, TakesRealNumbersAsTheyAreAndAListPerChannel) {
  const DataDescription data = data_of({"image", STRATA_REAL, {2, 1, 2}, 0, {}});
  const InstancePtr normalize =
      create(STRATA_TRANSFORM, "Normalize",
             {{"mean", Json::array({1, 10})}, {"std", Json::array({2.0, 0.5})}});
  EXPECT_EQ(apply<double>(normalize, data, {1, 3, 10, 11, 5, 1, 9, 10}),
            Values({0, 1, 0, 2, 2, 0, -2, 0}));
}

std::string transform_refusal(const std::string& name, const Json& options,
                              const DataDescription& data) {
  const auto after = infer_transform(*create(STRATA_TRANSFORM, name, options), data);
  return after ? "accepted" : after.error().message;
}

TEST(Transforms, RefuseWhatCannotBe) {
  const DataDescription grey = data_of({"image", STRATA_U8, {28, 28}, 0, {}});
  EXPECT_EQ(transform_refusal("Rescale", {{"scale", 1}, {"field", "images"}}, grey),
            "the data has no field `images`: it has `image`, `label`");
  EXPECT_EQ(transform_refusal("Rescale", {{"scale", 1}, {"field", "label"}}, grey),
            "`label` holds class numbers, and Rescale is for images and values");
  EXPECT_EQ(
      transform_refusal("Normalize", {{"mean", Json::array({0.1, 0.2, 0.3})}, {"std", 1}}, grey),
      "`mean` has 3 numbers, and `image` of shape [28, 28] has 1 channel");
  EXPECT_EQ(try_create(STRATA_TRANSFORM, "Normalize", {{"mean", 0}, {"std", 0}}).error().message,
            "`std` must be above 0, not 0.0");
  EXPECT_EQ(try_create(STRATA_TRANSFORM, "Normalize", {{"mean", 0}, {"std", Json::array({1, -1})}})
                .error()
                .message,
            "`std` must be above 0, not -1.0");
}

}  // namespace
}  // namespace strata::test
