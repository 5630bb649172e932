// trainer lr: the learning-rate range test.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>
#include <regex>

#include "framework/train/lr_range.h"
#include "tests/app/run_trainer.h"

namespace strata::testing {
namespace {

using Json = nlohmann::json;

// Losses that fall between 1e-3 and 1e-1 and rise from there on.
TEST(LearningRateRange, SuggestsWhereTheLossFallsFastest) {
  LearningRateRange range;
  for (int i = 0; i <= 80; ++i) {
    const double power = -5 + i * 0.075;
    const double loss = power < -3 ? 2.0 : power < -1 ? 2.0 - 0.7 * (power + 3) : 0.6 + (power + 1);
    range.steps.push_back({std::pow(10, power), loss, loss});
  }
  suggest_rates(range);
  ASSERT_TRUE(range.steepest && range.lowest);
  EXPECT_GT(*range.steepest, 1e-3);
  EXPECT_LT(*range.steepest, 1e-1);
  EXPECT_NEAR(std::log10(*range.lowest), -1, 0.08);

  LearningRateRange rising;
  for (int i = 0; i <= 80; ++i)
    rising.steps.push_back({std::pow(10, -5 + i * 0.075), 1.0 + i, 1.0 + i});
  suggest_rates(rising);
  EXPECT_FALSE(rising.steepest || rising.lowest);
}

LearningRateRange range_of(const std::vector<double>& losses) {
  LearningRateRange range;
  double mean = 0, weight = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    mean = 0.95 * mean + 0.05 * losses[i], weight = 0.95 * weight + 0.05;
    range.steps.push_back(
        {std::pow(10, -5 + 0.03 * static_cast<double>(i)), losses[i], mean / weight});
  }
  suggest_rates(range);
  return range;
}

TEST(LearningRateRange, TakesNoNoiseForAFall) {
  std::mt19937 random(7);
  std::normal_distribution<double> normal;
  int suggested = 0;
  for (int round = 0; round < 100; ++round) {
    std::vector<double> scatter, falling;
    for (int i = 0; i < 200; ++i) {
      scatter.push_back(0.1 + 0.03 * normal(random));
      falling.push_back((i < 100 ? 1.0 : 1.0 - 0.005 * (i - 100)) + 0.1 * normal(random));
    }
    suggested += range_of(scatter).steepest.has_value();
    const LearningRateRange range = range_of(falling);
    EXPECT_TRUE(range.steepest);
    EXPECT_NEAR(range.noise, 0.1, 0.03);
    EXPECT_NEAR(range.fall, 0.4, 0.15);
  }
  EXPECT_LE(suggested, 5);
  // What rounding makes of a loss that stays.
  std::vector<double> still;
  for (int i = 0; i < 200; ++i) still.push_back(1.0986 - 1e-7 * i);
  EXPECT_FALSE(range_of(still).steepest);
}

TEST(Lr, FindsARateThatTrainsAndWritesNothing) {
  const std::vector<std::string> words = {"lr", "models/spirals.model", "--steps", "150"};
  std::vector<std::string> json = words;
  json.push_back("--json");
  const Ran ran = run_trainer(json);
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Json range = Json::parse(ran.out);
  EXPECT_EQ(range["model"], "spirals");
  ASSERT_TRUE(range["steepest"].is_number()) << ran.out;
  EXPECT_GT(range["steepest"], 1e-4);
  EXPECT_LT(range["steepest"], 1.0);
  EXPECT_EQ(range["steps"][0]["learning_rate"], 1e-7);
  EXPECT_LT(range["steps"][0]["smooth_loss"].get<double>(), 3);
  EXPECT_FALSE(exists("runs"));
  // The same bits on any number of threads.
  json.insert(json.end(), {"--threads", "1"});
  EXPECT_EQ(run_trainer(json).out, ran.out);

  const Ran text = run_trainer(words);
  EXPECT_NE(text.out.find("suggestion: "), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("(the loss falls fastest)"), std::string::npos) << text.out;
}

TEST(Lr, GoesOnFromTrainedWeightsAndLeavesThemAlone) {
  ASSERT_EQ(run_trainer({"train", "models/spirals.model", "--run", "trained"}).code, 0);
  const std::string log = read_text("trained/metrics.jsonl");
  const Ran ran =
      run_trainer({"lr", "models/spirals.model", "--init", "trained", "--csv", "--steps", "40"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out.find("learning_rate,loss,smooth_loss\n"), 0u);
  const std::string first = ran.out.substr(ran.out.find('\n') + 1);
  EXPECT_LT(std::stod(first.substr(first.find(',') + 1)), 0.5) << "trained already";
  EXPECT_EQ(read_text("trained/metrics.jsonl"), log);

  // Its losses only scatter.
  const Ran text = run_trainer({"lr", "models/spirals.model", "--init", "trained"});
  ASSERT_EQ(text.code, 0) << text.err;
  EXPECT_TRUE(std::regex_search(
      text.out,
      std::regex("\nno suggestion: the smoothed loss falls by 0\\.0[0-9]+ at most, and that of "
                 "single steps varies by 0\\.[0-9]+\n"
                 "weights that are trained already may have nothing left to learn\n$")))
      << text.out;
}

TEST(Lr, SaysWhyNothingIsSuggested) {
  const auto last_lines = [](const std::vector<std::string>& more) {
    std::vector<std::string> words = {"lr", "models/spirals.model"};
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = run_trainer(words);
    EXPECT_EQ(ran.code, 0) << ran.err;
    return ran.out.substr(ran.out.find("\n\n", ran.out.find("learning rate")) + 2);
  };
  // Rates that change nothing.
  const std::string idle = last_lines({"--from", "1e-12", "--to", "1e-9"});
  EXPECT_TRUE(std::regex_match(
      idle, std::regex("the loss never grew fourfold up to 1e-09: --to goes further\n"
                       "no suggestion: the smoothed loss falls by 0\\.[0-9]+ at most, and that of "
                       "single steps varies by 0\\.[0-9]+\n"
                       "a larger train.batch_size or more --steps tell more\n")))
      << idle;
  const std::string large = last_lines({"--from", "1e6", "--to", "1e9"});
  EXPECT_TRUE(std::regex_search(
      large, std::regex("no suggestion: the test ended after 1?[0-9] steps?; --from begins with "
                        "smaller rates\n$")))
      << large;
  // Rates that are too small for the loss to rise again.
  const std::string small = last_lines({"--to", "0.01"});
  EXPECT_TRUE(std::regex_match(
      small, std::regex("the loss never grew fourfold up to 0\\.01: --to goes further\n"
                        "suggestion: 0\\.[0-9]+ \\(the loss falls fastest\\)\n")))
      << small;
}

TEST(Lr, Draws) {
  const Ran ran =
      run_trainer({"lr", "models/spirals.model", "--steps", "60", "--svg", "rates.svg"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const std::string svg = read_text("rates.svg");
  EXPECT_NE(svg.find("<title id=\"t\">spirals: loss while the learning rate grows</title>"),
            std::string::npos);
  EXPECT_NE(svg.find("learning rate (logarithmic)</text>"), std::string::npos) << svg;
  for (const char* power : {"10⁻⁷", "10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "10⁰"})
    EXPECT_NE(svg.find(std::string(">") + power + "</text>"), std::string::npos) << power;
}

TEST(Lr, SaysWhatIsWrong) {
  struct {
    std::vector<std::string> words;
    int code;
    const char* message;
  } const all[] = {
      {{}, 2, "a model file"},
      {{"models/spirals.model", "--from", "fast"}, 2, "`--from` is a rate above 0, not `fast`"},
      {{"models/spirals.model", "--to", "-1"}, 2, "`--to` is a rate above 0, not `-1`"},
      {{"models/spirals.model", "--from", "1", "--to", "0.1"},
       2,
       "rates grow from 1 to 0.1: `--to` has to be the larger one"},
      {{"models/spirals.model", "--steps", "3"}, 2, "--steps"},
      {{"models/spirals.model", "--json", "--csv"}, 2, "`--json` and `--csv` exclude each other"},
      {{"models/spirals.model", "--init", "nowhere"}, 4, "there is no `nowhere`"},
      {{"models/spirals.model", "--svg", "models/spirals.model"}, 2, "models/spirals.model"},
      {{"missing.model"}, 2, "missing.model"},
  };
  for (const auto& wrong : all) {
    std::vector<std::string> words = {"lr"};
    words.insert(words.end(), wrong.words.begin(), wrong.words.end());
    const Ran ran = run_trainer(words);
    EXPECT_EQ(ran.code, wrong.code) << wrong.message << "\n" << ran.err;
    EXPECT_NE(ran.err.find(wrong.message), std::string::npos) << ran.err;
  }
}

}  // namespace
}  // namespace strata::testing
