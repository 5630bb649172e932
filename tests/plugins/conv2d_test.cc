// Conv2D against sums written out, over strides, paddings, dilations and groups; and what it
// refuses.
#include "tests/plugins/plugin_test.h"

namespace strata::test {
namespace {

struct ConvCase {
  Json options;
  Shape input;
  std::int64_t groups, kernel_y, kernel_x, stride, dilation, before_y, before_x;
  Shape output;
};

std::vector<double> pattern(std::int64_t count, double phase) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(std::sin(0.7 * static_cast<double>(i) + phase));
  return values;
}

// visit(output index, input index, weight index) for every product of the convolution of one batch.
template <class Visit>
void each_product(const ConvCase& c, std::int64_t batch, const Visit& visit) {
  const std::int64_t in_c = c.input[0], in_h = c.input[1], in_w = c.input[2];
  const std::int64_t out_c = c.output[0], out_h = c.output[1], out_w = c.output[2];
  const std::int64_t per_group = in_c / c.groups, filters = out_c / c.groups;
  for (std::int64_t n = 0; n < batch; ++n) {
    for (std::int64_t f = 0; f < out_c; ++f) {
      for (std::int64_t y = 0; y < out_h; ++y) {
        for (std::int64_t x = 0; x < out_w; ++x) {
          for (std::int64_t k = 0; k < per_group; ++k) {
            for (std::int64_t ky = 0; ky < c.kernel_y; ++ky) {
              for (std::int64_t kx = 0; kx < c.kernel_x; ++kx) {
                const std::int64_t iy = y * c.stride - c.before_y + ky * c.dilation;
                const std::int64_t ix = x * c.stride - c.before_x + kx * c.dilation;
                if (iy < 0 || iy >= in_h || ix < 0 || ix >= in_w) continue;
                const std::int64_t channel = f / filters * per_group + k;
                visit(((n * out_c + f) * out_h + y) * out_w + x,
                      ((n * in_c + channel) * in_h + iy) * in_w + ix,
                      ((f * per_group + k) * c.kernel_y + ky) * c.kernel_x + kx);
              }
            }
          }
        }
      }
    }
  }
}

TEST(Conv2D, AgreesWithSumsWrittenOut) {
  const std::vector<ConvCase> cases = {
      {{{"channels", 3}}, {2, 5, 6}, 1, 3, 3, 1, 1, 0, 0, {3, 3, 4}},
      {{{"channels", 3}, {"padding", "same"}}, {2, 5, 6}, 1, 3, 3, 1, 1, 1, 1, {3, 5, 6}},
      // An odd amount of padding goes below and to the right.
      {{{"channels", 4}, {"padding", "same"}, {"stride", 2}},
       {3, 6, 8},
       1,
       3,
       3,
       2,
       1,
       0,
       0,
       {4, 3, 4}},
      {{{"channels", 4}, {"padding", "same"}, {"stride", 2}},
       {3, 7, 9},
       1,
       3,
       3,
       2,
       1,
       1,
       1,
       {4, 4, 5}},
      {{{"channels", 2}, {"padding", 2}, {"dilation", 2}},
       {1, 6, 6},
       1,
       3,
       3,
       1,
       2,
       2,
       2,
       {2, 6, 6}},
      {{{"channels", 6}, {"groups", 3}, {"padding", 1}}, {3, 4, 5}, 3, 3, 3, 1, 1, 1, 1, {6, 4, 5}},
      {{{"channels", 4}, {"groups", 2}, {"kernel", {1, 3}}, {"padding", {0, 1}}},
       {4, 3, 5},
       2,
       1,
       3,
       1,
       1,
       0,
       1,
       {4, 3, 5}},
      {{{"channels", 5}, {"kernel", 1}}, {4, 3, 3}, 1, 1, 1, 1, 1, 0, 0, {5, 3, 3}},
      {{{"channels", 5}, {"kernel", 1}, {"stride", 2}}, {4, 5, 5}, 1, 1, 1, 2, 1, 0, 0, {5, 3, 3}},
      {{{"channels", 2}, {"kernel", 2}, {"padding", "same"}},
       {1, 3, 3},
       1,
       2,
       2,
       1,
       1,
       0,
       0,
       {2, 3, 3}},
      {{{"channels", 1}, {"kernel", 5}, {"padding", 4}}, {1, 2, 2}, 1, 5, 5, 1, 1, 4, 4, {1, 6, 6}},
      // Padding wider than the filter reaches: some outputs see no input.
      {{{"channels", 2}, {"kernel", 2}, {"padding", 3}}, {1, 3, 4}, 1, 2, 2, 1, 1, 3, 3, {2, 8, 9}},
      // Short lines, whose columns are copied side by side; in parts.
      {{{"channels", 20}, {"padding", "same"}}, {17, 8, 8}, 1, 3, 3, 1, 1, 1, 1, {20, 8, 8}},
      {{{"channels", 16}, {"padding", 1}, {"stride", 2}},
       {16, 16, 16},
       1,
       3,
       3,
       2,
       1,
       1,
       1,
       {16, 8, 8}},
      // Every second value of lines that vectors hold, and a rest of them.
      {{{"channels", 3}, {"padding", 1}, {"stride", 2}},
       {2, 6, 37},
       1,
       3,
       3,
       2,
       1,
       1,
       1,
       {3, 3, 19}},
      // Short lines of inputs that no filter's point meets.
      {{{"channels", 3}, {"kernel", 2}, {"stride", 4}, {"padding", 1}},
       {16, 32, 32},
       1,
       2,
       2,
       4,
       1,
       1,
       1,
       {3, 9, 9}},
      // Strides that leave inputs out, that are wider than the image, and that share no factor with
      // the dilation, or all of it.
      {{{"channels", 3}, {"kernel", 2}, {"stride", 5}},
       {2, 13, 11},
       1,
       2,
       2,
       5,
       1,
       0,
       0,
       {3, 3, 2}},
      {{{"channels", 3}, {"kernel", 3}, {"stride", 9}, {"padding", 1}},
       {2, 4, 6},
       1,
       3,
       3,
       9,
       1,
       1,
       1,
       {3, 1, 1}},
      {{{"channels", 3}, {"stride", 3}, {"dilation", 2}, {"padding", 3}},
       {2, 11, 10},
       1,
       3,
       3,
       3,
       2,
       3,
       3,
       {3, 5, 4}},
      {{{"channels", 3}, {"stride", 2}, {"dilation", 2}, {"padding", 1}},
       {2, 9, 10},
       1,
       3,
       3,
       2,
       2,
       1,
       1,
       {3, 4, 4}},
      // Padding wider than the filter reaches, with a stride.
      {{{"channels", 2}, {"kernel", 2}, {"padding", 3}, {"stride", 2}},
       {1, 3, 4},
       1,
       2,
       2,
       2,
       1,
       3,
       3,
       {2, 4, 5}},
      {{{"channels", 3}, {"padding", "same"}}, {64, 6, 5}, 1, 3, 3, 1, 1, 1, 1, {3, 6, 5}},
      {{{"channels", 3}, {"padding", "same"}, {"stride", 2}},
       {64, 40, 40},
       1,
       3,
       3,
       2,
       1,
       0,
       0,
       {3, 20, 20}},
  };
  for (const ConvCase& c : cases) {
    SCOPED_TRACE(c.options.dump());
    for (const std::int64_t batch : {1, 3, 19}) {
      OneLayer layer("Conv2D", c.options, c.input, batch);
      ASSERT_EQ(layer.plan.outputs[0].text(), c.output.text());
      const std::int64_t outputs = batch * c.output.elements(), inputs = batch * c.input.elements();
      const std::vector<double> x = pattern(inputs, 0.1),
                                weight = pattern(layer.plan.parameters[0].shape.elements(), 1);
      const std::vector<double> bias = pattern(c.output[0], 2), dy = pattern(outputs, 3);
      layer.layer_case.input_values = {x};
      layer.layer_case.parameter_values = {weight, bias};
      layer.layer_case.d_output_values = {dy};
      LayerRun<double> run(layer.layer_case, true);
      ASSERT_TRUE(run.forward().ok());
      const std::vector<double> outcome =
          run.outputs[0].values();  // backward may not look at it: it is poisoned then
      ASSERT_TRUE(run.backward().ok());

      std::vector<double> y(static_cast<std::size_t>(outputs)), dx(x.size()),
          d_weight(weight.size()), d_bias(bias.size());
      for (std::size_t i = 0; i < y.size(); ++i) {
        const auto channel = i / static_cast<std::size_t>(c.output[1] * c.output[2]) % bias.size();
        y[i] = bias[channel];
        d_bias[channel] += dy[i];
      }
      each_product(c, batch, [&](std::int64_t o, std::int64_t i, std::int64_t w) {
        const auto out = static_cast<std::size_t>(o), in = static_cast<std::size_t>(i),
                   at = static_cast<std::size_t>(w);
        y[out] += x[in] * weight[at];
        dx[in] += dy[out] * weight[at];
        d_weight[at] += dy[out] * x[in];
      });
      EXPECT_THAT(outcome, IsNear(y, 1e-12));
      EXPECT_THAT(run.d_input(0).values(), IsNear(dx, 1e-12));
      EXPECT_THAT(run.d_parameters[0].values(), IsNear(d_weight, 1e-11));
      EXPECT_THAT(run.d_parameters[1].values(), IsNear(d_bias, 1e-11));
    }
  }
}

TEST(Conv2D, SaysWhatDoesNotFit) {
  EXPECT_EQ(refusal(create(STRATA_LAYER, "Conv2D", {{"channels", 4}}), {output({28, 28})}),
            "Conv2D takes images of shape [channels, height, width], not [28, 28]");
  EXPECT_EQ(refusal(create(STRATA_LAYER, "Conv2D", {{"channels", 4}, {"kernel", 5}}),
                    {output({1, 4, 9})}),
            "the filter reaches over 5 rows and the image has 4");
  EXPECT_EQ(refusal(create(STRATA_LAYER, "Conv2D", {{"channels", 4}, {"kernel", 9}}),
                    {output({1, 7, 8})}),
            "the filter reaches over 9 rows and the image has 7");
  EXPECT_EQ(refusal(create(STRATA_LAYER, "Conv2D", {{"channels", 4}, {"groups", 3}}),
                    {output({6, 9, 9})}),
            "`groups` must divide the input's 6 channels and the 4 of the output, and is 3");
  EXPECT_EQ(refusal(create(STRATA_LAYER, "Conv2D", {{"channels", 4}, {"kernel", {3, 3, 3}}}),
                    {output({6, 9, 9})}),
            "`kernel` takes one number or [vertical, horizontal], not a list of 3");
}

}  // namespace
}  // namespace strata::test
