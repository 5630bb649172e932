// RandomCrop, RandomErasing, Cutout and Resize: what they do to images.
#include "framework/plugin/dataset.h"
#include "tests/plugins/plugin_test.h"

namespace strata::test {
namespace {

using Values = std::vector<double>;

DataDescription data_of(strata_dtype dtype, const Shape& shape) {
  return {{{"image", dtype, shape, 0, {}}, {"label", STRATA_I32, {}, 10, {}}}, {{"train", 5}}};
}

// Images of one shape through a transform; in place where the shape stays.
template <class U>
Values apply(const std::string& name, const Json& options, const Shape& shape, const Values& values,
             bool training = true, std::uint64_t key = 5) {
  const strata_dtype dtype = sizeof(U) == 1 ? STRATA_U8 : STRATA_REAL;
  const InstancePtr transform = create(STRATA_TRANSFORM, name, options);
  const auto after = infer_transform(*transform, data_of(dtype, shape));
  if (!after) throw std::runtime_error(after.error().message);
  const auto count = static_cast<std::int64_t>(values.size()) / shape.elements();
  Buffer<U> in(static_cast<std::int64_t>(values.size())),
      out(count * after->fields[0].shape.elements());
  in.set(values);
  const bool in_place = after->fields[0].shape == shape;
  const strata_field fields[] = {
      {sizeof(strata_field), "image", dtype, 0, plugin_internal::from_shape(shape)},
      {sizeof(strata_field), "label", STRATA_I32, 10, plugin_internal::from_shape({})}};
  const void* inputs[] = {in.data(), nullptr};
  void* outputs[] = {in_place ? in.data() : out.data(), nullptr};
  std::vector<std::uint64_t> keys;
  for (std::int64_t i = 0; i < count; ++i)
    keys.insert(keys.end(), {key, static_cast<std::uint64_t>(i)});
  strata_transform_pass pass{};
  pass.struct_size = sizeof pass;
  pass.real_dtype = STRATA_F64;
  pass.training = training;
  pass.count = count;
  pass.inputs = inputs;
  pass.outputs = outputs;
  pass.keys = keys.data();
  pass.services = &serial_services();
  EXPECT_TRUE(call_plugin(transform->functions<strata_transform>().apply, transform->raw(), fields,
                          std::int64_t{2}, static_cast<const strata_transform_pass*>(&pass))
                  .ok());
  EXPECT_TRUE(in.intact() && out.intact());
  const Buffer<U>& result = in_place ? in : out;
  return Values(result.data(), result.data() + result.size());
}

Values ones(std::int64_t count) { return Values(static_cast<std::size_t>(count), 1); }
Values counted(std::int64_t count) {
  Values values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<double>(i + 1));
  return values;
}

// An image moved by (dy, dx), with zeros where nothing came from.
Values moved(const Values& image, int height, int width, int dy, int dx) {
  Values out(image.size(), 0);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int from_y = y + dy, from_x = x + dx;
      if (from_y < 0 || from_y >= height || from_x < 0 || from_x >= width) continue;
      out[static_cast<std::size_t>(y * width + x)] =
          image[static_cast<std::size_t>(from_y * width + from_x)];
    }
  }
  return out;
}

TEST(RandomCrop, MovesImagesByUpToThePadding) {
  const Values image = counted(30);
  std::vector<int> seen(25, 0);
  for (std::uint64_t key = 0; key < 400; ++key) {
    const Values out = apply<double>("RandomCrop", {{"padding", 2}}, {5, 6}, image, true, key);
    int matches = 0;
    for (int place = 0; place < 25; ++place) {
      if (out != moved(image, 5, 6, place / 5 - 2, place % 5 - 2)) continue;
      ++seen[static_cast<std::size_t>(place)];
      ++matches;
    }
    ASSERT_EQ(matches, 1);
  }
  for (const int times : seen) EXPECT_GT(times, 2);
}

TEST(RandomCrop, TakesTheMiddleOutsideOfTraining) {
  EXPECT_EQ(apply<double>("RandomCrop", Json::object(), {3, 4}, counted(12), false), counted(12));
  EXPECT_EQ(apply<std::uint8_t>("RandomCrop", {{"padding", 0}, {"size", Json::array({1, 2})}},
                                {3, 4}, counted(12), false),
            Values({6, 7}));
}

TEST(RandomCrop, RefusesPartsThatDoNotFit) {
  const auto after = infer_transform(
      *create(STRATA_TRANSFORM, "RandomCrop", {{"padding", 1}, {"size", Json::array({7, 3})}}),
      data_of(STRATA_U8, {4, 4}));
  ASSERT_FALSE(after.ok());
  EXPECT_EQ(after.error().message,
            "a part of 7 pixels does not fit into [4, 4] with a padding of 1");
}

TEST(RandomErasing, CoversTheShareThatWasAskedForInAllChannels) {
  const Json options = {{"probability", 1.0},
                        {"area", Json::array({0.25, 0.25})},
                        {"ratio", Json::array({1.0, 1.0})},
                        {"value", 7.0}};
  const Values out = apply<double>("RandomErasing", options, {2, 8, 8}, ones(128 * 20));
  for (std::size_t plane = 0; plane < 40; ++plane) {
    EXPECT_EQ(std::count(out.begin() + static_cast<std::ptrdiff_t>(plane * 64),
                         out.begin() + static_cast<std::ptrdiff_t>(plane * 64 + 64), 7.0),
              16);
  }
  EXPECT_EQ(apply<double>("RandomErasing", options, {8, 8}, ones(64), false), ones(64));
}

TEST(Cutout, ZeroesAtMostASquare) {
  const Values out = apply<std::uint8_t>("Cutout", {{"size", 4}}, {10, 10}, ones(100 * 50));
  for (std::size_t image = 0; image < 50; ++image) {
    const auto begin = out.begin() + static_cast<std::ptrdiff_t>(image * 100);
    const auto zeros = std::count(begin, begin + 100, 0.0);
    EXPECT_GE(zeros, 4);
    EXPECT_LE(zeros, 16);
  }
}

TEST(Resize, GoesStraightBetweenPixelCentres) {
  EXPECT_EQ(apply<double>("Resize", {{"size", Json::array({1, 4})}}, {1, 2}, {0, 4}),
            Values({0, 1, 3, 4}));
  EXPECT_EQ(apply<std::uint8_t>("Resize", {{"size", Json::array({1, 4})}}, {1, 2}, {0, 255}),
            Values({0, 64, 191, 255}));
  EXPECT_EQ(apply<double>("Resize", {{"size", 2}, {"mode", "nearest"}}, {4, 4}, counted(16)),
            Values({1, 3, 9, 11}));
  EXPECT_EQ(apply<double>("Resize", {{"size", 3}}, {3, 3}, counted(9)), counted(9));
}

}  // namespace
}  // namespace strata::test
