// Single steps, layers, predictions and event files: what a run notes where it is asked to, and
// that its bits do not depend on that.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "framework/train/layer_statistics.h"
#include "framework/train/png.h"
#include "framework/train/tensorboard.h"
#include "framework/train/training.h"
#include "tests/support/programs.h"

namespace strata {
namespace {

using Json = nlohmann::json;
using Overrides = std::vector<std::string>;

TrainOutcome run(const Program& program, const TrainOptions& options) {
  auto outcome = train(program, options);
  EXPECT_TRUE(outcome.ok()) << outcome.error().message;
  return outcome.ok() ? *outcome : TrainOutcome{};
}

std::vector<Json> events(const std::string& folder, const std::string& kind) {
  std::vector<Json> found;
  std::istringstream lines(testing::read_text(folder + "/metrics.jsonl"));
  for (std::string line; std::getline(lines, line);)
    if (Json event = Json::parse(line); event["event"] == kind) {
      event.erase("times");  // those of no two runs are the same
      found.push_back(std::move(event));
    }
  return found;
}

std::string trained(const testing::TemporaryFolder& folder, const std::string& name,
                    const Overrides& overrides, int threads = 2) {
  const auto program = testing::program_of(testing::spirals_text(), overrides);
  TrainOptions options;
  options.run_folder = folder / name;
  options.threads = threads;
  return run(*program, options).weights_hash;
}

TEST(Moments, AreThoseOfTheValues) {
  const std::vector<float> values = {0, 1, 2, 3, 0, 5, 6, 7, 8, 9, -4};
  const Moments found = moments_of(values.data(), static_cast<std::int64_t>(values.size()));
  double mean = 0, squares = 0;
  for (const float x : values) mean += x / 11.0;
  for (const float x : values) squares += (x - mean) * (x - mean) / 11;
  EXPECT_EQ(found.count, 11);
  EXPECT_NEAR(found.mean, mean, 1e-12);
  EXPECT_NEAR(found.deviation, std::sqrt(squares), 1e-12);
  EXPECT_NEAR(found.zeros, 2.0 / 11, 1e-12);
  EXPECT_EQ(moments_of(values.data(), 0).count, 0);
}

TEST(Moments, OfLargeValuesKeepTheirDeviation) {
  std::vector<double> values;
  for (int i = 0; i < 1000; ++i) values.push_back(1e9 + i % 2);
  EXPECT_NEAR(moments_of(values.data(), 1000).deviation, 0.5, 1e-9);
}

TEST(Statistics, ChangeNoBitOfTraining) {
  const testing::TemporaryFolder folder;
  const std::string plain = trained(folder, "plain", {});
  int count = 0;
  for (const Overrides& overrides :
       {Overrides{"train.statistics=1"}, Overrides{"train.log_steps=1"},
        Overrides{"train.statistics=5", "train.log_steps=2", "train.log=\"tensorboard\""}})
    EXPECT_EQ(trained(folder, overrides[0], overrides, ++count), plain) << overrides[0];
  const Overrides many = {"train.accumulate=2", "train.ema=0.9", "train.clip_norm=0.5"};
  Overrides noted = many;
  noted.insert(noted.end(), {"train.statistics=1", "train.log_steps=1"});
  EXPECT_EQ(trained(folder, "noted", noted), trained(folder, "silent", many));
}

TEST(Statistics, AreTheSameOnAnyNumberOfThreads) {
  const testing::TemporaryFolder folder;
  trained(folder, "one", {"train.statistics=4"}, 1);
  trained(folder, "four", {"train.statistics=4"}, 4);
  EXPECT_EQ(events(folder / "one", "statistics"), events(folder / "four", "statistics"));
}

TEST(Statistics, ComeWithTheTimeOfEachLayer) {
  const testing::TemporaryFolder folder;
  trained(folder, "run", {"train.statistics=10"});
  const std::string log = testing::read_text(folder / "run/metrics.jsonl");
  const std::size_t at = log.find("\"times\":{\"dense1");
  ASSERT_NE(at, std::string::npos) << log;
  const Json times = Json::parse(log.substr(at + 8, log.find('}', at) - at - 7));
  for (const auto& [layer, seconds] : times.items()) {
    ASSERT_EQ(seconds.size(), 3u) << layer;
    EXPECT_GT(seconds[0].get<double>(), 0) << layer;
    EXPECT_LT(seconds[0].get<double>(), 10) << layer;
  }
}

TEST(Statistics, ShowWhatBatchNormDoes) {
  const testing::TemporaryFolder folder;
  trained(folder, "run", {"train.statistics=10"});
  const auto found = events(folder / "run", "statistics");
  ASSERT_EQ(found.size(), 3u);  // steps 1, 10 and 20 of 27
  EXPECT_EQ(found[0]["step"], 1);
  EXPECT_EQ(found[2]["step"], 20);
  EXPECT_EQ(found[2]["epoch"], 3);
  std::vector<std::string> layers;
  for (const auto& [layer, unused] : found[0]["layers"].items()) layers.push_back(layer);
  EXPECT_THAT(layers, ::testing::UnorderedElementsAre("dense1", "batch_norm1", "relu1", "dropout1",
                                                      "dense2", "batch_norm2", "relu2", "logits"));
  const Json& norm = found[0]["layers"]["batch_norm1"];
  EXPECT_EQ(norm["kind"], "BatchNorm");
  EXPECT_NEAR(norm["activation"][0].get<double>(), 0, 1e-5);
  EXPECT_NEAR(norm["activation"][1].get<double>(), 1, 1e-2);
  EXPECT_EQ(norm["activation"][2], 0);
  const Json& relu = found[0]["layers"]["relu1"];
  EXPECT_NEAR(relu["activation"][2].get<double>(), 0.5, 0.15);  // about half is cut off
  EXPECT_GT(relu["gradient"][1].get<double>(), 0);
  EXPECT_EQ(norm["parameters"]["weight"]["value"], Json({1, 0, 0}));  // as they start
  EXPECT_GT(norm["parameters"]["weight"]["gradient"][1].get<double>(), 0);
  EXPECT_FALSE(relu.contains("parameters"));
}

// The gradient with respect to the last layer's output is (softmax - one hot) / batch: it sums to
// zero over the classes.
TEST(Statistics, GradientsAreThoseOfTheLoss) {
  const testing::TemporaryFolder folder;
  trained(folder, "run", {"train.statistics=1", "train.precision=f64"});
  for (const Json& event : events(folder / "run", "statistics")) {
    const Json& gradient = event["layers"]["logits"]["gradient"];
    EXPECT_NEAR(gradient[0].get<double>(), 0, 1e-15);
    EXPECT_LT(gradient[1].get<double>(), 1.0 / 4);
  }
}

TEST(Steps, HaveTheirLossToTheLastBit) {
  const testing::TemporaryFolder folder;
  trained(folder, "run", {"train.log_steps=1"});
  const auto steps = events(folder / "run", "step");
  ASSERT_EQ(steps.size(), 27u);
  // The epoch's loss is the mean of its steps' weighted by their samples: 8 of 37, one of 4.
  const auto epochs = events(folder / "run", "epoch");
  double sum = 0;
  for (int i = 0; i < 9; ++i) sum += steps[i]["loss"].get<double>() * (i < 8 ? 37 : 4) / 300;
  EXPECT_NEAR(sum, epochs[0]["train.loss"].get<double>(), 1e-12);
  EXPECT_EQ(steps[8]["weights_crc32"], epochs[0]["weights_crc32"]);
  EXPECT_NE(steps[7]["weights_crc32"], epochs[0]["weights_crc32"]);
  EXPECT_EQ(steps[9]["epoch"], 2);
  EXPECT_LE(steps[0]["seconds"].get<double>(), steps[8]["seconds"].get<double>());
}

TEST(Steps, GoOnAfterAStopWhereTheCheckpointIs) {
  const testing::TemporaryFolder folder;
  const Overrides overrides = {"train.log_steps=1", "train.statistics=4"};
  trained(folder, "whole", overrides);
  const auto program = testing::program_of(testing::spirals_text(), overrides);
  TrainOptions options;
  options.run_folder = folder / "parts";
  options.stop_after = 13;
  run(*program, options);
  // What a killed process wrote after its checkpoint is dropped.
  std::ofstream(folder / "parts/metrics.jsonl", std::ios::app)
      << R"({"event":"step","epoch":2,"step":14,"loss":7})"
      << "\n"
      << R"({"event":"statistics","epoch":2,"step":16,"layers":{}})"
      << "\n";
  TrainOptions resumed;
  resumed.resume = options.run_folder;
  run(*program, resumed);
  for (const char* kind : {"step", "statistics"}) {
    auto whole = events(folder / "whole", kind), parts = events(folder / "parts", kind);
    for (auto* list : {&whole, &parts})
      for (Json& event : *list) event.erase("seconds");
    EXPECT_EQ(whole, parts);
  }
}

TEST(Settings, OfTheLogMayChangeWhenARunGoesOn) {
  const testing::TemporaryFolder folder;
  TrainOptions options;
  options.run_folder = folder / "run";
  options.stop_after = 13;
  run(*testing::program_of(testing::spirals_text()), options);
  TrainOptions resumed;
  resumed.resume = options.run_folder;
  const auto outcome =
      run(*testing::program_of(testing::spirals_text(), {"train.log_steps=2", "train.statistics=2",
                                                         "train.log=\"tensorboard\""}),
          resumed);
  EXPECT_EQ(outcome.end.status, "done");
  EXPECT_EQ(events(folder / "run", "step").size(), 7u);  // 14, 16, … 26
}

TEST(Predictions, AreThoseOfTheBestEpoch) {
  const testing::TemporaryFolder folder;
  trained(folder, "run",
          {"train.metrics=[Accuracy(logits, label), ConfusionMatrix(logits, label)]"});
  const Json found = Json::parse(testing::read_text(folder / "run/predictions.json"));
  const Json end = events(folder / "run", "end")[0];
  EXPECT_EQ(found["split"], "val");
  EXPECT_EQ(found["samples"], 60);
  EXPECT_EQ(found["epoch"], end["best_epoch"]);
  const Json best = events(folder / "run", "epoch")[end["best_epoch"].get<std::size_t>() - 1];
  int right = 0, all = 0;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {
      const int count = found["confusion"][i][j];
      EXPECT_EQ(count, best["val.confusion_" + std::to_string(i) + "_" + std::to_string(j)]);
      all += count;
      if (i == j) right += count;
    }
  EXPECT_EQ(all, 60);
  EXPECT_NEAR(right / 60.0, best["val.accuracy"].get<double>(), 1e-9);
  ASSERT_EQ(found["worst"].size(), 24u);
  for (std::size_t i = 1; i < 24; ++i)
    EXPECT_GE(found["worst"][i - 1]["loss"], found["worst"][i]["loss"]);
  EXPECT_FALSE(found["worst"][0].contains("image"));  // points are no pictures
}

TEST(Predictions, OfRegressionWithoutPicturesAreNone) {
  const testing::TemporaryFolder folder;
  const auto program = testing::program_of(R"(format 1
model line(point: [2]) -> value { point -> Dense(2) as value }
data points = Synthetic(kind = "spirals", samples = 100, val_samples = 20)
train {
  loss = MeanSquaredError(value, point)
  optimizer = SGD(lr = 0.1)
  epochs = 1
}
)");
  TrainOptions options;
  options.run_folder = folder / "run";
  run(*program, options);
  EXPECT_FALSE(std::filesystem::exists(folder / "run/predictions.json"));
}

TEST(Pictures, ArePng) {
  Picture picture{3, 2, 1, {0, 128, 255, 10, 20, 30}};
  const std::string png = encode_png(picture);
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
  EXPECT_EQ(png.substr(16, 8), std::string("\0\0\0\3\0\0\0\2", 8));  // width, height
  EXPECT_EQ(png.substr(png.size() - 12), std::string("\0\0\0\0IEND\xae\x42\x60\x82", 12));
  EXPECT_THAT(png_uri(picture), ::testing::StartsWith("data:image/png;base64,iVBORw0KGgo"));
}

TEST(Pictures, ShrinkToMeans) {
  const Picture picture{4, 2, 1, {0, 10, 100, 200, 20, 30, 100, 0}};
  const Picture small = shrunk(picture, 2);
  EXPECT_EQ(small.width, 2);
  EXPECT_EQ(small.height, 1);
  EXPECT_EQ(small.bytes, (std::vector<std::uint8_t>{15, 100}));
  EXPECT_EQ(shrunk(picture, 4).bytes, picture.bytes);
}

// Test vectors of RFC 3720 and of TensorFlow's crc32c_test.
TEST(EventFiles, ChecksumsAreMaskedCrc32c) {
  const auto masked = [](std::uint32_t crc) { return (crc >> 15 | crc << 17) + 0xa282ead8u; };
  EXPECT_EQ(masked_crc32c(std::string(32, '\0')), masked(0x8a9136aa));
  EXPECT_EQ(masked_crc32c(std::string(32, '\xff')), masked(0x62a8ab43));
  EXPECT_EQ(masked_crc32c("123456789"), masked(0xe3069283));
}

TEST(EventFiles, ThatCannotBeWrittenStopARunBeforeItBegins) {
  const testing::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "run");
  testing::write_text(folder / "run/tensorboard", "a file in the way");
  const auto program = testing::program_of(testing::spirals_text(), {"train.log=\"tensorboard\""});
  TrainOptions options;
  options.run_folder = folder / "run";
  const auto outcome = train(*program, options);
  ASSERT_FALSE(outcome.ok());
  EXPECT_THAT(outcome.error().message,
              ::testing::StartsWith("cannot write event files in `" + folder.path() +
                                    "/run/tensorboard`: "));
}

}  // namespace
}  // namespace strata
