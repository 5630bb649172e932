// Studies that search: combinations drawn at random, and successive halving.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <limits>
#include <set>

#include "framework/app/study/halving.h"
#include "tests/app/studies.h"

namespace strata::testing {
namespace {

using Json = nlohmann::json;

const char kHalving[] =
    "  grid train.batch_size = [20, 50, 100]\n  grid train.optimizer.lr = [3e-2, 1e-3, 1e-4]\n"
    "  halving = \"val.loss\"\n  seeds = 2\n  report val.loss, gap.loss\n";

std::vector<std::string> study(const std::string& runs, const std::string& jobs) {
  return {"study", "halving.model", "train.epochs=18", "-j", jobs, "--runs", runs};
}

TEST(Halving, RungsGrowByTheFactorToTheWholeRun) {
  EXPECT_EQ(app::rungs({"val.loss", false, 3, 1}, 10), (std::vector<std::int64_t>{1, 3, 9, 10}));
  EXPECT_EQ(app::rungs({"val.loss", false, 2, 3}, 12), (std::vector<std::int64_t>{3, 6, 12}));
  EXPECT_EQ(app::rungs({"val.loss", false, 2, 1}, 2), (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(app::promoted({"val.loss", false, 3, 1}, 11), 3u);
  EXPECT_EQ(app::promoted({"val.loss", false, 3, 1}, 2), 1u);
}

TEST(Halving, TheBestGoOnWhenAllHaveReachedTheRung) {
  const StudySettings::Halving halving{"val.loss", false, 2, 1};
  std::vector<app::RunRecord> runs(4);
  const double losses[] = {0.3, 0.1, std::numeric_limits<double>::quiet_NaN(), 0.2};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    runs[i].values = {std::to_string(i)};
    runs[i].status = app::kPaused;
    runs[i].epochs = 1;
  }
  runs[2].status = app::kDiverged;
  runs[2].epochs = 0;
  const auto at = [&](const app::RunRecord& run, std::int64_t) {
    return losses[std::stoul(run.values[0])];
  };
  using Goals = std::vector<std::int64_t>;
  EXPECT_EQ(app::halving_goals(halving, 8, runs, at), (Goals{1, 2, 1, 2}));
  runs[0].status = app::kRunning;
  runs[0].epochs = 0;
  EXPECT_EQ(app::halving_goals(halving, 8, runs, at), (Goals{1, 1, 1, 1}));
  runs[0].epochs = 1;
  runs[1].epochs = runs[3].epochs = 2;
  EXPECT_EQ(app::halving_goals(halving, 8, runs, at), (Goals{1, 4, 1, 2}));
  // Of equals the first.
  EXPECT_EQ(app::halving_goals(halving, 8, runs, [](const auto&, std::int64_t) { return 1.0; }),
            (Goals{2, 2, 1, 1}));
}

TEST(Halving, IsTheSameForAnyNumberOfJobsAndAfterKills) {
  write_text("halving.model", spirals(kHalving));
  const Ran whole = run_trainer(study("whole", "1"));
  ASSERT_EQ(whole.code, 0) << whole.err;
  EXPECT_NE(whole.out.find("s of spirals: 18 runs: 2 done, 16 stopped early by the halving; mean"),
            std::string::npos)
      << whole.out;
  EXPECT_NE(whole.out.find("2 stopped after epoch 1"), std::string::npos) << whole.out;
  const Json first = lasting(results("halving.model", "whole"));
  std::multiset<std::int64_t> epochs;
  for (const Json& run : first["runs"]) epochs.insert(run["epochs"].get<std::int64_t>());
  EXPECT_EQ(epochs.count(1), 12u);  // 9 combinations, then 3, then 1, of two seeds
  EXPECT_EQ(epochs.count(3), 4u);
  EXPECT_EQ(epochs.count(18), 2u);

  ASSERT_EQ(run_trainer(study("wide", "3")).code, 0);
  EXPECT_EQ(lasting(results("halving.model", "wide")), first);

  std::vector<std::string> resume = study("broken", "2");
  EXPECT_EQ(run_trainer(resume, kill_when_saved(SIGKILL, "broken", 4)).code, 128 + SIGKILL);
  resume.push_back("--resume");
  EXPECT_EQ(run_trainer(resume, kill_when_saved(SIGKILL, "broken", 22)).code, 128 + SIGKILL);
  const Ran rest = run_trainer(resume);
  ASSERT_EQ(rest.code, 0) << rest.err;
  EXPECT_EQ(lasting(results("halving.model", "broken")), first);
  // Nothing is left to do.
  EXPECT_NE(run_trainer(resume).out.find("s of spirals: 0 runs"), std::string::npos);
}

TEST(Halving, SaysWhoWasStoppedAndWhoWaits) {
  write_text("halving.model", spirals(kHalving));
  const auto state = [] {
    const Ran list = run_trainer({"study", "halving.model", "--runs", "told", "--list"});
    const std::size_t at = list.out.rfind("18    ") + 6;
    return list.out.substr(at, list.out.find('\n', at) - at);
  };
  const auto page = [](const std::string& folder) {
    return run_trainer({"report", folder, "-o", "-"}).out;
  };
  std::vector<std::string> call = study("told", "2");
  call.insert(call.end(), {"--max-runs", "18"});  // the first rung
  const Ran first = run_trainer(call);
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_NE(first.out.find(" –  2 paused after epoch 1"), std::string::npos) << first.out;
  EXPECT_EQ(state(), "0 of 18 runs done, 18 paused by the halving");
  EXPECT_NE(page("told/spirals.s").find(" 18 runs paused by the halving.</p>"), std::string::npos);
  EXPECT_NE(page("told/spirals.s/1").find(">Paused after 1 epoch in "), std::string::npos);

  call = study("told", "2");
  call.push_back("--resume");
  ASSERT_EQ(run_trainer(call).code, 0);
  EXPECT_EQ(state(), "18 runs: 2 done, 16 stopped early by the halving");
  EXPECT_NE(page("told/spirals.s").find(" 16 runs stopped early by the halving.</p>"),
            std::string::npos);
  int stopped = 0;
  for (int run = 1; run <= 18; ++run) {
    const std::string folder = "told/spirals.s/" + std::to_string(run);
    const std::string own = read_text(folder + "/report.html");
    EXPECT_EQ(own, page(folder));
    stopped += own.find("<p class=\"note\">stopped early by the halving</p>") != std::string::npos;
  }
  EXPECT_EQ(stopped, 16);
}

TEST(Halving, IsEstimated) {
  write_text("halving.model", spirals(kHalving));
  std::vector<std::string> words = study("none", "1");
  words.push_back("--dry-run");
  const Ran dry = run_trainer(words);
  EXPECT_EQ(dry.code, 0) << dry.err;
  // 9·1 + 3·2 + 1·6 + 1·9 of 9·18 epochs.
  EXPECT_NE(dry.out.find("18 runs, 19 % of their epochs, 1 at a time"), std::string::npos)
      << dry.out;
}

TEST(Halving, CannotGoOnOtherwise) {
  write_text("halving.model", spirals(kHalving));
  std::vector<std::string> words = study("other", "2");
  words.insert(words.end(), {"--max-runs", "1"});
  ASSERT_EQ(run_trainer(words).code, 0);
  std::string text = spirals(kHalving);
  text.replace(text.find("  seeds = 2"), 0, "  halving_factor = 2\n");
  write_text("halving.model", text);
  std::vector<std::string> resume = study("other", "2");
  resume.push_back("--resume");
  const Ran ran = run_trainer(resume);
  EXPECT_EQ(ran.code, 2);
  EXPECT_NE(ran.err.find("the study `s` had halving by val.loss, factor 3, from epoch 1 when it "
                         "began, and now halving by val.loss, factor 2, from epoch 1"),
            std::string::npos)
      << ran.err;
}

TEST(Random, DrawsTheSameAndMoreOfThem) {
  const auto drawn = [](const char* count) {
    write_text("random.model",
               spirals("  grid train.batch_size = [20, 25, 50, 100]\n"
                       "  grid train.optimizer.lr = [1e-2, 1e-3, 1e-4]\n  random = " +
                       std::string(count) + "\n"));
    const Ran ran = run_trainer(
        begun_or_not({"study", "random.model", "train.epochs=1", "--runs", "random"}, "random"));
    EXPECT_EQ(ran.code, 0) << ran.err;
    std::vector<Json> values;
    const Json all = results("random.model", "random");
    for (const Json& run : all["runs"]) values.push_back(run["values"]);
    return values;
  };
  const std::vector<Json> few = drawn("3"), more = drawn("5");
  ASSERT_EQ(few.size(), 3u);
  ASSERT_EQ(more.size(), 5u);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), more.begin()));
  EXPECT_EQ(std::set<Json>(more.begin(), more.end()).size(), 5u);
}

// Kills between a pause and what follows from it, too: nothing but the figures decides.
TEST(Halving, KilledManyTimesPromotesTheSame) {
  write_text("halving.model", spirals(kHalving));
  std::vector<std::string> call = study("often_whole", "2");
  ASSERT_EQ(run_trainer(call).code, 0);
  const Json whole = lasting(results("halving.model", "often_whole"));
  call = study("often", "2");
  int kills = 0, code = 128 + SIGKILL;
  for (useconds_t wait = 60'000; code == 128 + SIGKILL && kills < 40; wait += 7'000, ++kills) {
    code = run_trainer(begun_or_not(call, "often"), {.meanwhile =
                                                         [&](int process) {
                                                           ::usleep(wait);
                                                           ::kill(process, SIGKILL);
                                                         }})
               .code;
  }
  EXPECT_GE(kills, 3);
  if (code != 0) code = run_trainer(begun_or_not(call, "often")).code;
  EXPECT_EQ(code, 0);
  EXPECT_EQ(lasting(results("halving.model", "often")), whole);
}

TEST(Random, DrawsFromRangesAndGoesOn) {
  const auto with = [](const char* count) {
    write_text("ranges.model", spirals("  grid train.optimizer.lr = log_uniform(1e-4..1e-1)\n"
                                       "  grid train.batch_size = 20..100\n  random = " +
                                       std::string(count) + "\n"));
    const Ran ran = run_trainer(
        begun_or_not({"study", "ranges.model", "train.epochs=1", "--runs", "ranges"}, "ranges"));
    EXPECT_EQ(ran.code, 0) << ran.err;
    std::vector<Json> values;
    const Json all = results("ranges.model", "ranges");
    for (const Json& run : all["runs"]) {
      EXPECT_EQ(run["status"], "done");
      values.push_back(run["values"]);
    }
    return values;
  };
  const std::vector<Json> few = with("2"), more = with("6");
  ASSERT_EQ(few.size(), 2u);
  ASSERT_EQ(more.size(), 6u);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), more.begin()));
  // A run of them alone: what the study drew is what the command line takes.
  const Ran report = run_trainer({"report", "ranges", "-o", "ranges.html"});
  EXPECT_EQ(report.code, 0) << report.err;
  EXPECT_NE(report.out.find("ranges.html: 6 runs of 6 settings"), std::string::npos) << report.out;
}

}  // namespace
}  // namespace strata::testing
