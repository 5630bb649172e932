// trainer report and trainer diff.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/app/run_trainer.h"

namespace strata::testing {
namespace {

class Runs : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    for (const char* seed : {"1", "1", "2"})
      ASSERT_EQ(run_trainer({"train", "models/spirals.model", "train.epochs=3",
                             std::string("train.seed=") + seed, "--runs", "made", "-q"})
                    .code,
                0);
  }
};

TEST_F(Runs, AreReported) {
  const Ran one = run_trainer({"report", "made/spirals/1"});
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_EQ(one.out.find("made/spirals/1/report.html: 1 run of 1 setting, "), 0u) << one.out;
  EXPECT_NE(read_text("made/spirals/1/report.html").find("<svg "), std::string::npos);
  const Ran all = run_trainer({"report", "made", "-o", "all.html"});
  EXPECT_EQ(all.out.find("all.html: 3 runs of 1 setting, "), 0u) << all.out;
  EXPECT_EQ(run_trainer({"report", "made", "-o", "-"}).out, read_text("all.html"));
}

// A cell of a ConfusionMatrix is no figure of its own on a terminal; eval prints the matrix.
TEST(Matrix, IsNoRowOfFigures) {
  std::string model = read_text("models/spirals.model");
  const std::string metric = "Accuracy(logits, label)";
  model.insert(model.find(metric) + metric.size(), ", ConfusionMatrix(logits, label)");
  write_text("matrix.model", model);
  const Ran ran = run_trainer({"train", "matrix.model", "train.epochs=2", "--run", "matrix"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out.find("confusion"), std::string::npos) << ran.out;
  const Ran eval = run_trainer({"eval", "matrix"});
  EXPECT_EQ(eval.out.find("confusion"), std::string::npos) << eval.out;
  EXPECT_NE(eval.out.find("\n\n  class \\ taken for   0   1   2\n  0  "), std::string::npos)
      << eval.out;
}

TEST_F(Runs, AreDrawnAsFiles) {
  const Ran drawn = run_trainer({"report", "made", "--svg", "pictures/of/runs"});
  EXPECT_EQ(drawn.code, 0) << drawn.err;
  EXPECT_NE(drawn.out.find("pictures/of/runs/accuracy-epochs.svg\n"), std::string::npos)
      << drawn.out;
  EXPECT_NE(read_text("pictures/of/runs/accuracy-epochs.svg").find("<svg xmlns="),
            std::string::npos);
  const Ran both = run_trainer({"report", "made", "--svg", "pictures", "-o", "x.html"});
  EXPECT_EQ(both.code, 2);
  EXPECT_NE(both.err.find("`--output` and `--svg` exclude each other"), std::string::npos);
  const Ran empty = run_trainer({"report", "made", "--svg", ""});
  EXPECT_EQ(empty.code, 2);
  EXPECT_NE(empty.err.find("`--svg` needs a path, and got an empty one"), std::string::npos);
  const Ran taken = run_trainer({"report", "made", "--svg", "made/spirals/1/model.model"});
  EXPECT_EQ(taken.code, 2);
  EXPECT_NE(taken.err.find("cannot make the folder `made/spirals/1/model.model`"),
            std::string::npos)
      << taken.err;
}

TEST_F(Runs, AreServedUntilInterrupted) {
  for (const auto& [arguments, message] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--serve", "-o", "x.html"}, "`--output` and `--serve` exclude each other"},
           {{"--serve", "--svg", "x"}, "`--svg` and `--serve` exclude each other"},
           {{"--port", "80"}, "`--port` belongs to `--serve`"},
           {{"--serve", "--port", "70000"}, "70000"}}) {
    std::vector<std::string> all = {"report", "made"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Ran ran = run_trainer(all);
    EXPECT_EQ(ran.code, 2) << message;
    EXPECT_NE(ran.err.find(message), std::string::npos) << ran.err;
  }
  const Ran absent = run_trainer({"report", "made/nothing", "--serve"});
  EXPECT_EQ(absent.code, 2);
  EXPECT_NE(absent.err.find("there is no run folder `made/nothing`"), std::string::npos);
}

TEST_F(Runs, AreCompared) {
  const Ran same = run_trainer({"diff", "made/spirals/1", "made/spirals/2"});
  EXPECT_EQ(same.code, 0) << same.err;
  EXPECT_NE(same.out.find("equal to the last digit in 3 epochs"), std::string::npos) << same.out;
  EXPECT_NE(same.out.find("end          same weights"), std::string::npos) << same.out;
  const Ran other = run_trainer({"diff", "made/spirals/1", "made/spirals/3", "--json"});
  const auto json = nlohmann::json::parse(other.out);
  EXPECT_EQ(json["seed"][0]["second"], "2");
  EXPECT_EQ(json["parting"]["epoch"], 1);
}

TEST_F(Runs, ThatAreMissingAreNamed) {
  const Ran absent = run_trainer({"report", "made/spirals/9"});
  EXPECT_EQ(absent.code, 2);
  EXPECT_NE(absent.err.find("there is no run folder `made/spirals/9`"), std::string::npos)
      << absent.err;
  const Ran several = run_trainer({"diff", "made/spirals", "made/spirals/1"});
  EXPECT_EQ(several.code, 2);
  EXPECT_NE(several.err.find("`made/spirals` holds 3 runs"), std::string::npos) << several.err;
  EXPECT_EQ(run_trainer({"report"}).code, 2);
  EXPECT_EQ(run_trainer({"diff", "made/spirals/1"}).code, 2);
}

}  // namespace
}  // namespace strata::testing
