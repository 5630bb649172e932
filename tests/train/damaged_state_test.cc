// What a checkpoint holds besides weights, the schedule's state and the numbers that transforms
// fitted: where it is missing, of another length, or no number, that is said before a step is made.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "framework/train/checkpoint.h"
#include "framework/train/prediction.h"
#include "framework/train/safetensors.h"
#include "framework/train/session.h"
#include "framework/train/training.h"
#include "tests/support/programs.h"

namespace strata {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;

struct Collector final : Observer {
  void on_warning(const std::string& message) override { warnings.push_back(message); }
  std::vector<std::string> warnings;
};

class DamagedState : public ::testing::Test {
 protected:
  DamagedState() {
    std::string text = testing::spirals_text();
    const auto put = [&](const std::string& old, const std::string& now) {
      text.replace(text.find(old), old.size(), now);
    };
    put("Cosine(warmup = 5)", "ReduceOnPlateau(patience = 0, threshold = 0.5)");
    put("classes = 3)", "classes = 3) -> Standardize");
    program_ = testing::program_of(text);
    TrainOptions options;
    options.run_folder = folder_ / "run";
    const auto whole = train(*program_, options);
    EXPECT_TRUE(whole.ok());
    whole_ = whole->weights_hash;
    std::filesystem::remove_all(folder_ / "run");
    options.stop_after = 20;  // in the third epoch: there are two checkpoints
    EXPECT_TRUE(train(*program_, options).ok());
  }

  Result<TrainOutcome> resume() {
    TrainOptions options;
    options.resume = folder_ / "run";
    options.observers = {&seen_};
    return train(*program_, options);
  }
  // What is said before, or in, the first step.
  std::string refusal() {
    const auto outcome = resume();
    if (!outcome.ok()) {
      EXPECT_EQ(outcome.error().code, ExitCode::kData);
      return outcome.error().message;
    }
    EXPECT_EQ(outcome->end.code, ExitCode::kData);
    EXPECT_EQ(outcome->end.status, "failed");
    EXPECT_EQ(*find_checkpoint(folder_ / "run"), newest());
    return outcome->end.message;
  }
  std::string newest() const { return folder_ / "run/checkpoints/step-00000020.safetensors"; }

  // Writes the newest checkpoint anew, with a checksum that is right.
  template <class Change>
  void change(const Change& change) {
    auto file = read_safetensors(newest());
    ASSERT_TRUE(file.ok());
    Json progress = Json::parse(file->metadata.at("strata.progress"));
    std::vector<StoredTensor> tensors;
    for (const auto& tensor : file->tensors) {
      tensors.push_back({tensor.name, tensor.dtype, tensor.shape, file->data.data() + tensor.begin,
                         tensor.end - tensor.begin});
    }
    change(progress, tensors);
    file->metadata["strata.progress"] = progress.dump();
    ASSERT_TRUE(write_safetensors(newest(), tensors, file->metadata).ok());
  }
  void change_schedule(const Json& state) {
    change([&](Json& progress, auto&) {
      EXPECT_EQ(progress.at("schedule_state").size(), 6u);
      progress["schedule_state"] = state;
    });
  }
  void change_tensor(const std::string& name, const std::function<void(StoredTensor&)>& how) {
    change([&](Json&, std::vector<StoredTensor>& tensors) {
      const auto at = std::find_if(tensors.begin(), tensors.end(),
                                   [&](const auto& tensor) { return tensor.name == name; });
      ASSERT_NE(at, tensors.end());
      how(*at);
    });
  }
  // What eval and predict say of the run.
  void expect_no_use(const std::string& message) {
    const auto evaluated = evaluate(*program_, folder_ / "run", "val", 1);
    ASSERT_FALSE(evaluated.ok());
    EXPECT_EQ(evaluated.error().message, message);
    EXPECT_EQ(evaluated.error().code, ExitCode::kData);
    const auto origin = [](std::int64_t, std::int64_t, double* values) {
      values[0] = values[1] = 0;
      return Status();
    };
    const auto predicted = predict(*program_, folder_ / "run", origin, 1, 1);
    ASSERT_FALSE(predicted.ok());
    EXPECT_EQ(predicted.error().message, message);
  }

  testing::TemporaryFolder folder_;
  std::optional<Program> program_;
  std::string whole_;
  Collector seen_;
};

TEST_F(DamagedState, AWholeOneGoesOnWithTheSameBits) {
  const auto outcome = resume();
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(outcome->weights_hash, whole_);
  EXPECT_TRUE(seen_.warnings.empty());
}

TEST_F(DamagedState, AFlippedBitOfFittedNumbersBringsTheCheckpointBefore) {
  const auto file = read_safetensors(newest());
  ASSERT_TRUE(file.ok());
  std::string bytes = testing::read_text(newest());
  const std::size_t data = bytes.size() - file->data.size();
  const auto* mean = file->find("data/standardize.mean");
  ASSERT_NE(mean, nullptr);
  bytes[data + static_cast<std::size_t>(mean->begin) + 3] ^= 4;
  testing::write_text(newest(), bytes);
  const auto outcome = resume();
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(outcome->weights_hash, whole_);
  ASSERT_EQ(seen_.warnings.size(), 1u);
  EXPECT_THAT(seen_.warnings[0], HasSubstr("step-00000020.safetensors` is damaged: its checksum"));
  EXPECT_THAT(seen_.warnings[0], HasSubstr("; the one before it is used"));
}

TEST_F(DamagedState, OfTheScheduleIsNamed) {
  const std::string in = "the state of `ReduceOnPlateau` in `" + newest() + "` ";
  change([](Json& progress, auto&) { progress.erase("schedule_state"); });
  EXPECT_EQ(refusal(), in + "has 0 numbers, not 6");
  change([](Json& progress, auto&) { progress["schedule_state"] = {1, 1, 1, 0.5, 0, 0}; });
  EXPECT_TRUE(evaluate(*program_, folder_ / "run", "val", 1).ok());
  change_schedule({1, "nan", 1, 0.5, 0, 0});
  EXPECT_EQ(refusal(), in + "gives a learning rate of nan");
  change_schedule({1, -2, 1, 0.5, 0, 0});
  EXPECT_EQ(refusal(), in + "gives a learning rate of -0.02");
  const std::string unread = "`" + newest() + "` is damaged: its counters cannot be read";
  for (const Json& state : {Json{1, "seven", 1, 0.5, 0, 0}, Json{1, nullptr, 1, 0.5, 0, 0},
                            Json{1, Json::array(), 1, 0.5, 0, 0}}) {
    change_schedule(state);
    EXPECT_EQ(refusal(), unread) << state;
  }
  change_schedule({1, 1, 1, 0.5, 0, 0});
  change_schedule({1, 1, 1, 0.5, 0, 0, 0, 0});
  EXPECT_EQ(refusal(), in + "has 8 numbers, not 6");
}

TEST_F(DamagedState, OfFittedNumbersIsNamed) {
  const std::string fits = "`" + newest() + "` does not fit the model: ";
  change_tensor("data/standardize.std", [](StoredTensor& tensor) { tensor.name = "data/other"; });
  EXPECT_EQ(refusal(), fits + "it has no `data/standardize.std`");
  expect_no_use(fits + "it has no `data/standardize.std`");
  change_tensor("data/other", [](StoredTensor& tensor) { tensor.name = "data/standardize.std"; });
  change_tensor("data/standardize.mean", [](StoredTensor& tensor) {
    tensor.shape = {1};
    tensor.bytes = sizeof(double);
  });
  EXPECT_EQ(refusal(), fits + "`data/standardize.mean` is F64 [1], not [2]");
  expect_no_use(fits + "`data/standardize.mean` is F64 [1], not [2]");
}

TEST_F(DamagedState, FittedNumbersThatAreNoneAreNotUsed) {
  static const double kNone[] = {0.5, std::nan("")};
  change_tensor("data/standardize.mean", [](StoredTensor& tensor) { tensor.data = kNone; });
  const std::string message = "`data/standardize.mean` does not hold finite numbers";
  EXPECT_EQ(refusal(), message);
  expect_no_use(message);
}

}  // namespace
}  // namespace strata
