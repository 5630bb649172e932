// Every file in models/ runs from end to end, shortened: check, summary, train, eval, predict.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/app/run_trainer.h"

namespace strata::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const auto& file : fs::directory_iterator(repository_file("models"))) {
    if (file.path().extension() == ".model") names.push_back(file.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool needs_mnist(const std::string& text) { return text.find("= MNIST") != std::string::npos; }

// CIFAR-10 is on no Debian machine: 16 made-up images a file, and where they are.
std::vector<std::string> made_data(const std::string& text) {
  if (text.find("= CIFAR10") == std::string::npos) return {};
  std::string images;
  for (int i = 0; i < 16; ++i) {
    images += static_cast<char>(i % 10);
    for (int pixel = 0; pixel < 3 * 32 * 32; ++pixel)
      images += static_cast<char>(pixel * (i + 1) % 251);
  }
  for (const char* name : {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4",
                           "data_batch_5", "test_batch"})
    write_text(std::string("made/") + name + ".bin", images);
  return {"data.cifar.path=made"};
}

class Models : public ::testing::TestWithParam<std::string> {};

TEST_P(Models, RunFromEndToEnd) {
  const std::string name = GetParam(), file = "models/" + name + ".model";
  const std::string text = read_text(file);
  const Ran check = run_trainer({"check", file});
  EXPECT_EQ(check.code, 0) << check.err;
  EXPECT_EQ(check.out.find(file + ": ok ("), 0u) << check.out;
  EXPECT_EQ(run_trainer({"fmt", "--check", file}).code, 0) << "not in canonical form";
  const Ran summary = run_trainer({"summary", file});
  EXPECT_EQ(summary.code, 0) << summary.err;

  if (needs_mnist(text) && !have_mnist()) return;
  // Convolutions take their time over the validation split: fewer steps, and no second look at it.
  const bool convolutional = text.find("Conv2D") != std::string::npos;
  std::vector<std::string> command{
      "train",     file, convolutional ? "train.steps=2" : "train.steps=20", "--run", name,
      "--threads", "2"};
  for (const std::string& setting : made_data(text)) command.push_back(setting);
  const Ran train = run_trainer(command);
  ASSERT_EQ(train.code, 0) << train.err;
  EXPECT_NE(train.out.find("results are in " + name + "\n"), std::string::npos) << train.out;
  EXPECT_EQ(train.out.find('\r'), std::string::npos);
  EXPECT_TRUE(exists(name + "/model.model"));
  EXPECT_TRUE(exists(name + "/checkpoints/best.safetensors"));

  if (convolutional) return;
  const Ran eval = run_trainer({"eval", name, "--json"});
  ASSERT_EQ(eval.code, 0) << eval.err;
  const Json figures = Json::parse(eval.out);
  EXPECT_GT(figures["samples"], 0);
  EXPECT_GT(figures["loss"], 0.0);
}

INSTANTIATE_TEST_SUITE_P(All, Models, ::testing::ValuesIn(model_names()),
                         [](const auto& tested) { return tested.param; });

TEST(Models, AreThere) { EXPECT_GE(model_names().size(), 12u); }

TEST(Spirals, LearnsInAMoment) {
  const Ran train = run_trainer({"train", "models/spirals.model", "--run", "learned"});
  ASSERT_EQ(train.code, 0) << train.err;
  const Json figures = Json::parse(run_trainer({"eval", "learned", "--json"}).out);
  EXPECT_GT(figures["accuracy"], 0.95);
}

TEST(Init, GivesTheWeightsThatTrainingStartsFrom) {
  write_text("small.model", kSmallModel);
  EXPECT_EQ(run_trainer({"init", "small.model", "--out", "start.safetensors"}).out,
            "start.safetensors: 51 parameters of small, seed 1\n");
  const Ran plain = run_trainer({"train", "small.model", "--run", "plain"});
  const Ran started =
      run_trainer({"train", "small.model", "--run", "started", "--init", "start.safetensors"});
  ASSERT_EQ(started.code, 0) << started.err;
  const auto weights = [](const std::string& run) {
    const std::string log = read_text(run + "/metrics.jsonl");
    return Json::parse(log.substr(log.rfind("{\"event\":\"end\"")))["weights_sha256"];
  };
  EXPECT_EQ(weights("plain"), weights("started"));
  const Ran other =
      run_trainer({"init", "small.model", "--out", "other.safetensors", "--seed", "7"});
  EXPECT_EQ(other.code, 0);
  EXPECT_NE(read_text("start.safetensors"), read_text("other.safetensors"));
}

}  // namespace
}  // namespace strata::testing
