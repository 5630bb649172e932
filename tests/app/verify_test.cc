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

TEST(Verify, NamesTheFolderThatItCannotUse) {
  write_text("small.model", kSmallModel);
  const Ran ran = run_trainer({"verify", "small.model"}, {.environment = {{"TMPDIR", "/no"}}});
  EXPECT_EQ(ran.code, 4);
  EXPECT_EQ(ran.out, "");
  EXPECT_NE(ran.err.find("cannot make a temporary folder in `/no`: "), std::string::npos)
      << ran.err;
}

// MNIST's files with other images.
void write_images(const std::string& folder, int samples, int seed) {
  const auto big = [](int x) { return std::string{char(0), char(0), char(x >> 8), char(x)}; };
  for (const std::string part : {"train", "t10k"}) {
    std::string images = std::string("\0\0\x08\x03", 4) + big(samples) + big(28) + big(28);
    std::string labels = std::string("\0\0\x08\x01", 4) + big(samples);
    for (int i = 0; i < samples; ++i) {
      labels += static_cast<char>(i % 10);
      images += std::string(28 * 28, static_cast<char>(i * 7 + seed));
    }
    write_text(folder + "/" + part + "-images-idx3-ubyte", images);
    write_text(folder + "/" + part + "-labels-idx1-ubyte", labels);
  }
}

TEST(Train, OtherDataAreNoticed) {
  std::filesystem::create_directories(workspace() + "/digits");
  write_images("digits", 40, 1);
  std::string model = read_text("models/mnist_mlp_bn.model");
  model.replace(model.find("= MNIST ") + 2, 5, "MNIST(path = \"" + workspace() + "/digits\")");
  write_text("digits.model", model);
  Ran ran = run_trainer({"train", "digits.model", "train.epochs=1", "-q", "train.batch_size=8",
                         "--run", "on digits"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  write_images("digits", 32, 1);
  ran = run_trainer({"train", "--resume", "on digits", "train.epochs=2"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_EQ(ran.out, "");
  EXPECT_NE(ran.err.find("\n  train_samples: 40 -> 32\n"), std::string::npos) << ran.err;
  write_images("digits", 40, 2);
  ran = run_trainer({"train", "--resume", "on digits", "train.epochs=2"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.err.find("other train data: they are not those the run began with"),
            std::string::npos)
      << ran.err;
  write_images("digits", 40, 1);
  ran = run_trainer({"train", "--resume", "on digits", "train.epochs=2"});
  EXPECT_EQ(ran.code, 0) << ran.err;
}

TEST(Train, TheRunsOwnModelCounts) {
  write_text("small.model", kSmallModel);
  ASSERT_EQ(run_trainer({"train", "small.model", "-q", "--run", "own"}).code, 0);
  ASSERT_EQ(run_trainer({"train", "--resume", "own", "-q", "train.epochs=4"}).code, 0);
  const std::string model = read_text("own/model.model");
  const Ran older = run_trainer({"train", "--resume", "own/checkpoints/best.safetensors"});
  EXPECT_EQ(older.code, 0) << older.err;
  EXPECT_NE(older.out.find("trained for 4 epochs"), std::string::npos) << older.out;
  EXPECT_EQ(read_text("own/model.model"), model);

  std::string edited = model;
  edited.replace(edited.find("batch_size "), 11, "batch_size=9 #");
  write_text("own/model.model", edited);
  Ran ran = run_trainer({"train", "--resume", "own"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.out, "");
  EXPECT_NE(ran.err.find("\n  train.batch_size: 10 -> 9\n"), std::string::npos) << ran.err;

  for (const bool empty : {true, false}) {
    if (empty) write_text("own/model.model", "");
    if (!empty) std::filesystem::remove(workspace() + "/own/model.model");
    ran = run_trainer({"train", "--resume", "own", "-q"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_NE(ran.err.find(empty ? "`own/model.model` is empty; it is written again"
                                 : "`own/model.model` is missing; it is written again"),
              std::string::npos)
        << ran.err;
    EXPECT_EQ(read_text("own/model.model"), model);
  }
}

TEST(Train, LeavesNoEmptyFolder) {
  write_text("small.model", kSmallModel);
  std::filesystem::create_directories(workspace() + "/limited");
  // Files may have no bytes: the first one fails.
  const std::string script = "cd '" + workspace() + "' && ulimit -f 0 && '" +
                             repository_file("framework/app/trainer") +
                             "' train small.model -q --runs limited 2>/dev/null";
  EXPECT_NE(std::system(("bash -c \"" + script + "\"").c_str()), 0);
  EXPECT_FALSE(exists("limited/small/1"));
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
