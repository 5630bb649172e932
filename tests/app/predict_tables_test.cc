// Predictions for tables as a model was trained on: columns by name, words by what the checkpoint
// knows, and what is said of tables that do not fit.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/app/run_trainer.h"

namespace strata::testing {
namespace {

namespace fs = std::filesystem;

// Of 60 things, red ones weigh less than 30; some weights are missing where `missing` says so.
std::string trained(const std::string& name, const std::string& options) {
  if (exists(name)) return name;
  std::string rows = "id,color,weight,kind\n";
  for (int i = 0; i < 60; ++i) {
    const char* color = i % 3 == 0 ? "red" : i % 3 == 1 ? "green" : "blue, dark";
    rows += std::to_string(i) + ",\"" + color + "\"," + std::to_string(i) + "," +
            (i % 3 == 0 && i < 30 ? "light" : "heavy") + "\n";
  }
  if (options.find("fill") != options.npos) rows += "60,red,,light\n61,,30,heavy\n";
  write_text(name + ".csv", rows);
  write_text(name + ".model", R"(format 1

model things(features: [4]) -> logits { features -> Dense(2) as logits }

data table = CSV(path = ")" + name +
                                  R"(.csv", target = "kind", ignore = ["id"])" + options + R"()

train {
  loss      = CrossEntropy(logits, label)
  optimizer = Adam(lr = 0.05)
  epochs    = 5
  seed      = 1
}
)");
  const Ran ran = run_trainer({"train", name + ".model", "--run", name});
  EXPECT_EQ(ran.code, 0) << ran.err;
  return name;
}
std::string complete() { return trained("complete", ""); }

std::string predicted(const std::string& run, const std::string& table) {
  write_text("rows.csv", table);
  const Ran ran = run_trainer({"predict", run, "rows.csv", "--all"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  return ran.out;
}
std::string refused(const std::string& run, const std::string& table) {
  write_text("rows.csv", table);
  const Ran ran = run_trainer({"predict", run, "rows.csv"});
  EXPECT_EQ(ran.code, 4) << ran.out;
  EXPECT_EQ(ran.out, "");
  return ran.err;
}

TEST(PredictTables, ReadsWordsByColumn) {
  // Features: color=blue, dark; color=green; color=red; weight.
  const std::string numbers = predicted(complete(), "0,0,1,12\n1,0,0,40.5\n");
  EXPECT_EQ(predicted(complete(), "color,weight\nred,12\n\"blue, dark\",40.5\n"), numbers);
  // In any order, with others besides: the table that it was trained on, too.
  EXPECT_EQ(
      predicted(complete(), "kind,weight,note,color\nlight,12,?,red\n,40.5,,\"blue, dark\"\n"),
      numbers);
  EXPECT_EQ(predicted(complete(),
                      "\xEF\xBB\xBF"
                      "color,weight\r\n\"red\", 12 \r\n\"blue, dark\",40.5\r\n"),
            numbers);
}

TEST(PredictTables, TheCheckpointKnowsTheWords) {
  const std::string run = trained("moved", "");
  const std::string before = predicted(run, "color,weight\nred,12\n");
  // The data as they are now have other words.
  write_text("moved.csv", "id,color,weight,kind\n1,a,1,x\n2,b,2,y\n3,c,3,x\n4,a,1,x\n5,b,1,y\n");
  EXPECT_EQ(predicted(run, "color,weight\nred,12\n"), before);
  fs::remove(fs::path(workspace()) / "moved.csv");
  EXPECT_EQ(predicted(run, "color,weight\nred,12\n"), before);
}

TEST(PredictTables, FillsInWhatTrainingFilledIn) {
  const std::string run = trained("filled", ", missing = \"fill\", val = 0");
  // The mean of 0 to 59 and of 30; no word is three zeros.
  EXPECT_EQ(predicted(run, "color,weight\nred,\nNA,30\n"),
            predicted(run, "0,0,1,29.508196721311474\n0,0,0,30\n"));
}

TEST(PredictTables, SayWhatDoesNotFit) {
  EXPECT_EQ(refused(complete(), "color,weight\nred,12\nreed,12\n"),
            "error: rows.csv:3: `color` is `reed`, and the model knows `blue, dark`, `green` and "
            "`red`\n  help: did you mean `red`?\n");
  EXPECT_EQ(refused(complete(), "Color,weight,kind\nred,12,x\n"),
            "error: rows.csv has no column `color`, which the model reads\n"
            "  help: it has `Color`, `weight` and `kind`\n");
  EXPECT_EQ(refused(complete(), "weight,color\nheavy,red\n"),
            "error: rows.csv:2: `weight` is `heavy`, and the model reads a number there\n");
  EXPECT_EQ(refused(complete(), "weight,color\n1,red\n\n2,\n"),
            "error: rows.csv:4: `color` is missing\n"
            "  help: the model was trained on rows without missing values; `missing = \"fill\"` of "
            "its data set would have told it what stands for them\n");
  EXPECT_EQ(refused(complete(), "weight,color\n1,red,2\n"),
            "error: rows.csv:2: the line has 3 fields, and the first one has 2\n");
  EXPECT_EQ(refused(complete(), "weight,color\n"), "error: rows.csv has no rows of data\n");
}

TEST(PredictTables, RowsOfNumbersAreToldHowTheyMayBeNamed) {
  EXPECT_EQ(refused(complete(), "red,12\ngreen,13\n"),
            "error: rows.csv: line 1, column 1: `red` is not a number\n"
            "  help: the model also takes tables with the columns `color` and `weight`, which the "
            "first line has to name\n");
  EXPECT_EQ(refused(complete(), "1,2,3\n"),
            "error: rows.csv: a sample has 3 values ([3]), and the model takes 4 ([4])\n"
            "  help: the model also takes tables with the columns `color` and `weight`, which the "
            "first line has to name\n");
}

TEST(PredictTables, WithoutAHeaderColumnsAreNumbered) {
  write_text("bare.csv", "red,1,x\nblue,2,y\nred,3,x\nblue,4,y\nred,5,x\nblue,6,y\n");
  write_text("bare.model", R"(format 1
model things(features: [3]) -> logits { features -> Dense(2) as logits }
data table = CSV(path = "bare.csv", target = "column_2", header = false, val = 0)
train { loss = CrossEntropy(logits, label), optimizer = SGD(lr = 0.1), epochs = 1 }
)");
  ASSERT_EQ(run_trainer({"train", "bare.model", "--run", "bare"}).code, 0);
  const std::string numbers = predicted("bare", "0,1,7\n1,0,8\n");  // blue, red, column_1
  EXPECT_EQ(predicted("bare", "red,7\nblue,8\n"), numbers);
  EXPECT_EQ(predicted("bare", "red,7,x\nblue,8,y\n"), numbers);
}

}  // namespace
}  // namespace strata::testing
