// Layers of sequences, and ConvTranspose2D: shapes, and what they refuse. PyTorch's numbers:
// pytorch_test.cc.
#include "tests/plugins/plugin_test.h"

namespace strata::test {
namespace {

Shape shape_of(const std::string& name, const Json& options, const Shape& input) {
  return OneLayer(name, options, input, 2).plan.outputs[0];
}

std::string refused(const std::string& name, const Json& options, const Shape& input) {
  const auto made = try_create(STRATA_LAYER, name, options);
  return made ? refusal(*made, {output(input)}) : made.error().message;
}

TEST(Conv1D, LengthsFollowThePadding) {
  EXPECT_EQ(shape_of("Conv1D", {{"channels", 5}}, {2, 11}), (Shape{5, 9}));
  EXPECT_EQ(shape_of("Conv1D", {{"channels", 5}, {"padding", 2}, {"stride", 3}}, {2, 11}),
            (Shape{5, 5}));
  for (const char* padding : {"same", "causal"}) {
    EXPECT_EQ(shape_of("Conv1D", {{"channels", 5}, {"padding", padding}, {"stride", 2}}, {2, 11}),
              (Shape{5, 6}));
  }
}

TEST(Conv1D, SaysWhatItCannotDo) {
  EXPECT_EQ(refused("Conv1D", {{"channels", 5}}, {3, 8, 8}),
            "Conv1D takes sequences of shape [channels, length], not [3, 8, 8]");
  EXPECT_EQ(refused("Conv1D", {{"channels", 5}, {"kernel", 3}, {"dilation", 4}}, {2, 8}),
            "the filter reaches over 9 positions and the sequence has 8");
  EXPECT_EQ(refused("Conv1D", {{"channels", 5}, {"kernel", 13}, {"padding", 2}}, {2, 8}),
            "the filter reaches over 13 positions and the sequence has 12 with its padding");
  EXPECT_EQ(refused("Conv1D", {{"channels", 5}, {"groups", 2}}, {2, 8}),
            "`groups` must divide the input's 2 channels and the 5 of the output, and is 2");
}

// No output of a causal convolution sees what comes after it.
TEST(Conv1D, CausalPaddingLooksBack) {
  OneLayer layer("Conv1D", {{"channels", 3}, {"kernel", 3}, {"dilation", 2}, {"padding", "causal"}},
                 {2, 9}, 1);
  LayerRun<double> before(layer.layer_case, false);
  for (const std::size_t i : {6, 15})
    layer.layer_case.input_values[0][i] += 1;  // position 6 of both
  LayerRun<double> after(layer.layer_case, false);
  ASSERT_TRUE(before.forward().ok() && after.forward().ok());
  for (int c = 0; c < 3; ++c) {
    for (int i = 0; i < 9; ++i) {
      const bool same = before.outputs[0].data()[c * 9 + i] == after.outputs[0].data()[c * 9 + i];
      EXPECT_EQ(same, i != 6 && i != 8) << i;
    }
  }
}

TEST(ConvTranspose2D, SizesAreThoseOfTheFormula) {
  const Shape in{2, 5, 7};
  EXPECT_EQ(shape_of("ConvTranspose2D", {{"channels", 3}}, in), (Shape{3, 7, 9}));
  EXPECT_EQ(shape_of("ConvTranspose2D", {{"channels", 3}, {"kernel", 2}, {"stride", 2}}, in),
            (Shape{3, 10, 14}));
  EXPECT_EQ(
      shape_of("ConvTranspose2D",
               {{"channels", 3}, {"stride", {2, 3}}, {"padding", 1}, {"output_padding", {1, 2}}},
               in),
      (Shape{3, 10, 21}));
  EXPECT_EQ(
      shape_of("ConvTranspose2D", {{"channels", 3}, {"stride", {2, 3}}, {"padding", "same"}}, in),
      (Shape{3, 10, 21}));
}

TEST(ConvTranspose2D, SaysWhatItCannotDo) {
  EXPECT_EQ(refused("ConvTranspose2D", {{"channels", 3}}, {5, 7}),
            "ConvTranspose2D takes images of shape [channels, height, width], not [5, 7]");
  EXPECT_EQ(refused("ConvTranspose2D", {{"channels", 3}, {"kernel", {1, 2, 3}}}, {2, 5, 7}),
            "`kernel` has 3 numbers, and it is one number, or [vertical, horizontal]");
  EXPECT_EQ(refused("ConvTranspose2D", {{"channels", 3}, {"stride", 2}, {"output_padding", 2}},
                    {2, 5, 7}),
            "`output_padding` must be smaller than the stride or the dilation, and is 2 where they "
            "are 2 and 1");
  EXPECT_EQ(refused("ConvTranspose2D",
                    {{"channels", 3}, {"padding", "same"}, {"output_padding", 1}}, {2, 5, 7}),
            "`output_padding` goes with padding in numbers, not with \"same\"");
  EXPECT_EQ(
      refused("ConvTranspose2D", {{"channels", 3}, {"padding", Json::array({4, 1})}}, {2, 5, 7}),
      "a padding of 4 on both sides leaves nothing of the 7 rows of the output");
  EXPECT_EQ(refused("ConvTranspose2D", {{"channels", 3}, {"groups", 2}}, {2, 5, 7}),
            "`groups` must divide the input's 2 channels and the 3 of the output, and is 2");
}

TEST(Pools1D, SayWhatTheyCannotDo) {
  for (const std::string name : {"MaxPool1D", "AveragePool1D"}) {
    EXPECT_EQ(shape_of(name, {}, {3, 7}), (Shape{3, 3}));
    EXPECT_EQ(shape_of(name, {{"padding", "same"}}, {3, 7}), (Shape{3, 4}));
    EXPECT_EQ(refused(name, {}, {3, 7, 7}),
              name + " takes sequences of shape [channels, length], not [3, 7, 7]");
    EXPECT_EQ(refused(name, {{"size", 8}}, {3, 7}),
              name + "'s window of 8 does not fit into [3, 7]");
    EXPECT_EQ(refused(name, {{"padding", 2}}, {3, 7}),
              "a padding of 2 leaves windows of size 2 with nothing but padding");
  }
  EXPECT_EQ(refused("AveragePool1D", {{"padding", "same"}, {"count_padding", true}}, {3, 7}),
            "`count_padding` goes with padding in numbers, not with \"same\"");
}

TEST(Pools1D, NotANumberIsPassedOn) {
  OneLayer layer("MaxPool1D", {}, {1, 4}, 1);
  layer.layer_case.input_values[0] = {std::nan(""), 2, 3, 4};
  LayerRun<double> run(layer.layer_case, false);
  ASSERT_TRUE(run.forward().ok());
  EXPECT_TRUE(std::isnan(run.outputs[0].data()[0]));
  EXPECT_EQ(run.outputs[0].data()[1], 4);
}

}  // namespace
}  // namespace strata::test
