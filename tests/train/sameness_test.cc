// The same bits for any number of threads, and after stopping at any step.
#include <gtest/gtest.h>

#include "framework/train/run_folder.h"
#include "framework/train/training.h"
#include "tests/support/programs.h"

namespace strata {
namespace {

TrainOutcome run(const Program& program, TrainOptions options) {
  auto outcome = train(program, options);
  EXPECT_TRUE(outcome.ok()) << outcome.error().message;
  return outcome.ok() ? *outcome : TrainOutcome{};
}

std::string hash_with_threads(const Program& program, int threads) {
  const testing::TemporaryFolder folder;
  TrainOptions options;
  options.threads = threads;
  options.runs_folder = folder.path();
  return run(program, options).weights_hash;
}

// The spirals' file with overrides; one that begins with "-> " is put behind the data set.
std::optional<Program> changed_program(std::vector<std::string> changes) {
  std::string text = testing::spirals_text();
  std::erase_if(changes, [&](const std::string& change) {
    const bool stage = change.starts_with("-> ");
    if (stage) text.insert(text.find("\ntrain {"), " " + change);
    return stage;
  });
  return testing::program_of(text, changes);
}

class SameBits : public ::testing::TestWithParam<std::vector<std::string>> {};

TEST_P(SameBits, OnAnyNumberOfThreads) {
  const auto program = changed_program(GetParam());
  ASSERT_TRUE(program);
  const std::string one = hash_with_threads(*program, 1);
  ASSERT_EQ(one.size(), 64u);
  for (const int threads : {2, 3, 4, 8, 16})
    EXPECT_EQ(hash_with_threads(*program, threads), one) << threads;
}

TEST_P(SameBits, AfterAStopAtAnyStep) {
  const auto program = changed_program(GetParam());
  ASSERT_TRUE(program);
  const std::string whole = hash_with_threads(*program, 2);
  for (std::int64_t stop = 1; stop < 27; stop += 2) {
    const testing::TemporaryFolder folder;
    TrainOptions first;
    first.threads = 2;
    first.runs_folder = folder.path();
    first.stop_after = stop;
    const TrainOutcome stopped = run(*program, first);
    if (stopped.end.status == "done")
      break;  // fewer steps an epoch with "drop", "merge" or several batches to a step
    ASSERT_EQ(stopped.end.status, "interrupted");
    TrainOptions second;
    second.threads = 1;
    second.resume = stopped.folder;
    const TrainOutcome resumed = run(*program, second);
    EXPECT_EQ(resumed.end.status, "done");
    EXPECT_EQ(resumed.folder, stopped.folder);
    ASSERT_EQ(resumed.weights_hash, whole) << "stopped after step " << stop;
  }
}

INSTANTIATE_TEST_SUITE_P(
    LastBatchesAndPrecisions, SameBits,
    ::testing::Values(std::vector<std::string>{}, std::vector<std::string>{"train.last_batch=drop"},
                      std::vector<std::string>{"train.last_batch=merge"},
                      std::vector<std::string>{"train.precision=f64"},
                      std::vector<std::string>{"train.accumulate=2", "train.ema=0.9",
                                               "train.clip_norm=0.5", "train.clip_value=0.1"},
                      std::vector<std::string>{"train.batch_size=7"}));

INSTANTIATE_TEST_SUITE_P(
    RulesWithAMemory, SameBits,
    ::testing::Values(
        std::vector<std::string>{"train.optimizer=LAMB(lr = 0.05)"},
        std::vector<std::string>{"train.optimizer=LAMB(lr = 0.05)", "train.accumulate=2",
                                 "train.clip_norm=0.5", "train.clip_value=0.1"},
        std::vector<std::string>{"train.schedule=ReduceOnPlateau(patience = 0, threshold = 0.5)"},
        std::vector<std::string>{"-> Standardize"},
        std::vector<std::string>{"-> Standardize -> OneHot -> MixUp(0.4)",
                                 "train.loss=CrossEntropy(logits, one_hot)"},
        std::vector<std::string>{"-> take(train = 290, seed = 4) -> split(test = 0.1)"}));

// Every place in an epoch of 9 steps, and every place between two checkpoints.
TEST(SameBits, AfterAStopAtEachOfTheFirst100Steps) {
  const auto program =
      testing::program_of(testing::spirals_text(),
                          {"train.steps=103", "train.checkpoint_steps=4", "train.patience=90"});
  ASSERT_TRUE(program);
  const std::string whole = hash_with_threads(*program, 2);
  for (std::int64_t stop = 1; stop <= 100; ++stop) {
    const testing::TemporaryFolder folder;
    TrainOptions options;
    options.threads = 1 + static_cast<int>(stop % 3);
    options.runs_folder = folder.path();
    options.stop_after = stop;
    options.resume = run(*program, options).folder;
    options.stop_after = 0;
    ASSERT_EQ(run(*program, options).weights_hash, whole) << "stopped after step " << stop;
  }
}

TEST(Resume, ReportsWhatAnUninterruptedRunReports) {
  const auto program = testing::program_of(testing::spirals_text());
  ASSERT_TRUE(program);
  struct Collector final : Observer {
    Status on_epoch(const EpochReport& report) override {
      reports.push_back(report);
      return {};
    }
    std::vector<EpochReport> reports;
  };
  const testing::TemporaryFolder folder;
  Collector whole, parts;
  TrainOptions options;
  options.runs_folder = folder.path();
  options.observers = {&whole};
  run(*program, options);
  options.observers = {&parts};
  options.stop_after = 13;
  const TrainOutcome stopped = run(*program, options);
  options.stop_after = 0;
  options.resume = stopped.folder;
  const TrainOutcome resumed = run(*program, options);
  ASSERT_EQ(whole.reports.size(), 3u);
  ASSERT_EQ(parts.reports.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(whole.reports[i].figures, parts.reports[i].figures);
    EXPECT_EQ(whole.reports[i].best, parts.reports[i].best);
  }
  // The log has every epoch once.
  const std::string log = testing::read_text(resumed.folder + "/metrics.jsonl");
  for (const char* epoch : {"\"epoch\":1,", "\"epoch\":2,", "\"epoch\":3,"}) {
    const auto first = log.find(epoch);
    ASSERT_NE(first, std::string::npos) << log;
    EXPECT_EQ(log.find(epoch, first + 1), std::string::npos) << log;
  }
}

TEST(Resume, RefusesAnotherModel) {
  const auto program = testing::program_of(testing::spirals_text());
  const auto other = testing::program_of(testing::spirals_text(), {"train.batch_size=38"});
  ASSERT_TRUE(program && other);
  const testing::TemporaryFolder folder;
  TrainOptions options;
  options.runs_folder = folder.path();
  options.stop_after = 3;
  options.resume = run(*program, options).folder;
  const auto outcome = train(*other, options);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, ExitCode::kModel);
  EXPECT_NE(outcome.error().message.find("cannot go on the same way with\n"
                                         "  train.batch_size: 37 -> 38"),
            std::string::npos)
      << outcome.error().message;
}

TEST(Resume, RefusesARunThatAnotherProcessWrites) {
  const auto program = testing::program_of(testing::spirals_text());
  ASSERT_TRUE(program);
  const testing::TemporaryFolder folder;
  TrainOptions options;
  options.runs_folder = folder.path();
  options.stop_after = 3;
  const std::string run_folder = run(*program, options).folder;
  const auto other = RunFolder::existing(run_folder);
  ASSERT_TRUE(other.ok());
  options.resume = run_folder;
  const auto outcome = train(*program, options);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().message, "another process is writing to the run `" + run_folder + "`");
}

TEST(Resume, SaysThatTheNewestCheckpointIsDamagedAndUsesTheOneBefore) {
  const auto program = testing::program_of(testing::spirals_text());
  ASSERT_TRUE(program);
  struct Collector final : Observer {
    void on_warning(const std::string& message) override { warnings.push_back(message); }
    std::vector<std::string> warnings;
  } collector;
  const testing::TemporaryFolder folder;
  TrainOptions options;
  options.runs_folder = folder.path();
  const std::string whole = run(*program, options).weights_hash;
  options.stop_after = 20;  // in the third epoch: there are two checkpoints
  options.resume = run(*program, options).folder;
  testing::write_text(options.resume + "/checkpoints/step-00000020.safetensors", "cut");
  options.stop_after = 0;
  options.observers = {&collector};
  EXPECT_EQ(run(*program, options).weights_hash, whole);
  ASSERT_EQ(collector.warnings.size(), 1u);
  EXPECT_NE(collector.warnings[0].find("step-00000020.safetensors` is damaged"), std::string::npos);
  EXPECT_NE(collector.warnings[0].find("the one before it is used"), std::string::npos);
}

TEST(Resume, ALogWithStrangeLinesIsNoObstacle) {
  const auto program = testing::program_of(testing::spirals_text());
  ASSERT_TRUE(program);
  const testing::TemporaryFolder folder;
  TrainOptions options;
  options.runs_folder = folder.path();
  options.stop_after = 13;
  options.resume = run(*program, options).folder;
  testing::write_text(options.resume + "/metrics.jsonl",
                      "{\"event\":5}\n{\"event\":\"epoch\",\"epoch\":\"x\"}\n[\n");
  options.stop_after = 0;
  EXPECT_EQ(run(*program, options).end.status, "done");
}

TEST(Training, MoreEpochsThanCanBeCountedGoOnUntilStopped) {
  const auto program =
      testing::program_of(testing::spirals_text(), {"train.epochs=9223372036854775807"});
  ASSERT_TRUE(program);
  const testing::TemporaryFolder folder;
  TrainOptions options;
  options.runs_folder = folder.path();
  options.stop_after = 30;
  EXPECT_EQ(run(*program, options).end.status, "interrupted");
}

TEST(Training, TheResolvedFileGivesTheSameBits) {
  const auto program = testing::program_of(testing::spirals_text(),
                                           {"train.batch_size=21", "train.optimizer.lr=0.003"});
  ASSERT_TRUE(program);
  const auto again = testing::program_of(program->resolved);
  ASSERT_TRUE(again);
  EXPECT_EQ(hash_with_threads(*program, 2), hash_with_threads(*again, 2));
}

TEST(Training, DifferentSeedsGiveDifferentWeights) {
  const auto a = testing::program_of(testing::spirals_text(), {"train.seed=1"});
  const auto b = testing::program_of(testing::spirals_text(), {"train.seed=2"});
  ASSERT_TRUE(a && b);
  EXPECT_NE(hash_with_threads(*a, 2), hash_with_threads(*b, 2));
}

TEST(Training, LearnsTheSpirals) {
  const auto program = testing::program_of(testing::spirals_text(), {"train.epochs=60"});
  ASSERT_TRUE(program);
  const testing::TemporaryFolder folder;
  TrainOptions options;
  options.runs_folder = folder.path();
  const TrainOutcome outcome = run(*program, options);
  ASSERT_TRUE(outcome.end.best);
  for (const auto& [name, value] : outcome.end.best->figures) {
    if (name == "val.accuracy") {
      EXPECT_GT(value, 0.85);
    }
  }
}

TEST(Training, DivergenceStopsAtOnceAndNamesTheLayer) {
  const auto program = testing::program_of(
      testing::spirals_text(), {"train.optimizer=SGD(lr = 1e30)", "train.schedule=none"});
  ASSERT_TRUE(program);
  const testing::TemporaryFolder folder;
  TrainOptions options;
  options.runs_folder = folder.path();
  const TrainOutcome outcome = run(*program, options);
  EXPECT_EQ(outcome.end.status, "diverged");
  EXPECT_EQ(outcome.end.code, ExitCode::kDiverged);
  EXPECT_NE(outcome.end.message.find("is not a finite number at step"), std::string::npos)
      << outcome.end.message;
  EXPECT_NE(outcome.end.message.find("layer `"), std::string::npos) << outcome.end.message;
}

TEST(Training, ABatchOfOneIsRefusedBeforeAnythingIsWritten) {
  // 300 samples at batch 13 leave one.
  const auto program = testing::program_of(testing::spirals_text(), {"train.batch_size=13"});
  ASSERT_TRUE(program);
  const testing::TemporaryFolder folder;
  TrainOptions options;
  options.runs_folder = folder / "runs";
  const auto outcome = train(*program, options);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, ExitCode::kModel);
  EXPECT_NE(outcome.error().message.find("the last batch of an epoch (300 samples, batch_size 13)"),
            std::string::npos)
      << outcome.error().message;
  EXPECT_FALSE(std::filesystem::exists(folder / "runs"));
}

TEST(Training, StartsFromGivenWeights) {
  const auto program = testing::program_of(testing::spirals_text());
  ASSERT_TRUE(program);
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(write_initial_weights(*program, 5, folder / "start.safetensors").ok());
  ASSERT_TRUE(write_initial_weights(*program, 6, folder / "other.safetensors").ok());
  TrainOptions options;
  options.runs_folder = folder.path();
  const std::string usual = run(*program, options).weights_hash;
  options.init_file = folder / "start.safetensors";
  EXPECT_EQ(run(*program, options).weights_hash, usual);  // the file's seed is 5
  options.init_file = folder / "other.safetensors";
  EXPECT_NE(run(*program, options).weights_hash, usual);
}

TEST(Evaluation, AgreesWithTheValidationOfTheRun) {
  const auto program = testing::program_of(testing::spirals_text());
  ASSERT_TRUE(program);
  const testing::TemporaryFolder folder;
  TrainOptions options;
  options.runs_folder = folder.path();
  const TrainOutcome outcome = run(*program, options);
  auto result = evaluate(*program, outcome.folder, "val", 1);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->samples, 60);
  for (const auto& [name, value] : outcome.end.last->figures) {
    for (const auto& [plain, again] : result->figures) {
      if (name == "val." + plain) {
        EXPECT_EQ(value, again) << name;
      }
    }
  }
}

}  // namespace
}  // namespace strata
