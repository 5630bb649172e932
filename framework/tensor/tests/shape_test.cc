// Shapes are checked when they are made.
#include "framework/tensor/shape.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace strata {
namespace {

TEST(Shape, KnowsItsExtents) {
  const Shape shape{3, 4, 5};
  EXPECT_EQ(shape.rank(), 3);
  EXPECT_EQ(shape.elements(), 60);
  EXPECT_EQ(shape[-1], 5);
  EXPECT_EQ(shape.elements(1, 3), 20);
  EXPECT_EQ(shape.text(), "[3, 4, 5]");
  EXPECT_EQ(Shape{}.elements(), 1);
  EXPECT_EQ(Shape{}.text(), "[]");
  EXPECT_FALSE((Shape{3, 4} == Shape{4, 3}));
}

std::string why(std::vector<std::int64_t> dims) {
  return Shape::why_invalid(dims.begin(), dims.end());
}

TEST(Shape, RefusesWhatIsNone) {
  EXPECT_EQ(why({2, 3}), "");
  EXPECT_EQ(why({2, 0}), "an axis cannot have the extent 0");
  EXPECT_EQ(why({-7}), "an axis cannot have the extent -7");
  EXPECT_EQ(why({1, 1, 1, 1, 1, 1, 1, 1, 1}), "a shape has at most 8 axes");
  constexpr std::int64_t kLarge = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(why({kLarge, kLarge}), "the shape has too many elements");
  EXPECT_EQ(why({std::int64_t{1} << 40, std::int64_t{1} << 40}), "the shape has too many elements");
  EXPECT_THROW((Shape{2, 0}), std::invalid_argument);
}

}  // namespace
}  // namespace strata
