// Two runs: what went in, and where their figures part.
#include "framework/report/difference.h"

#include <gtest/gtest.h>

#include "tests/report/sample_runs.h"

namespace strata::report {
namespace {

using ::strata::testing::sample_runs;
using ::strata::testing::SampleRun;

std::string text_of(const SampleRun& a, const SampleRun& b) {
  const auto runs = sample_runs({a, b});
  return difference_text(runs[0], runs[1], difference_of(runs[0], runs[1]));
}

TEST(Difference, OfEqualRunsIsNone) {
  EXPECT_EQ(text_of({}, {}),
            "spirals/1 -> spirals/2\n\n"
            "  file         same\n"
            "  data         same\n"
            "  seed         same\n"
            "  plugins      same\n"
            "  environment  same\n\n"
            "  start        same weights\n"
            "  figures      equal to the last digit in 10 epochs\n"
            "  end          same weights\n");
}

TEST(Difference, NamesSettingsAndTheSeed) {
  SampleRun other;
  other.batch_size = 10;
  other.seed = 2;
  const std::string text = text_of({}, other);
  EXPECT_NE(text.find("  file         train.batch_size  50 -> 10\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  seed         train.seed  1 -> 2\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  start        other weights: 100000000000 -> 200000000000\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("  figures      part in epoch 1: its end is the first"), std::string::npos);
  EXPECT_NE(text.find("it ends with step 20 -> 100\n"), std::string::npos) << text;
}

TEST(Difference, SaysUpToWhichStepFiguresWereEqual) {
  SampleRun other;
  other.shift = 1e-15;
  const auto runs = sample_runs({{}, other});
  const RunDifference found = difference_of(runs[0], runs[1]);
  EXPECT_TRUE(found.same_input());
  ASSERT_TRUE(found.parted);
  EXPECT_EQ(found.common_epochs, 4);
  EXPECT_EQ(found.parting.epoch, 5);
  EXPECT_EQ(found.parting.equal_until, 80);
  EXPECT_EQ(found.parting.first_step, 100);
  const std::string text = difference_text(runs[0], runs[1], found);
  EXPECT_NE(text.find("part in epoch 5: all equal after step 80, not after step 100\n"),
            std::string::npos)
      << text;
}

TEST(Difference, OfTheEnvironmentIsNotOneOfTheFile) {
  auto runs = sample_runs({{}, {}});
  runs[1].facts["threads"] = 4;
  runs[1].facts["train_samples"] = 999;
  runs[1].facts["plugins"] = {"gelu 1.0"};
  const RunDifference found = difference_of(runs[0], runs[1]);
  EXPECT_TRUE(found.file.empty());
  ASSERT_EQ(found.environment.size(), 1u);
  EXPECT_EQ(found.environment[0].what, "threads");
  ASSERT_EQ(found.data.size(), 1u);
  EXPECT_EQ(found.data[0].second, "999");
  ASSERT_EQ(found.plugins.size(), 1u);
  EXPECT_EQ(found.plugins[0].first, "not recorded");
}

TEST(Difference, OfLibrariesIsSaidByTheirNames) {
  auto runs = sample_runs({{}, {}});
  const auto library = [](const char* name, const char* version, const char* sha256) {
    return nlohmann::ordered_json{
        {"name", name}, {"version", version}, {"path", "/lib/a.so"}, {"sha256", sha256}};
  };
  runs[0].facts["plugins"] = {library("acme", "1.0", "first"), library("same", "2.0", "equal")};
  runs[1].facts["plugins"] = {library("same", "2.0", "equal"), library("acme", "1.1", "second"),
                              library("new", "3.0", "third")};
  const std::string text = difference_text(runs[0], runs[1], difference_of(runs[0], runs[1]));
  EXPECT_NE(text.find("  plugins      acme version  1.0 -> 1.1\n"
                      "               acme sha256   first -> second\n"
                      "               new version   not used -> 3.0\n"
                      "               new sha256    not used -> third\n"
                      "               new path      not used -> /lib/a.so\n"
                      "  environment  same\n"),
            std::string::npos)
      << text;
}

TEST(Difference, OfTheSamplesIsOneOfTheData) {
  auto runs = sample_runs({{}, {}});
  runs[0].facts["data_crc32"] = {{"train", "00000001"}};
  runs[1].facts["data_crc32"] = {{"train", "00000002"}};
  const std::string text = difference_text(runs[0], runs[1], difference_of(runs[0], runs[1]));
  EXPECT_NE(text.find("  data         data_crc32  train 00000001 -> train 00000002\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("  environment  same\n"), std::string::npos) << text;
}

TEST(Difference, OfARunThatGoesOnIsItsLength) {
  SampleRun shorter;
  shorter.epochs = 6;
  const auto runs = sample_runs({shorter, {}});
  const RunDifference found = difference_of(runs[0], runs[1]);
  EXPECT_FALSE(found.parted);
  EXPECT_EQ(found.common_epochs, 6);
  ASSERT_FALSE(found.outcome.empty());
  EXPECT_EQ(found.outcome[0].what, "epochs done");
}

TEST(Difference, IsJsonForPrograms) {
  SampleRun other;
  other.shift = 0.5;
  const auto runs = sample_runs({{}, other});
  const auto json =
      nlohmann::json::parse(difference_json(runs[0], runs[1], difference_of(runs[0], runs[1])));
  EXPECT_EQ(json["parting"]["epoch"], 5);
  EXPECT_EQ(json["parting"]["equal_until_step"], 80);
  EXPECT_EQ(json["equal_epochs"], 4);
  EXPECT_EQ(json["same_weights"], true);
  EXPECT_TRUE(json["file"].empty());
}

TEST(Difference, SaysAtWhichStepRunsPart) {
  SampleRun run, other;
  run.log_steps = other.log_steps = 2;
  other.flip_at = 34;
  auto runs = sample_runs({run, other});
  const auto found = difference_of(runs[0], runs[1]);
  EXPECT_EQ(found.steps.step, 34);
  EXPECT_EQ(found.steps.equal_until, 32);
  EXPECT_FALSE(found.parted);  // no figure of an epoch shows it
  const std::string text = difference_text(runs[0], runs[1], found);
  EXPECT_NE(text.find("  steps        part at step 34, equal at step 32\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find(" (last 1 bit)\n"), std::string::npos) << text;
  auto same = sample_runs({run, run});
  const std::string equal = difference_text(same[0], same[1], difference_of(same[0], same[1]));
  EXPECT_NE(equal.find("  steps        equal to the last bit in all 100 that both logs have\n"),
            std::string::npos)
      << equal;
}

TEST(Difference, SaysWhereWeightsPartBeforeFigures) {
  auto runs = sample_runs({SampleRun{}, SampleRun{}});
  for (auto& run : runs)
    for (auto& epoch : run.epochs) epoch.checksum = "0000000" + std::to_string(epoch.epoch % 10);
  runs[1].epochs[3].checksum = "ffffffff";
  const auto found = difference_of(runs[0], runs[1]);
  ASSERT_TRUE(found.parted);
  EXPECT_EQ(found.parting.epoch, 4);
  const std::string text = difference_text(runs[0], runs[1], found);
  EXPECT_NE(text.find("weights  CRC-32 00000004 -> ffffffff\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace strata::report
