// Going on with a run: what may change, what may not, and what is said of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "framework/train/checkpoint.h"
#include "framework/train/data_identity.h"
#include "framework/train/differences.h"
#include "framework/train/training.h"
#include "tests/support/programs.h"

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> changes(const std::vector<std::string>& before,
                                 const std::vector<std::string>& now, bool* allowed = nullptr) {
  const auto a = testing::program_of(testing::spirals_text(), before);
  const auto b = testing::program_of(testing::spirals_text(), now);
  std::vector<std::string> texts;
  if (allowed) *allowed = true;
  for (const Difference& difference : differences(a->resolved, *b)) {
    texts.push_back(difference.text);
    if (allowed) *allowed = *allowed && difference.allowed;
  }
  return texts;
}

TEST(Differences, AreNamedKeyByKey) {
  bool allowed = true;
  EXPECT_THAT(changes({}, {"train.batch_size=38", "train.optimizer.lr=0.5"}, &allowed),
              ElementsAre("train.optimizer.lr: 0.01 -> 0.5", "train.batch_size: 37 -> 38"));
  EXPECT_FALSE(allowed);
  EXPECT_THAT(changes({}, {"train.clip_norm=1"}, &allowed),
              ElementsAre("train.clip_norm: none -> 1.0"));
  EXPECT_FALSE(allowed);
  EXPECT_THAT(changes({}, {}), IsEmpty());
}

TEST(Differences, OfLengthPatienceAndSavingAreAllowed) {
  bool allowed = false;
  EXPECT_THAT(changes({}, {"train.steps=50"}, &allowed),
              ElementsAre("train.epochs: 3 -> none", "train.steps: none -> 50"));
  EXPECT_TRUE(allowed);
  changes({}, {"train.patience=5", "train.min_delta=0.1", "train.checkpoint_steps=3"}, &allowed);
  EXPECT_TRUE(allowed);
}

TEST(Differences, OfTheModelAreShownAsLines) {
  const auto a = testing::program_of(testing::spirals_text());
  std::string text = testing::spirals_text();
  text.replace(text.find("Dense(48)"), 9, "Dense(50)");
  const auto b = testing::program_of(text);
  const auto found = differences(a->resolved, *b);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].text, HasSubstr("model spiral:\n    - "));
  EXPECT_THAT(found[0].text, HasSubstr("Dense(48"));
  EXPECT_THAT(found[0].text, HasSubstr("Dense(50"));
  EXPECT_FALSE(found[0].allowed);
}

TEST(Differences, ATextFromBeforeASettingExistedHasItsDefault) {
  const auto program = testing::program_of(testing::spirals_text());
  std::string before = program->resolved;
  for (const char* key : {"  clip_norm", "  monitor", "  accumulate", "  min_delta"}) {
    const std::size_t at = before.find(key);
    ASSERT_NE(at, std::string::npos);
    before.erase(at, before.find('\n', at) + 1 - at);
  }
  EXPECT_THAT(differences(before, *program), IsEmpty());
}

TEST(Differences, OfCommentsAreNone) {
  const auto program = testing::program_of("format 1\n# a comment # with another\n" +
                                           testing::spirals_text().substr(9));
  const auto plain = testing::program_of(testing::spirals_text());
  EXPECT_THAT(differences(program->resolved, *plain), IsEmpty());
}

struct Collector final : Observer {
  void on_warning(const std::string& message) override { warnings.push_back(message); }
  void on_start(const RunFacts& facts) override { started = facts; }
  std::vector<std::string> warnings;
  RunFacts started;
};

class Resume : public ::testing::Test {
 protected:
  // Trains, or goes on in `folder_`.
  Result<TrainOutcome> run(const std::vector<std::string>& overrides, bool resume,
                           std::int64_t stop_after = 0) {
    const auto program = testing::program_of(testing::spirals_text(), overrides);
    TrainOptions options;
    options.threads = 2;
    options.stop_after = stop_after;
    options.observers = {&seen_};
    (resume ? options.resume : options.run_folder) = folder_ / "run";
    return train(*program, options);
  }
  testing::TemporaryFolder folder_;
  Collector seen_;
};

TEST_F(Resume, WithMoreEpochsGivesTheBitsOfTheLongRun) {
  // Without a schedule nothing depends on the length.
  const auto longer = run({"train.schedule=none", "train.epochs=5"}, false);
  ASSERT_TRUE(longer.ok());
  std::filesystem::remove_all(folder_ / "run");
  ASSERT_TRUE(run({"train.schedule=none", "train.epochs=2"}, false).ok());
  const auto more = run({"train.schedule=none", "train.epochs=5"}, true);
  ASSERT_TRUE(more.ok()) << more.error().message;
  EXPECT_EQ(more->weights_hash, longer->weights_hash);
  EXPECT_THAT(seen_.started.changes, ElementsAre("train.epochs: 2 -> 5"));
  EXPECT_THAT(seen_.warnings, IsEmpty());
  EXPECT_THAT(testing::read_text(folder_ / "run/model.model"), HasSubstr("epochs             = 5"));
}

TEST_F(Resume, WithMoreStepsGoesOnWithinTheEpoch) {
  const auto longer = run({"train.schedule=none", "train.steps=25"}, false);
  std::filesystem::remove_all(folder_ / "run");
  ASSERT_TRUE(run({"train.schedule=none", "train.steps=13"}, false).ok());
  const auto more = run({"train.schedule=none", "train.steps=25"}, true);
  ASSERT_TRUE(longer.ok() && more.ok());
  EXPECT_EQ(more->weights_hash, longer->weights_hash);
}

TEST_F(Resume, SaysThatAScheduleWouldHaveGoneAnotherWay) {
  ASSERT_TRUE(run({}, false).ok());
  ASSERT_TRUE(run({"train.epochs=5"}, true).ok());
  ASSERT_EQ(seen_.warnings.size(), 1u);
  EXPECT_THAT(seen_.warnings[0], HasSubstr("the schedule `Cosine` is laid out over 45 steps now"));
}

TEST_F(Resume, RefusesFewerEpochsThanAreTrained) {
  ASSERT_TRUE(run({}, false).ok());
  const auto outcome = run({"train.epochs=1"}, true);
  ASSERT_FALSE(outcome.ok());
  EXPECT_THAT(outcome.error().message, HasSubstr("has trained for 27 steps already"));
}

TEST_F(Resume, OfAFinishedRunChangesNothing) {
  const auto first = run({}, false);
  const std::string log = testing::read_text(folder_ / "run/metrics.jsonl");
  const auto again = run({}, true);
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_TRUE(again->already_done);
  EXPECT_EQ(again->weights_hash, first->weights_hash);
  EXPECT_EQ(testing::read_text(folder_ / "run/metrics.jsonl"), log);
}

TEST_F(Resume, AddsTheEndThatAKillLeftOutOfTheLog) {
  ASSERT_TRUE(run({}, false).ok());
  std::string log = testing::read_text(folder_ / "run/metrics.jsonl");
  testing::write_text(folder_ / "run/metrics.jsonl", log.substr(0, log.find("{\"event\":\"end\"")));
  ASSERT_TRUE(run({}, true).ok());
  const std::string now = testing::read_text(folder_ / "run/metrics.jsonl");
  EXPECT_THAT(now, HasSubstr("\"epoch\":3,"));
  EXPECT_THAT(now, HasSubstr("\"status\":\"done\""));
}

TEST_F(Resume, BeginsAgainWhereThereIsNoCheckpointYet) {
  const auto whole = run({}, false);
  std::filesystem::remove_all(folder_ / "run/checkpoints");
  const auto again = run({}, true);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->weights_hash, whole->weights_hash);
}

TEST_F(Resume, FromAnOlderCheckpointKeepsWhatItWrites) {
  const auto whole = run({}, false);
  const auto program = testing::program_of(testing::spirals_text());
  TrainOptions options;
  options.resume = folder_ / "run/checkpoints/step-00000018.safetensors";
  options.stop_after = 1;
  ASSERT_TRUE(train(*program, options).ok());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/checkpoints/step-00000027.safetensors"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "run/checkpoints/step-00000019.safetensors"));
  const auto more = run({}, true);
  ASSERT_TRUE(more.ok());
  EXPECT_EQ(more->weights_hash, whole->weights_hash);
}

TEST_F(Resume, NeedsACheckpointInARunsFolder) {
  ASSERT_TRUE(run({}, false, 3).ok());
  std::filesystem::copy_file(folder_ / "run/checkpoints/step-00000003.safetensors",
                             folder_ / "alone.safetensors");
  const auto program = testing::program_of(testing::spirals_text());
  TrainOptions options;
  options.resume = folder_ / "alone.safetensors";
  const auto outcome = train(*program, options);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, ExitCode::kUsage);
  EXPECT_THAT(outcome.error().message, HasSubstr("does not lie in the folder of a run"));
}

TEST_F(Resume, GoesOnWithoutFusionsWhereItBeganWithoutThem) {
  const auto program = testing::program_of(testing::spirals_text());
  TrainOptions options;
  options.run_folder = folder_ / "plain";
  options.fuse = false;
  options.observers = {&seen_};
  const auto plain = train(*program, options);
  ASSERT_TRUE(plain.ok());
  options.run_folder = folder_ / "stopped";
  options.stop_after = 11;
  ASSERT_TRUE(train(*program, options).ok());
  TrainOptions second;
  second.resume = folder_ / "stopped";
  second.observers = {&seen_};
  const auto resumed = train(*program, second);
  ASSERT_TRUE(resumed.ok());
  EXPECT_EQ(resumed->weights_hash, plain->weights_hash);
  EXPECT_FALSE(seen_.started.fuse);
  ASSERT_TRUE(run({}, false, 3).ok());
  second.resume = folder_ / "run";
  second.fuse = false;
  const auto refused = train(*program, second);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ExitCode::kUsage);
}

TEST_F(Resume, GoesOnFromTheBestEpochWhereNoStepIsLeft) {
  const auto whole = run({}, false);
  ASSERT_TRUE(whole.ok());
  const std::string folder = folder_ / "run/checkpoints";
  for (const char* step : {"18", "27"})
    std::filesystem::remove(folder + "/step-000000" + step + ".safetensors");
  const auto best = open_checkpoint(best_checkpoint(folder));
  ASSERT_TRUE(best.ok());
  const auto again = run({}, true);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->weights_hash, whole->weights_hash);
  ASSERT_GE(seen_.warnings.size(), 1u);
  EXPECT_THAT(seen_.warnings[0], HasSubstr("it goes on from the best epoch's"));
}

TEST_F(Resume, OverlooksNothingThatLiesAmongTheCheckpoints) {
  const auto whole = run({}, false, 20);
  const std::string folder = folder_ / "run/checkpoints";
  // What could not be saved in its place, brought back.
  std::filesystem::rename(folder + "/step-00000020.safetensors",
                          folder + "/strata-run-77.safetensors");
  EXPECT_EQ(*find_checkpoint(folder_ / "run"), folder + "/strata-run-77.safetensors");
  std::filesystem::remove(folder + "/step-00000018.safetensors");
  std::filesystem::remove(folder + "/best.safetensors");
  EXPECT_EQ(*find_checkpoint(folder_ / "run"), folder + "/strata-run-77.safetensors");
  EXPECT_FALSE(is_unstarted_run(folder_ / "run"));
  std::filesystem::rename(folder + "/strata-run-77.safetensors", folder + "/mine.safetensors");
  const auto refused = run({}, true);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("has no checkpoints by the names"));
  EXPECT_THAT(refused.error().hint, HasSubstr("checkpoints/mine.safetensors"));
}

TEST_F(Resume, DoesNotWaitForAPipe) {
  const auto whole = run({}, false, 20);
  ASSERT_TRUE(whole.ok());
  const std::string pipe = folder_ / "run/checkpoints/step-00000099.safetensors";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  ASSERT_TRUE(run({}, true).ok());
  ASSERT_GE(seen_.warnings.size(), 1u);
  EXPECT_THAT(seen_.warnings[0], HasSubstr("it is not an ordinary file; the one before"));
}

std::string on_data(std::int64_t samples, double noise) {
  std::string text = testing::spirals_text();
  return text.replace(text.find("Synthetic("), text.find("train {") - text.find("Synthetic("),
                      fmt::format("Synthetic(kind = \"spirals\", samples = {}, val_samples = 60, "
                                  "classes = 3, noise = {})\n",
                                  samples, noise));
}

TEST(Identity, OfOtherDataIsAnother) {
  const auto identity = [](const Program& program) {
    auto pipeline = InputPipeline::open(program.data, program.train.precision, 0);
    return *identify_data(program, **pipeline);
  };
  const auto differ = [](const DataIdentity& before, const Program& program) {
    auto pipeline = InputPipeline::open(program.data, program.train.precision, 0);
    return *data_differences(before, program, **pipeline);
  };
  const auto a = testing::program_of(on_data(300, 0.1));
  const DataIdentity before = identity(*a);
  ASSERT_EQ(before.size(), 2u);
  EXPECT_EQ(before[0].checked, 300);
  EXPECT_THAT(differ(before, *a), IsEmpty());
  EXPECT_EQ(differ(before, *testing::program_of(on_data(250, 0.1)))[0],
            "train_samples: 300 -> 250");
  EXPECT_THAT(differ(before, *testing::program_of(on_data(300, 0.2)))[0],
              HasSubstr("other train data: they are not those the run began with"));
  // The same on any number of threads.
  DataIdentity alone;
  ThreadPool(1).run([&] { alone = identity(*a); });
  EXPECT_EQ(alone[0].crc, before[0].crc);
}

// Not on how busy the machine is: reports and `trainer diff` compare the sums of any two runs.
TEST(Identity, CoversWhatTheSizeOfSamplesSays) {
  EXPECT_EQ(checked_samples(60'000, 28 * 28 * 4 + 8), 60'000);  // MNIST
  EXPECT_EQ(checked_samples(50'000, 3 * 32 * 32 * 4 + 8), 16'265);
  EXPECT_EQ(checked_samples(1'000'000, 3 * 224 * 224 * 4 + 8), 332);
  EXPECT_EQ(checked_samples(1'000, 1'000'000'000), 64);
  EXPECT_EQ(checked_samples(10, 1'000'000'000), 10);
  EXPECT_EQ(checked_samples(0, 8), 0);
  EXPECT_EQ(checked_samples(10, 0), 10);
}

TEST_F(Resume, OfAnotherModelIsRefused) {
  ASSERT_TRUE(run({}, false, 3).ok());
  std::string text = testing::spirals_text();
  text.replace(text.find("spiral("), 6, "other");
  const auto program = testing::program_of(text);
  TrainOptions options;
  options.resume = folder_ / "run";
  const auto outcome = train(*program, options);
  ASSERT_FALSE(outcome.ok());
  EXPECT_THAT(outcome.error().message, HasSubstr("is of the model `spiral`, not of `other`"));
}

TEST_F(Resume, WritesAModelFileAgainThatDoesNotAgree) {
  ASSERT_TRUE(run({}, false, 3).ok());
  const std::string text = testing::read_text(folder_ / "run/model.model");
  testing::write_text(folder_ / "run/model.model", "");
  ASSERT_TRUE(run({}, true, 1).ok());
  EXPECT_EQ(testing::read_text(folder_ / "run/model.model"), text);
  std::filesystem::remove(folder_ / "run/model.model");
  ASSERT_TRUE(run({}, true, 1).ok());
  EXPECT_EQ(testing::read_text(folder_ / "run/model.model"), text);
}

// The folder goes away while the run trains.
struct Remover final : Observer {
  explicit Remover(std::string path) : folder(std::move(path)) {}
  void on_update(std::int64_t step) override {
    if (step == 12) std::filesystem::remove_all(folder);
  }
  void on_warning(const std::string& message) override { warnings.push_back(message); }
  std::string folder;
  std::vector<std::string> warnings;
};

TEST_F(Resume, AFolderThatVanishesIsMadeAgain) {
  const auto whole = run({}, false);
  const auto program = testing::program_of(testing::spirals_text());
  Remover remover(folder_ / "vanishing");
  TrainOptions options;
  options.run_folder = remover.folder;
  options.observers = {&remover};
  const auto outcome = train(*program, options);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->end.status, "done");
  EXPECT_FALSE(outcome->unsaved);
  EXPECT_EQ(outcome->weights_hash, whole->weights_hash);
  EXPECT_TRUE(find_checkpoint(remover.folder).ok());
  EXPECT_TRUE(std::filesystem::exists(remover.folder + "/model.model"));
  const std::string log = testing::read_text(remover.folder + "/metrics.jsonl");
  EXPECT_THAT(log, HasSubstr("\"epoch\":1,"));  // that of before, too
  EXPECT_THAT(log, HasSubstr("\"status\":\"done\""));
  EXPECT_LE(remover.warnings.size(), 2u);
}

}  // namespace
}  // namespace strata
