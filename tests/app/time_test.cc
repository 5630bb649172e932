// trainer time: what it prints and writes. Nothing here depends on how fast anything is.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/app/run_trainer.h"

namespace strata::testing {
namespace {

using Json = nlohmann::json;

class Time : public ::testing::Test {
 protected:
  Time() { write_text("small.model", kSmallModel); }
};

TEST_F(Time, PrintsLayersTotalsAndTheMachine) {
  const Ran ran = run_trainer({"time", "small.model", "--steps", "5", "--threads", "2"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out.find("small: 10 samples a step on 2 threads, medians of 5 steps\n"), 0u)
      << ran.out;
  for (const char* text :
       {"this machine: ", " GFLOP/s of matrix products, ", "\n  layer ", "dense1 ", "forward ",
        "backward ", "\n  input ", "\n  loss ", "\n  update ", "\n  other ", "\n  step ",
        " samples/s\n", "the first step was done "}) {
    EXPECT_NE(ran.out.find(text), std::string::npos) << text << "\n" << ran.out;
  }
}

TEST_F(Time, WritesNothingButTheTrace) {
  std::filesystem::create_directories(workspace() + "/alone");
  write_text("alone/small.model", kSmallModel);
  RunOptions options;
  options.folder = workspace() + "/alone";
  const Ran ran =
      run_trainer({"time", "small.model", "--steps", "3", "--trace", "steps.json"}, options);
  EXPECT_EQ(ran.code, 0) << ran.err;
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(options.folder))
    files.insert(entry.path().filename().string());
  EXPECT_EQ(files, (std::set<std::string>{"small.model", "steps.json"}));
}

TEST_F(Time, TheTraceIsWhatBrowsersLoad) {
  const Ran ran = run_trainer({"time", "small.model", "--steps", "3", "--trace", "steps.json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Json trace = Json::parse(read_text("steps.json"));
  std::set<std::string> names, categories;
  for (const Json& event : trace["traceEvents"]) {
    ASSERT_TRUE(event["name"].is_string() && event["tid"].is_number() && event["pid"].is_number());
    if (event["ph"] != "X") continue;
    ASSERT_TRUE(event["ts"].is_number() && event["dur"].is_number());
    EXPECT_GE(event["ts"], 0);
    EXPECT_GE(event["dur"], 0);
    names.insert(event["name"]);
    categories.insert(event["cat"]);
  }
  for (const char* name : {"step 1", "step 2", "step 3", "input"})
    EXPECT_TRUE(names.count(name)) << name;
  EXPECT_FALSE(names.count("step 4"));
  for (const char* category : {"forward", "loss", "backward"})
    EXPECT_TRUE(categories.count(category)) << category;
}

TEST_F(Time, JsonHasTheSameForPrograms) {
  const Ran ran = run_trainer(
      {"time", "small.model", "--steps", "4", "--batch", "7", "--threads", "1", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Json json = Json::parse(ran.out);
  EXPECT_EQ(json["model"], "small");
  EXPECT_EQ(json["batch_size"], 7);
  EXPECT_EQ(json["threads"], 1);
  EXPECT_EQ(json["steps"], 4);
  EXPECT_EQ(json["fuse"], true);
  EXPECT_GT(json["machine"]["flops_per_second"], 0);
  EXPECT_GT(json["machine"]["memory_bytes_per_second"], 0);
  for (const char* part : {"input", "forward", "loss", "backward", "update", "other"})
    EXPECT_TRUE(json["total"][part].is_number()) << part;
  std::set<std::string> works;
  for (const Json& layer : json["layers"]) {
    works.insert(layer["work"]);
    EXPECT_TRUE(layer["seconds"].is_number());
    if (!layer["limit"].is_null()) {
      EXPECT_TRUE(layer["limit"] == "arithmetic" || layer["limit"] == "memory");
    }
  }
  EXPECT_TRUE(works.count("forward") && works.count("backward"));
  EXPECT_EQ(works.count("update") == 0, json["updates_in_backward"].get<bool>());
}

TEST_F(Time, LayersOnTheirOwnWithoutFusions) {
  const Ran ran = run_trainer({"time", "small.model", "--steps", "2", "--no-fuse", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Json json = Json::parse(ran.out);
  EXPECT_EQ(json["fuse"], false);
  for (const Json& layer : json["layers"]) {
    if (layer["path"].is_string()) {
      EXPECT_EQ(layer["path"].get<std::string>().find('+'), std::string::npos);
    }
  }
}

TEST_F(Time, SettingsCanBeChanged) {
  const Ran ran =
      run_trainer({"time", "small.model", "train.batch_size=20", "--steps", "2", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Json::parse(ran.out)["batch_size"], 20);
  // More than there is: all samples.
  const Ran all = run_trainer({"time", "small.model", "--batch", "1000", "--steps", "2", "--json"});
  ASSERT_EQ(all.code, 0) << all.err;
  EXPECT_EQ(Json::parse(all.out)["batch_size"], 60);
}

TEST_F(Time, SaysWhatIsWrongWithTheCall) {
  EXPECT_EQ(run_trainer({"time"}).code, 2);
  EXPECT_EQ(run_trainer({"time", "small.model", "--steps", "0"}).code, 2);
  EXPECT_EQ(run_trainer({"time", "small.model", "--batch", "none"}).code, 2);
  const Ran over = run_trainer({"time", "small.model", "--trace", "small.model"});
  EXPECT_EQ(over.code, 2);
  EXPECT_EQ(read_text("small.model"), kSmallModel);
  EXPECT_EQ(run_trainer({"time", "missing.model"}).code, 2);
  write_text("bare.model", "format 1\nmodel m(x: [2]) -> y { x -> ReLU as y }\n");
  const Ran bare = run_trainer({"time", "bare.model"});
  EXPECT_EQ(bare.code, 3);
  EXPECT_NE(bare.err.find("timing needs a `data` and a `train` section"), std::string::npos)
      << bare.err;
}

}  // namespace
}  // namespace strata::testing
