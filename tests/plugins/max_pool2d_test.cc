// MaxPool2D against maxima written out: windows of two beside one another have loops of their own,
// in blocks whose last one overlaps, and others have not.
#include <cmath>
#include <limits>

#include "tests/plugins/plugin_test.h"

namespace strata::test {
namespace {

struct PoolCase {
  Json options;
  std::int64_t size, stride;
  Shape input, output;
};

// Few different values, so that windows have equals in them.
std::vector<double> values_with_ties(std::int64_t count) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<double>(i * 7919 % 11 % 5));
  return values;
}

// visit(output index, indices of the inputs in its window) for each output.
template <class Visit>
void each_window(const PoolCase& c, std::int64_t batch, const Visit& visit) {
  for (std::int64_t plane = 0; plane < batch * c.output[0]; ++plane) {
    for (std::int64_t y = 0; y < c.output[1]; ++y) {
      for (std::int64_t x = 0; x < c.output[2]; ++x) {
        std::vector<std::size_t> window;
        for (std::int64_t i = y * c.stride; i < std::min(y * c.stride + c.size, c.input[1]); ++i) {
          for (std::int64_t j = x * c.stride; j < std::min(x * c.stride + c.size, c.input[2]); ++j)
            window.push_back(static_cast<std::size_t>((plane * c.input[1] + i) * c.input[2] + j));
        }
        visit(static_cast<std::size_t>((plane * c.output[1] + y) * c.output[2] + x), window);
      }
    }
  }
}

TEST(MaxPool2D, AgreesWithMaximaWrittenOut) {
  std::vector<PoolCase> cases = {
      {{{"padding", "same"}}, 2, 2, {2, 7, 9}, {2, 4, 5}},
      {{{"size", 2}, {"stride", 3}}, 2, 3, {2, 8, 9}, {2, 3, 3}},
      {{{"size", 3}, {"stride", 2}}, 3, 2, {2, 7, 9}, {2, 3, 4}},
      {{{"size", 17}}, 17, 17, {1, 34, 18}, {1, 2, 1}},  // places that no byte holds
  };
  for (const std::int64_t width : {2, 3, 6, 8, 11, 14, 16, 17, 31, 40})
    cases.push_back({{{"size", 2}}, 2, 2, {3, 5, width}, {3, 2, width / 2}});
  for (const PoolCase& c : cases) {
    SCOPED_TRACE(c.options.dump() + " of " + c.input.text());
    const std::int64_t batch = 3;
    OneLayer layer("MaxPool2D", c.options, c.input, batch);
    ASSERT_EQ(layer.plan.outputs[0].text(), c.output.text());
    const std::vector<double> x = values_with_ties(batch * c.input.elements());
    std::vector<double> dy, y, dx(x.size());
    for (std::int64_t i = 0; i < batch * c.output.elements(); ++i)
      dy.push_back(std::sin(0.3 * static_cast<double>(i)));
    layer.layer_case.input_values = {x};
    layer.layer_case.d_output_values = {dy};
    LayerRun<double> run(layer.layer_case, true);
    ASSERT_TRUE(run.forward().ok());
    const std::vector<double> outcome = run.outputs[0].values();
    ASSERT_TRUE(run.backward().ok());
    y.resize(dy.size());
    each_window(c, batch, [&](std::size_t output, const std::vector<std::size_t>& window) {
      std::size_t first = window[0];
      for (const std::size_t i : window) first = x[i] > x[first] ? i : first;
      y[output] = x[first];
      dx[first] += dy[output];
    });
    EXPECT_THAT(outcome, IsNear(y, 0));
    EXPECT_THAT(run.d_input(0).values(), IsNear(dx, 1e-15));
  }
}

TEST(MaxPool2D, PassesNaNOn) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const std::int64_t width : {4, 16, 18}) {
    OneLayer layer("MaxPool2D", {{"size", 2}}, {1, 2, width}, 1);
    for (std::int64_t at = 0; at < 2 * width; ++at) {
      std::vector<double> x(static_cast<std::size_t>(2 * width), 1);
      x[static_cast<std::size_t>(at)] = nan;
      layer.layer_case.input_values = {x};
      LayerRun<double> run(layer.layer_case, true);
      ASSERT_TRUE(run.forward().ok());
      const std::vector<double> y = run.outputs[0].values();
      for (std::int64_t i = 0; i < width / 2; ++i) {
        EXPECT_EQ(std::isnan(y[static_cast<std::size_t>(i)]), i == at % width / 2)
            << "width " << width << ", NaN at " << at << ", output " << i;
      }
    }
  }
}

}  // namespace
}  // namespace strata::test
