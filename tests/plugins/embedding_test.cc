// Embedding: numbers that are none of its rows, and the one that stands for nothing. PyTorch's:
// pytorch_test.cc.
#include "tests/plugins/plugin_test.h"

namespace strata::test {
namespace {

using testing::HasSubstr;
using Values = std::vector<double>;

TEST(Embedding, AddsAnAxis) {
  for (const auto& [in, out] :
       {std::pair{Shape{}, Shape{4}}, {Shape{3}, Shape{3, 4}}, {Shape{2, 5}, Shape{2, 5, 4}}}) {
    OneLayer layer("Embedding", {{"rows", 2}, {"units", 4}}, in, 2);
    EXPECT_EQ(layer.plan.outputs[0], out);
  }
  EXPECT_EQ(
      refusal(create(STRATA_LAYER, "Embedding", {{"rows", 2}, {"units", 4}}),
              {output({1, 1, 1, 1, 1, 1, 1, 1})}),
      "Embedding adds an axis, and [1, 1, 1, 1, 1, 1, 1, 1] has 8 already, the most there may be");
}

TEST(Embedding, RefusesWhatIsNoneOfItsRows) {
  for (const auto& [x, shown] :
       {std::pair{3.0, "3"}, {-1.0, "-1"}, {0.5, "0.5"}, {1e30, "1e+30"}, {std::nan(""), "nan"}}) {
    OneLayer layer("Embedding", {{"rows", 3}, {"units", 2}}, {2}, 2);
    layer.layer_case.input_values[0] = {0, 1, 2, x};
    LayerRun<double> run(layer.layer_case, /*is_training=*/false);
    const Status status = run.forward();
    ASSERT_FALSE(status.ok()) << x;
    EXPECT_EQ(status.error().code, ExitCode::kModel);
    EXPECT_EQ(status.error().message, std::string("Embedding read ") + shown +
                                          ", and its rows are the whole numbers from 0 to 2");
    EXPECT_EQ(
        status.error().hint,
        "give it as many `rows` as there are numbers, and leave out transforms that scale them");
  }
}

TEST(Embedding, ThePaddingIsZerosAndLearnsNothing) {
  OneLayer layer("Embedding", {{"rows", 3}, {"units", 2}, {"padding_index", 1}}, {3}, 1);
  layer.layer_case.input_values[0] = {1, 2, 1};
  layer.layer_case.parameter_values[0] = {1, 2, 3, 4, 5, 6};
  layer.layer_case.d_output_values[0] = {1, 10, 100, 1000, 10000, 100000};
  LayerRun<double> run(layer.layer_case, /*is_training=*/true);
  ASSERT_TRUE(run.forward().ok());
  EXPECT_EQ(run.outputs[0].values(), Values({0, 0, 5, 6, 0, 0}));
  ASSERT_TRUE(run.backward().ok());
  EXPECT_EQ(run.d_parameters[0].values(), Values({0, 0, 0, 0, 100, 1000}));
  EXPECT_EQ(try_create(STRATA_LAYER, "Embedding", {{"rows", 3}, {"units", 2}, {"padding_index", 3}})
                .error()
                .message,
            "`padding_index` is 3, and the rows are 0 to 2");
}

TEST(Embedding, LearnsFromManyUnitsAsFromFew) {
  OneLayer wide("Embedding", {{"rows", 2}, {"units", 100}}, {40}, 30),
      narrow("Embedding", {{"rows", 2}, {"units", 1}}, {40}, 30);
  for (std::size_t i = 0; i < narrow.layer_case.d_output_values[0].size(); ++i)
    narrow.layer_case.d_output_values[0][i] = wide.layer_case.d_output_values[0][i * 100 + 99];
  LayerRun<float> a(wide.layer_case, true), b(narrow.layer_case, true);
  ASSERT_TRUE(a.forward().ok() && b.forward().ok() && a.backward().ok() && b.backward().ok());
  EXPECT_EQ(a.d_parameters[0].data()[199], b.d_parameters[0].data()[1]);
}

}  // namespace
}  // namespace strata::test
