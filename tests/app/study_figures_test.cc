// What studies report of their runs besides the figures of the epochs.
#include <gtest/gtest.h>

#include <sstream>

#include "tests/app/studies.h"

namespace strata::testing {
namespace {

using Json = nlohmann::json;

const char kReports[] =
    "  grid train.batch_size = [10, 50]\n  target = 0.95\n"
    "  report val.accuracy, inference.train.loss, inference.train.accuracy, training.val.loss,\n"
    "         gap.loss, gap.accuracy, epochs_to_target, seconds_to_target, peak_memory\n";

Json figures_of(const std::string& folder, const std::string& split) {
  const Ran ran = run_trainer({"eval", folder, "--split", split, "--json"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  return Json::parse(ran.out);
}

TEST(StudyFigures, AreThoseOfTheLastWeights) {
  write_text("figures.model", spirals(kReports));
  ASSERT_EQ(run_trainer({"study", "figures.model", "--runs", "figures"}).code, 0);
  const Json all = results("figures.model", "figures");
  for (const Json& run : all["runs"]) {
    const Json& last = run["last"];
    const Json train = figures_of(run["folder"], "train"), val = figures_of(run["folder"], "val");
    const auto figure = [](const Json& json, const char* name) {
      return json.contains(name) ? json[name].get<double>() : json["figures"][name].get<double>();
    };
    EXPECT_EQ(last["inference.train.loss"], figure(train, "loss"));
    EXPECT_EQ(last["inference.train.accuracy"], figure(train, "accuracy"));
    EXPECT_EQ(last["gap.loss"].get<double>(), figure(val, "loss") - figure(train, "loss"));
    EXPECT_EQ(last["gap.accuracy"].get<double>(),
              figure(train, "accuracy") - figure(val, "accuracy"));
    // Batch statistics in place of the running ones.
    EXPECT_NE(last["training.val.loss"], last["val.loss"]);
    EXPECT_NEAR(last["training.val.loss"], last["val.loss"].get<double>(), 0.3);
    EXPECT_GT(last["peak_memory"], 1e6);
    EXPECT_EQ(last["peak_memory"], run["memory"]);
  }
}

TEST(StudyFigures, StandOnTheRunsOwnPage) {
  write_text("page.model", spirals("  grid train.batch_size = [10, 50]\n  target = 0.5\n"
                                   "  report gap.accuracy, epochs_to_target\n"));
  ASSERT_EQ(run_trainer({"study", "page.model", "--runs", "page"}).code, 0);
  for (const char* number : {"1", "2"}) {
    const std::string folder = "page/spirals.s/" + std::string(number);
    const std::string page = read_text(folder + "/report.html");
    EXPECT_NE(page.find("Measured when a run had ended: epochs to target, gap accuracy, "
                        "peak memory and seconds to target.</p>"),
              std::string::npos);
    EXPECT_EQ(page, run_trainer({"report", folder, "-o", "-"}).out);
  }
}

TEST(StudyFigures, TellWhenTheTargetWasReached) {
  write_text("target.model", spirals(kReports));
  const Ran ran = run_trainer({"study", "target.model", "--runs", "target", "--max-runs", "1"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Json run = results("target.model", "target")["runs"][0];
  std::istringstream log(read_text(run["folder"].get<std::string>() + "/metrics.jsonl"));
  double seconds = 0;
  std::int64_t first = 0;
  for (std::string line; first == 0 && std::getline(log, line);) {
    const Json event = Json::parse(line);
    if (event["event"] != "epoch") continue;
    seconds += event["seconds"].get<double>();
    if (event["val.accuracy"].get<double>() >= 0.95) first = event["epoch"];
  }
  ASSERT_GE(first, 1) << "the target is never reached";
  EXPECT_EQ(run["last"]["epochs_to_target"], first);
  EXPECT_DOUBLE_EQ(run["last"]["seconds_to_target"].get<double>(), seconds);
}

TEST(StudyFigures, SayHowManyRunsHaveThem) {
  write_text("few.model", spirals("  grid train.optimizer.lr = [1e-2, 1e-6]\n  target = 0.9\n"
                                  "  report epochs_to_target\n"));
  const Ran ran = run_trainer({"study", "few.model", "--runs", "few"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("1e-06  1                 –"), std::string::npos) << ran.out;
}

TEST(StudyFigures, TheTargetStaysWhatItWas) {
  const auto with = [](const char* target) {
    write_text("moves.model", spirals("  grid train.batch_size = [25, 50]\n  target = " +
                                      std::string(target) + "\n  report epochs_to_target\n"));
    return run_trainer(
        begun_or_not({"study", "moves.model", "train.epochs=1", "--runs", "moves"}, "moves"));
  };
  EXPECT_EQ(with("0.5").code, 0);
  const Ran ran = with("0.6");
  EXPECT_EQ(ran.code, 2);
  EXPECT_NE(ran.err.find("the study `s` had the target 0.5 when it began, and now 0.6"),
            std::string::npos)
      << ran.err;
}

}  // namespace
}  // namespace strata::testing
