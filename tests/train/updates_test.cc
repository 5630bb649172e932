// What makes an update: accumulation, clipping and averages by their formulas, early stopping, and
// which epoch is best.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <numeric>

#include "framework/runtime/executor.h"
#include "framework/runtime/input_pipeline.h"
#include "framework/tensor/parallel.h"
#include "framework/train/checkpoint.h"
#include "framework/train/monitor.h"
#include "framework/train/training.h"
#include "tests/support/programs.h"

namespace strata {
namespace {

using ::testing::HasSubstr;

// Plain layers, plain SGD, f64: arithmetic that can be followed.
std::string plain_text() {
  return R"(format 1
model plain(point: [2]) -> logits { point -> Dense(16) -> ReLU -> Dense(3) as logits }
data spirals = Synthetic(kind = "spirals", samples = 300, val_samples = 60, classes = 3)
train {
  loss       = CrossEntropy(logits, label)
  metrics    = [Accuracy(logits, label)]
  optimizer  = SGD(lr = 0.5)
  batch_size = 40
  epochs     = 2
  precision  = "f64"
}
)";
}

using Weights = std::vector<std::vector<double>>;

// Of the role, after each of `steps` steps on the first batches of the data.
std::vector<Weights> train_steps(const std::vector<std::string>& overrides, TensorRole role,
                                 int steps) {
  const auto program = testing::program_of(plain_text(), overrides);
  std::vector<Weights> seen;
  if (!program) return seen;
  auto pipeline = InputPipeline::open(program->data, Precision::kF64, 1);
  auto executor = Executor::create(*program, 40, true);
  EXPECT_TRUE(pipeline.ok() && executor.ok() && (*executor)->initialize(1).ok());
  Figures figures = (*executor)->make_figures();
  const auto take = [&] {
    Weights weights;
    for (const NamedTensor& tensor : (*executor)->tensors()) {
      if (tensor.role != role) continue;
      const auto* data = static_cast<const double*>(tensor.data);
      weights.emplace_back(data, data + tensor.shape.elements());
    }
    seen.push_back(std::move(weights));
  };
  take();
  ThreadPool pool(2);
  pool.run([&] {
    for (int step = 1; step <= steps; ++step) {
      std::vector<std::uint32_t> indices(40);
      std::iota(indices.begin(), indices.end(), static_cast<std::uint32_t>(40 * (step - 1)));
      auto batch = (*pipeline)->read(0, indices.data(), 40, true, 1);
      ASSERT_TRUE(batch.ok());
      Executor::StepContext context;
      context.seed = 1;
      context.step = step;
      context.learning_rate = 0.5;
      ASSERT_TRUE((*executor)->train_step(*batch, context, figures).ok());
      take();
    }
  });
  return seen;
}

// The gradient of a step of SGD with this rate.
Weights gradient(const Weights& before, const Weights& after) {
  Weights out = before;
  for (std::size_t t = 0; t < out.size(); ++t) {
    for (std::size_t i = 0; i < out[t].size(); ++i) out[t][i] = (before[t][i] - after[t][i]) / 0.5;
  }
  return out;
}

double norm(const Weights& weights) {
  double squares = 0;
  for (const auto& tensor : weights) {
    for (const double x : tensor) squares += x * x;
  }
  return std::sqrt(squares);
}

void expect_near(const Weights& a, const Weights& b, double by) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t t = 0; t < a.size(); ++t) {
    for (std::size_t i = 0; i < a[t].size(); ++i) ASSERT_NEAR(a[t][i], b[t][i], by);
  }
}

TEST(Clipping, ByNormScalesTheWholeGradient) {
  const auto plain = train_steps({}, TensorRole::kParameter, 1);
  Weights wanted = gradient(plain[0], plain[1]);
  const double length = norm(wanted);
  const double limit = length / 3;
  const auto clipped =
      train_steps({fmt::format("train.clip_norm={}", limit)}, TensorRole::kParameter, 1);
  for (auto& tensor : wanted) {
    for (double& x : tensor) x *= limit / length;
  }
  expect_near(gradient(clipped[0], clipped[1]), wanted, 1e-12);
  // One that is short enough stays as it is.
  const auto same =
      train_steps({fmt::format("train.clip_norm={}", 2 * length)}, TensorRole::kParameter, 1);
  expect_near(same[1], plain[1], 0);
}

TEST(Clipping, ByValueCutsEveryElement) {
  const auto plain = train_steps({}, TensorRole::kParameter, 1);
  Weights wanted = gradient(plain[0], plain[1]);
  for (auto& tensor : wanted) {
    for (double& x : tensor) x = std::min(std::max(x, -0.01), 0.01);
  }
  const auto clipped = train_steps({"train.clip_value=0.01"}, TensorRole::kParameter, 1);
  expect_near(gradient(clipped[0], clipped[1]), wanted, 1e-12);
}

TEST(Averages, FollowTheWeights) {
  const auto weights = train_steps({"train.ema=0.9"}, TensorRole::kParameter, 5);
  const auto averages = train_steps({"train.ema=0.9"}, TensorRole::kAverage, 5);
  ASSERT_EQ(averages.size(), 6u);
  expect_near(averages[0], weights[0], 0);
  for (std::size_t step = 1; step <= 5; ++step) {
    Weights wanted = averages[step - 1];
    for (std::size_t t = 0; t < wanted.size(); ++t) {
      for (std::size_t i = 0; i < wanted[t].size(); ++i)
        wanted[t][i] = 0.9 * wanted[t][i] + 0.1 * weights[step][t][i];
    }
    expect_near(averages[step], wanted, 1e-14);
  }
  expect_near(weights[5], train_steps({}, TensorRole::kParameter, 5)[5], 0);
}

TrainOutcome run(const Program& program, TrainOptions options) {
  auto outcome = train(program, options);
  EXPECT_TRUE(outcome.ok()) << outcome.error().message;
  return outcome.ok() ? *outcome : TrainOutcome{};
}

Weights trained(const std::vector<std::string>& overrides) {
  const auto program = testing::program_of(plain_text(), overrides);
  const testing::TemporaryFolder folder;
  TrainOptions options;
  options.run_folder = folder / "run";
  run(*program, options);
  const auto path = find_checkpoint(options.run_folder);
  const auto checkpoint = open_checkpoint(*path);
  Weights weights;
  for (const auto& tensor : checkpoint->file.tensors) {
    weights.emplace_back(static_cast<std::size_t>(tensor.end - tensor.begin) / 8);
    std::memcpy(weights.back().data(), checkpoint->file.data.data() + tensor.begin,
                static_cast<std::size_t>(tensor.end - tensor.begin));
  }
  return weights;
}

// 300 samples: seven steps of 40 and one of 20, as one batch or as up to four.
TEST(Accumulation, EqualsALargerBatch) {
  expect_near(trained({"train.batch_size=10", "train.accumulate=4"}), trained({}), 1e-12);
  expect_near(trained({"train.batch_size=8", "train.accumulate=5"}), trained({}), 1e-12);
}

TEST(Accumulation, CountsUpdatesAsSteps) {
  const auto program =
      testing::program_of(plain_text(), {"train.batch_size=10", "train.accumulate=4"});
  const testing::TemporaryFolder folder;
  TrainOptions options;
  options.run_folder = folder / "run";
  const TrainOutcome outcome = run(*program, options);
  EXPECT_EQ(outcome.facts.steps_per_epoch, 8);
  EXPECT_EQ(outcome.facts.total_steps, 16);
  EXPECT_EQ(outcome.end.last->step, 16);
}

TEST(Averages, AreWhatValidationAndEvaluationMeasure) {
  const auto program = testing::program_of(testing::spirals_text(), {"train.ema=0.8"});
  const auto raw = testing::program_of(testing::spirals_text());
  const testing::TemporaryFolder folder;
  TrainOptions options;
  options.run_folder = folder / "run";
  const TrainOutcome outcome = run(*program, options);
  const auto result = evaluate(*program, options.run_folder, "val", 1);
  ASSERT_TRUE(result.ok());
  options.run_folder = folder / "raw";
  const TrainOutcome plain = run(*raw, options);
  for (std::size_t i = 0; i < plain.end.last->figures.size(); ++i) {
    const auto& [name, value] = outcome.end.last->figures[i];
    if (name.starts_with("train.")) {
      EXPECT_EQ(value, plain.end.last->figures[i].second) << name;
    }
    if (name == "val.loss") {
      EXPECT_NE(value, plain.end.last->figures[i].second);
      EXPECT_EQ(value, result->figures[0].second);
    }
  }
}

// ---- best epochs and patience ----

EpochReport report(std::int64_t epoch, double loss) {
  EpochReport made;
  made.epoch = epoch;
  made.figures = {{"val.loss", loss}};
  return made;
}

// Notes epochs of these losses; the epoch after which training stops, 0 where it does not.
std::int64_t stops_after(const std::vector<std::string>& overrides,
                         const std::vector<double>& losses, std::int64_t* best = nullptr) {
  std::vector<std::string> all = overrides;
  all.push_back("train.monitor=\"val.loss\"");
  const auto program = testing::program_of(plain_text(), all);
  const Monitor monitor(*program, true);
  Progress progress;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    EpochReport made = report(static_cast<std::int64_t>(i) + 1, losses[i]);
    monitor.note(made, progress);
    if (best) *best = progress.best->epoch;
    if (!monitor.why_enough(progress).empty()) return made.epoch;
  }
  return 0;
}

TEST(Patience, CountsEpochsWithoutABetterFigure) {
  std::int64_t best = 0;
  EXPECT_EQ(stops_after({"train.patience=2"}, {3, 2, 2.5, 2.1, 1}, &best), 4);
  EXPECT_EQ(best, 2);
  EXPECT_EQ(stops_after({"train.patience=2"}, {3, 2, 2.5, 1.9, 2, 1}), 0);
  EXPECT_EQ(stops_after({}, {3, 3, 3, 3}), 0);
  EXPECT_EQ(stops_after({"train.patience=1"}, {3, std::nan(""), 2}), 2);
}

TEST(Patience, SmallGainsDoNotCount) {
  std::int64_t best = 0;
  EXPECT_EQ(stops_after({"train.patience=2", "train.min_delta=0.5"}, {3, 2.8, 2.7, 1}, &best), 3);
  EXPECT_EQ(best, 3);  // the best epoch is the best, by however little
}

TEST(Patience, EndsARunAndSaysWhy) {
  const auto program = testing::program_of(
      testing::spirals_text(), {"train.epochs=50", "train.patience=2", "train.min_delta=0.9"});
  const testing::TemporaryFolder folder;
  TrainOptions options;
  options.run_folder = folder / "run";
  const TrainOutcome outcome = run(*program, options);
  EXPECT_EQ(outcome.end.status, "done");
  EXPECT_EQ(outcome.end.last->epoch, 3);
  EXPECT_EQ(outcome.end.reason, "val.accuracy has not got better for 2 epochs");
  EXPECT_THAT(testing::read_text(folder / "run/metrics.jsonl"), HasSubstr("\"reason\":\"val.acc"));
  // It is done; with more patience it goes on.
  TrainOptions again;
  again.resume = options.run_folder;
  EXPECT_TRUE(run(*program, again).already_done);
  const auto patient = testing::program_of(
      testing::spirals_text(), {"train.epochs=50", "train.patience=4", "train.min_delta=0.9"});
  EXPECT_EQ(run(*patient, again).end.last->epoch, 5);
}

TEST(Monitor, ChoosesTheBestEpoch) {
  const auto program = testing::program_of(testing::spirals_text(),
                                           {"train.epochs=6", "train.monitor=\"train.loss\""});
  const testing::TemporaryFolder folder;
  struct Lowest final : Observer {
    Status on_epoch(const EpochReport& report) override {
      const double loss = report.figures[0].second;
      if (epoch == 0 || loss < value) {
        value = loss;
        epoch = report.epoch;
      }
      return {};
    }
    double value = 0;
    std::int64_t epoch = 0;
  } lowest;
  TrainOptions options;
  options.run_folder = folder / "run";
  options.observers = {&lowest};
  EXPECT_EQ(run(*program, options).end.best->epoch, lowest.epoch);
  const auto best = open_checkpoint(folder / "run/checkpoints/best.safetensors");
  ASSERT_TRUE(best.ok());
  EXPECT_EQ(best->progress.last->epoch, lowest.epoch);
}

// ---- checkpoints within an epoch ----

TEST(Checkpoints, ComeEverySoManyStepsAndWhenAskedFor) {
  struct Watcher final : Observer {
    void on_update(std::int64_t step) override {
      newest = newest_in(folder);
      if (step == 5) save = true;
      if (step == 7) after_request = newest;
      if (step == 12) after_ten = newest;
    }
    void on_note(const std::string& message) override { notes.push_back(message); }
    static std::string newest_in(const std::string& run) {
      const auto path = find_checkpoint(run);
      return path.ok() ? std::filesystem::path(*path).filename().string() : "";
    }
    std::string folder, newest, after_request, after_ten;
    std::vector<std::string> notes;
    std::atomic<bool> save{false};
  } watcher;
  const auto program = testing::program_of(testing::spirals_text(), {"train.checkpoint_steps=10"});
  const testing::TemporaryFolder folder;
  TrainOptions options;
  watcher.folder = options.run_folder = folder / "run";
  options.observers = {&watcher};
  options.save = &watcher.save;
  run(*program, options);
  EXPECT_EQ(watcher.after_request, "step-00000005.safetensors");
  EXPECT_EQ(watcher.after_ten, "step-00000010.safetensors");
  EXPECT_THAT(watcher.notes, ::testing::ElementsAre("saved after step 5"));
}

}  // namespace
}  // namespace strata
