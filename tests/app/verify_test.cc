// trainer verify, and how a run that goes on is spoken of.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/app/run_trainer.h"

namespace strata::testing {
namespace {

TEST(Verify, ShowsThatHashesAgree) {
  write_text("small.model", kSmallModel);
  const std::string temporary = workspace() + "/temporary";
  std::filesystem::create_directories(temporary);
  const Ran ran = run_trainer({"verify", "small.model", "--steps", "9"},
                              {.environment = {{"TMPDIR", temporary}}});
  EXPECT_EQ(ran.code, 0) << ran.err;
  for (const char* row : {"  1 thread  ", "  16 threads  ", "  stopped after step 4, resumed  ",
                          "  killed at step 8, resumed  ", "same: all 14 runs"}) {
    EXPECT_NE(ran.out.find(row), std::string::npos) << row << "\n" << ran.out;
  }
  EXPECT_TRUE(std::filesystem::is_empty(temporary));
}

TEST(Verify, Json) {
  write_text("small.model", kSmallModel);
  const Ran ran = run_trainer({"verify", "small.model", "--steps", "4", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto json = nlohmann::json::parse(ran.out);
  EXPECT_EQ(json["same"], true);
  EXPECT_EQ(json["runs"][0]["run"], "1 thread");
  EXPECT_EQ(json["runs"][0]["sha256"].get<std::string>().size(), 64u);
  EXPECT_EQ(json["fusion"]["agrees"], true);
}

TEST(Verify, AFailureOfARunIsTheCommands) {
  write_text("small.model", kSmallModel);
  const Ran ran = run_trainer({"verify", "small.model", "train.optimizer=SGD(lr = 1e30)"});
  EXPECT_EQ(ran.code, 6) << ran.out;
  EXPECT_NE(ran.err.find("is not a finite number at step"), std::string::npos) << ran.err;
}

TEST(Train, AFinishedRunSaysSo) {
  write_text("small.model", kSmallModel);
  ASSERT_EQ(run_trainer({"train", "small.model", "--run", "finished"}).code, 0);
  const Ran again = run_trainer({"train", "--resume", "finished", "-q"});
  EXPECT_EQ(again.code, 0);
  EXPECT_EQ(again.out.find("done already: small has trained for 2 epochs\n"), 0u) << again.out;
  EXPECT_NE(again.out.find("trainer train --resume finished train.epochs=…"), std::string::npos);
  const Ran more = run_trainer({"train", "--resume", "finished", "train.epochs=3"});
  EXPECT_EQ(more.code, 0) << more.err;
  EXPECT_NE(more.out.find("  with train.epochs: 2 -> 3\n"), std::string::npos) << more.out;
}

TEST(Train, AChangeThatCannotBeIsNamed) {
  write_text("small.model", kSmallModel);
  ASSERT_EQ(run_trainer({"train", "small.model", "--run", "changed"}).code, 0);
  const Ran ran = run_trainer({"train", "--resume", "changed", "train.batch_size=12", "-q"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.err,
            "error: `changed` cannot go on the same way with\n  train.batch_size: 10 -> 12\n"
            "  help: resume without these changes, or start a new run from its weights: --init "
            "changed\n");
}

TEST(Train, SavesOnRequestAndGoesOn) {
  write_text("small.model", kSmallModel);
  const Ran ran =
      run_trainer({"train", "small.model", "train.epochs=1000000", "--run", "asked"},
                  {.meanwhile = [](int process) {
                    for (int i = 0; i < 500 && !exists("asked/checkpoints/best.safetensors"); ++i)
                      ::usleep(20'000);
                    ::kill(process, SIGUSR1);
                    ::usleep(300'000);
                    ::kill(process, SIGINT);
                  }});
  EXPECT_EQ(ran.code, 130);
  EXPECT_NE(ran.out.find("saved after step "), std::string::npos) << ran.out;
}

TEST(Train, ALongNameIsRefusedEarly) {
  std::string model = kSmallModel;
  model.replace(model.find("small("), 5, std::string(300, 'm'));
  write_text("long name.model", model);
  const Ran ran = run_trainer({"train", "long name.model", "-q"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_NE(ran.err.find("the model's name has 300 characters"), std::string::npos) << ran.err;
  EXPECT_EQ(run_trainer({"train", "long name.model", "-q", "--run", "short"}).code, 0);
}

}  // namespace
}  // namespace strata::testing
