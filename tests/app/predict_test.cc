// Predictions from files of every format, and damaged ones.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/app/run_trainer.h"

namespace strata::testing {
namespace {

using Json = nlohmann::json;

const std::string& trained() {
  static const std::string run = [] {
    write_text("small.model", kSmallModel);
    EXPECT_EQ(run_trainer({"train", "small.model", "train.epochs=30", "--run", "trained"}).code, 0);
    return std::string("trained");
  }();
  return run;
}

TEST(Predict, CsvInCsvOut) {
  write_text("points.csv", "x,y\n0.1,0.2\n-0.5,0.5\n0.9,-0.1\n");
  const Ran ran = run_trainer({"predict", trained(), "points.csv"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(ran.out.find("index,class,probability\n0,"), 0u) << ran.out;
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 4);
}

TEST(Predict, StandardInputIsTheSame) {
  write_text("points.csv", "0.1,0.2\n-0.5,0.5\n");
  const Ran file = run_trainer({"predict", trained(), "points.csv"});
  const Ran input = run_trainer({"predict", trained(), "-"}, {.input = "0.1,0.2\n-0.5,0.5\n"});
  EXPECT_EQ(input.code, 0) << input.err;
  EXPECT_EQ(input.out, file.out);
}

TEST(Predict, JsonHasProbabilitiesThatSumToOne) {
  write_text("points.csv", "0.1,0.2\n-0.5,0.5\n");
  const Ran ran = run_trainer({"predict", trained(), "points.csv", "--format", "json", "--all"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Json list = Json::parse(ran.out);
  ASSERT_EQ(list.size(), 2u);
  for (const Json& item : list) {
    double sum = 0;
    for (const double p : item["probabilities"]) sum += p;
    EXPECT_NEAR(sum, 1, 1e-6);
    EXPECT_EQ(item["probability"], item["probabilities"][item["class"].get<int>()]);
  }
}

TEST(Predict, TopClassesInOrder) {
  write_text("points.csv", "0.1,0.2\n");
  const Ran ran =
      run_trainer({"predict", trained(), "points.csv", "--format", "json", "--top", "3"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Json top = Json::parse(ran.out)[0]["top"];
  ASSERT_EQ(top.size(), 3u);
  EXPECT_GE(top[0]["probability"], top[1]["probability"]);
  EXPECT_GE(top[1]["probability"], top[2]["probability"]);
}

TEST(Predict, WritesAFile) {
  write_text("points.csv", "0.1,0.2\n");
  const Ran ran = run_trainer({"predict", trained(), "points.csv", "--output", "result.csv"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(read_text("result.csv"), run_trainer({"predict", trained(), "points.csv"}).out);
}

TEST(Predict, DamagedInput) {
  write_text("bad.csv", "0.1,0.2\n0.3,zero\n");
  const Ran word = run_trainer({"predict", trained(), "bad.csv"});
  EXPECT_EQ(word.code, 4);
  EXPECT_EQ(word.err, "error: bad.csv: line 2, column 2: `zero` is not a number\n");
  write_text("wide.csv", "1,0.1,0.2\n");
  const Ran wide = run_trainer({"predict", trained(), "wide.csv"});
  EXPECT_EQ(wide.code, 4);
  EXPECT_EQ(wide.err,
            "error: wide.csv: a sample has 3 values ([3]), and the model takes 2 ([2])\n"
            "  help: leave out a column that holds labels or an index\n");
  const Ran missing = run_trainer({"predict", trained(), "wid.csv"});
  EXPECT_EQ(missing.code, 4);
  EXPECT_EQ(missing.err,
            "error: cannot read `wid.csv`: no such file or directory\n  help: did you mean "
            "`wide.csv`?\n");
}

TEST(Predict, WeightsNeedTheirModel) {
  write_text("weights.safetensors", std::string("\x02\0\0\0\0\0\0\0{}", 10));
  write_text("points.csv", "0.1,0.2\n");
  const Ran ran = run_trainer({"predict", "weights.safetensors", "points.csv"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.err,
            "error: `weights.safetensors` holds weights, but not the model that they belong to\n"
            "  help: say which it is: --file models/NAME.model\n");
  write_text("nonsense.safetensors", "nonsense");
  EXPECT_EQ(run_trainer({"predict", "nonsense.safetensors", "points.csv"}).code, 4);
}

TEST(Predict, RegressionGivesValues) {
  write_text("auto.model", R"(format 1

model auto(point: [2]) -> code {
  point -> Dense(2) as code
}

data points = Synthetic(kind = "spirals", samples = 60, val_samples = 30)

train {
  loss      = MeanSquaredError(code, point)
  optimizer = SGD(lr = 0.1)
  epochs    = 2
}
)");
  const Ran train = run_trainer({"train", "auto.model", "--run", "auto"});
  ASSERT_EQ(train.code, 0) << train.err;
  write_text("points.csv", "0.1,0.2\n");
  const Ran ran = run_trainer({"predict", "auto", "points.csv"});
  EXPECT_EQ(ran.out.find("index,code0,code1\n0,"), 0u) << ran.out << ran.err;
  EXPECT_EQ(run_trainer({"predict", "auto", "points.csv", "--top", "2"}).code, 2);
}

TEST(Eval, UnknownSplitSaysWhichThereAre) {
  const Ran ran = run_trainer({"eval", trained(), "--split", "test"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.err, "error: the data set has no split `test`; it has `train`, `val`\n");
}

TEST(Eval, PrintsATable) {
  const Ran ran = run_trainer({"eval", trained(), "--split", "train"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out.find("small on train, 60 samples in "), 0u) << ran.out;
  EXPECT_NE(ran.out.find("\n  loss "), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("\n  accuracy "), std::string::npos) << ran.out;
}

}  // namespace
}  // namespace strata::testing
