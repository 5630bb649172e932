// What was varied is found in the files: settings, axes, groups, means over seeds.
#include "framework/report/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
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

TEST(Comparison, TheSameSeedAgainIsNoFurtherEvidence) {
  std::vector<SampleRun> samples(4);
  samples[1].seed = 2;
  samples[2].ends = false;  // of seed 1, as are the first and the last
  const Comparison all = compare(sample_runs(samples));
  ASSERT_EQ(all.groups.size(), 1u);
  EXPECT_THAT(all.groups[0].members, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(all.groups[0].counted, ElementsAre(3, 1));
  EXPECT_TRUE(all.has_seeds());
  EXPECT_TRUE(all.has_repeated_seeds());
  const Spread spread = all.at_best(all.groups[0], "val.loss");
  const Comparison once = compare(sample_runs({samples[0], samples[1]}));
  EXPECT_EQ(spread.count, 2);
  EXPECT_DOUBLE_EQ(spread.deviation, once.at_best(once.groups[0], "val.loss").deviation);
  EXPECT_EQ(all.curve(all.groups[0], "val.loss")[0].count, 2);
  EXPECT_FALSE(once.has_repeated_seeds());
  EXPECT_FALSE(compare(sample_runs({samples[0], samples[0]})).has_seeds());
}

TEST(Comparison, OfManySettingsTheBestAreDrawn) {
  std::vector<double> rates;
  for (int i = 1; i <= 30; ++i) rates.push_back(0.001 * i);
  const Comparison all = compare(sample_runs(sample_grid({50}, rates, 1, 10)));
  ASSERT_EQ(all.groups.size(), 30u);
  ASSERT_EQ(all.drawn.size(), 7u);
  EXPECT_THAT(all.drawn, Contains(all.best_group));
  double worst_drawn = 1, best_other = 0;
  for (int g = 0; g < 30; ++g) {
    const double value = all.at_best(all.groups[static_cast<std::size_t>(g)], "val.accuracy").mean;
    const bool drawn = std::binary_search(all.drawn.begin(), all.drawn.end(), g);
    if (drawn) worst_drawn = std::min(worst_drawn, value);
    if (!drawn) best_other = std::max(best_other, value);
  }
  EXPECT_GE(worst_drawn, best_other);
  const auto range = all.range_of_groups("val.loss");
  ASSERT_EQ(range.size(), 10u);
  std::vector<double> values;
  for (const RunRecord& run : all.runs) values.push_back(run.epochs[4].figure("val.loss"));
  std::sort(values.begin(), values.end());
  EXPECT_EQ(range[4].epoch, 5);
  EXPECT_EQ(range[4].low, values.front());
  EXPECT_EQ(range[4].high, values.back());
  EXPECT_DOUBLE_EQ(range[4].mean, (values[14] + values[15]) / 2);
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

// No two runs of a random search have a value in common, and still they have several settings.
TEST(Comparison, NumbersThatGoTheirOwnWaysAreAxesOfTheirOwn) {
  std::vector<SampleRun> samples(6);
  const double rates[] = {0.03, 0.001, 0.02, 0.004, 0.01, 0.05};
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i].batch_size = 10 * static_cast<int>(i + 1);
    samples[i].lr = rates[i];
  }
  const Comparison drawn = compare(sample_runs(samples));
  ASSERT_EQ(drawn.axes.size(), 2u);
  EXPECT_EQ(drawn.axes[0].values.size(), 6u);
  EXPECT_EQ(drawn.axes[1].values.size(), 6u);
  // What grows or falls together is one.
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i].lr = 0.1 / samples[i].batch_size;
  EXPECT_EQ(compare(sample_runs(samples)).axes.size(), 1u);
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

// As older versions left them: without what later ones note.
TEST(Runs, OfOlderVersionsAreRead) {
  const std::string folder = fresh_folder();
  testing::write_run(folder + "/1", {});
  testing::write_run(folder + "/2", {});
  std::filesystem::remove(folder + "/2/model.model");
  std::ofstream(folder + "/2/metrics.jsonl") << R"({"event":"start","model":"spirals"})"
                                             << "\n"
                                             << R"({"event":"epoch","epoch":1,"train.loss":0.5})"
                                             << "\n"
                                             << R"({"event":"end"})"
                                             << "\n";
  const auto runs = read_runs({folder});
  ASSERT_TRUE(runs.ok()) << runs.error().message;
  ASSERT_EQ(runs->size(), 2u);
  EXPECT_THAT((*runs)[1].flaws, ElementsAre("has no model.model: its settings are unknown"));
  EXPECT_EQ((*runs)[1].epochs.size(), 1u);
  EXPECT_TRUE((*runs)[0].flaws.empty());
}

TEST(Runs, ANamedPipeIsNoLog) {
  const std::string folder = fresh_folder();
  testing::write_run(folder + "/1", {});
  std::filesystem::create_directories(folder + "/2");
  ASSERT_EQ(::mkfifo((folder + "/2/metrics.jsonl").c_str(), 0600), 0);
  const auto runs = read_runs({folder});
  ASSERT_TRUE(runs.ok());
  EXPECT_EQ(runs->size(), 1u);
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
