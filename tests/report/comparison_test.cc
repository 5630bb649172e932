// What was varied is found in the files: settings, axes, groups, means over seeds.
#include "framework/report/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/report/sample_runs.h"

namespace strata::report {
namespace {

using ::strata::testing::fresh_folder;
using ::strata::testing::sample_grid;
using ::strata::testing::sample_runs;
using ::strata::testing::SampleRun;
using ::testing::Contains;
using ::testing::ElementsAre;

std::string setting(const std::vector<Setting>& settings, const std::string& key) {
  for (const Setting& one : settings)
    if (one.key == key) return one.value;
  return "absent";
}

TEST(Settings, HaveKeysOfTheirOwn) {
  const auto all = settings_of(testing::model_text({}));
  EXPECT_EQ(setting(all, "norm"), "\"batch\"");
  EXPECT_EQ(setting(all, "model"), "spirals");
  EXPECT_EQ(setting(all, "dense1"), "Dense(32)");
  EXPECT_EQ(setting(all, "dense1.weight_init"), "GlorotUniform");
  EXPECT_EQ(setting(all, "dense1.weight_init.scale"), "1.0");
  EXPECT_EQ(setting(all, "dense2"), "Dense(3)");
  EXPECT_EQ(setting(all, "batch_norm1.eps"), "1e-05");
  EXPECT_EQ(setting(all, "data.points"), "Synthetic");
  EXPECT_EQ(setting(all, "data.points.samples"), "1000");
  EXPECT_EQ(setting(all, "data.points.normalize.mean"), "-0.5");
  EXPECT_EQ(setting(all, "train.loss"), "CrossEntropy(logits, label)");
  EXPECT_EQ(setting(all, "train.loss.from_logits"), "true");
  EXPECT_EQ(setting(all, "train.metrics"), "[Accuracy(logits, label)]");
  EXPECT_EQ(setting(all, "train.optimizer"), "Adam");
  EXPECT_EQ(setting(all, "train.optimizer.lr"), "0.01");
  EXPECT_EQ(setting(all, "train.monitor"), "none");
}

TEST(Settings, AreReadFromAnyText) {
  for (const char* text : {"", "}", "train {", "train { a = ", "model", "data x = (", "\"", "a.b =",
                           "model m(x: [2]) -> y { x -> Dense(", "\xff\xfe", "train { = = = }"})
    settings_of(text);
}

TEST(Comparison, SeedsMakeNoSetting) {
  const Comparison all = compare(sample_runs(sample_grid({50}, {0.01}, 3, 10)));
  EXPECT_TRUE(all.axes.empty());
  ASSERT_EQ(all.groups.size(), 1u);
  EXPECT_THAT(all.groups[0].members, ElementsAre(0, 1, 2));
  EXPECT_TRUE(all.has_seeds());
}

TEST(Comparison, WhatIsOnlyNotedMakesNoSetting) {
  const auto all = compare(sample_runs(
      {SampleRun{},
       SampleRun{.noted = "  log_steps = 10\n  statistics = 100\n  log = \"tensorboard\"\n"},
       SampleRun{.noted = "  checkpoint_steps = 5\n  checkpoint_minutes = 1.0\n  allow = "
                          "[\"odd\"]\n"}}));
  EXPECT_TRUE(all.axes.empty());
  ASSERT_EQ(all.groups.size(), 1u);
  EXPECT_THAT(all.groups[0].members, ElementsAre(0, 1, 2));
  // Where the two files differ is still known.
  EXPECT_THAT(differing_keys(all.runs), Contains("train.log_steps"));
}

TEST(Comparison, NumbersAreInOrder) {
  const Comparison all = compare(sample_runs(sample_grid({250, 10, 50}, {0.1, 0.01}, 2, 4)));
  ASSERT_EQ(all.axes.size(), 2u);
  std::vector<std::string> keys = {all.axes[0].key, all.axes[1].key};
  EXPECT_THAT(keys, Contains("train.batch_size"));
  EXPECT_THAT(keys, Contains("train.optimizer.lr"));
  const Axis& sizes = all.axes[all.axes[0].key == "train.batch_size" ? 0 : 1];
  EXPECT_THAT(sizes.values, ElementsAre("10", "50", "250"));
  EXPECT_EQ(sizes.label, "batch_size");
  EXPECT_EQ(all.groups.size(), 6u);
  for (const Group& group : all.groups) EXPECT_EQ(group.members.size(), 2u);
}

TEST(Comparison, WhatFollowsFromAParamIsOneAxis) {
  SampleRun with, without;
  without.norm = "none";
  const Comparison all = compare(sample_runs({without, with}));
  ASSERT_EQ(all.axes.size(), 1u);
  EXPECT_EQ(all.axes[0].key, "norm");
  EXPECT_THAT(all.axes[0].values, ElementsAre("\"none\"", "\"batch\""));
  EXPECT_THAT(all.axes[0].also, Contains("dense1.bias"));
  EXPECT_THAT(all.axes[0].also, Contains("batch_norm1"));
  EXPECT_EQ(all.groups[0].label, "norm = \"none\"");
}

TEST(Comparison, AnotherOptimizerIsOneDifference) {
  SampleRun adam, sgd;
  sgd.optimizer = "SGD(lr = 0.01, momentum = 0.9)";
  const auto keys = differing_keys(sample_runs({adam, sgd}));
  EXPECT_THAT(keys, ElementsAre("train.optimizer"));
}

TEST(Comparison, CurvesAreMeansWithTheirRange) {
  const Comparison all = compare(sample_runs(sample_grid({50}, {0.01}, 3, 10)));
  const auto curve = all.curve(all.groups[0], "val.loss");
  ASSERT_EQ(curve.size(), 10u);
  for (std::size_t i = 0; i < curve.size(); ++i) {
    double sum = 0, low = 1e9, high = 0;
    for (const RunRecord& run : all.runs) {
      const double value = run.epochs[i].figure("val.loss");
      sum += value, low = std::min(low, value), high = std::max(high, value);
    }
    EXPECT_NEAR(curve[i].mean, sum / 3, 1e-12);
    EXPECT_EQ(curve[i].low, low);
    EXPECT_EQ(curve[i].high, high);
    EXPECT_EQ(curve[i].step, 20.0 * static_cast<double>(i + 1));
  }
}

TEST(Comparison, TheBestGroupIsByTheMonitorOfTheRuns) {
  const Comparison all = compare(sample_runs(sample_grid({10, 250}, {0.01}, 2, 10)));
  EXPECT_EQ(all.monitor, "val.accuracy");
  EXPECT_TRUE(all.more_is_better);
  EXPECT_EQ(all.groups[static_cast<std::size_t>(all.best_group)].label, "batch_size = 10");
}

TEST(Comparison, SpreadLeavesOutWhatIsNotFinite) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(spread_of({1, none, 3}).mean, 2);
  EXPECT_NEAR(spread_of({1, none, 3}).deviation, std::sqrt(2), 1e-12);
  EXPECT_TRUE(std::isnan(spread_of({1}).deviation));
  EXPECT_TRUE(std::isnan(spread_of({none}).mean));
}

TEST(Runs, AreFoundBelowFoldersInNaturalOrder) {
  const std::string folder = fresh_folder();
  for (const char* name : {"10", "9", "1"}) testing::write_run(folder + "/net/" + name, {});
  const auto runs = read_runs({folder, folder + "/net/9/"});
  ASSERT_TRUE(runs.ok());
  ASSERT_EQ(runs->size(), 3u);
  EXPECT_EQ((*runs)[0].name, "net/1");
  EXPECT_EQ((*runs)[1].name, "net/9");
  EXPECT_EQ((*runs)[2].name, "net/10");
}

TEST(Runs, MissingOnesAreNamed) {
  const std::string folder = fresh_folder();
  const auto empty = read_runs({folder});
  ASSERT_FALSE(empty.ok());
  EXPECT_EQ(empty.error().message, "the folder `" + folder + "` holds no run: no metrics.jsonl");
  const auto absent = read_runs({folder + "/x"});
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().message, "there is no run folder `" + folder + "/x`");
}

TEST(Runs, LogsThatWereCutShortAreRead) {
  const std::string folder = fresh_folder();
  SampleRun sample;
  sample.ends = false;
  testing::write_run(folder, sample);
  std::ofstream(folder + "/metrics.jsonl", std::ios::app)
      << R"({"event":"epoch","epoch":11,"step":220,"train.loss":null,"val.accuracy":0.5,"seconds":0.1})"
      << "\n{\"event\":\"epo";
  const auto run = read_run(folder);
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(run->status, "unfinished");
  EXPECT_EQ(run->damaged_lines, 1);
  ASSERT_EQ(run->epochs.size(), 11u);
  EXPECT_TRUE(std::isnan(run->epochs[10].figure("train.loss")));
  EXPECT_NEAR(run->seconds, 10 * 0.03 + 0.1, 1e-9);
}

}  // namespace
}  // namespace strata::report
