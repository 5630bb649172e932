// What data sections do besides reading: splits of the file's making, statistics of the training
// split, mixtures of a batch; and rules of training with a memory.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "framework/runtime/input_pipeline.h"
#include "framework/tensor/parallel.h"
#include "framework/train/checkpoint.h"
#include "framework/train/prediction.h"
#include "framework/train/training.h"
#include "tests/support/programs.h"

namespace strata {
namespace {

std::string file_with(const std::string& stages, const std::string& loss = "label",
                      const std::string& more = "") {
  return R"(format 1
model m(point: [2]) -> logits { point -> Dense(16) -> ReLU -> Dense(3) as logits }
data spirals = Synthetic(kind = "spirals", samples = 300, val_samples = 60, classes = 3))" +
         stages + "\ntrain { loss = CrossEntropy(logits, " + loss + ")" + R"(
  metrics    = [Accuracy(logits, label)]
  optimizer  = SGD(lr = 0.5)
  batch_size = 40
  epochs     = 3
  precision  = "f64"
)" + more +
         "}\n";
}

// All values of a split's first field.
std::vector<double> points_of(InputPipeline& pipeline, const std::string& split) {
  const int index = pipeline.description().find_split(split);
  EXPECT_GE(index, 0) << split;
  const auto order = pipeline.training_order(index, 1, false);
  std::vector<double> values;
  ThreadPool(2).run([&] {
    const auto batch =
        pipeline.read(index, order.data(), static_cast<std::int64_t>(order.size()), false, 0);
    ASSERT_TRUE(batch.ok()) << batch.error().message;
    const auto* points = static_cast<const double*>(batch->fields[0]);
    values.assign(points, points + 2 * order.size());
  });
  return values;
}

std::unique_ptr<InputPipeline> open(const Program& program) {
  auto pipeline = InputPipeline::open(program.data, Precision::kF64, 1);
  EXPECT_TRUE(pipeline.ok()) << pipeline.error().message;
  return pipeline.ok() ? std::move(*pipeline) : nullptr;
}

std::multiset<std::pair<double, double>> as_set(const std::vector<double>& points) {
  std::multiset<std::pair<double, double>> set;
  for (std::size_t i = 0; i + 1 < points.size(); i += 2) set.insert({points[i], points[i + 1]});
  return set;
}

TEST(Splits, TakeTheFirstSamplesOrSomeByChance) {
  const auto whole = testing::program_of(file_with(""));
  const auto first = testing::program_of(file_with(" -> take(train = 100, val = 0.5)"));
  const auto some = testing::program_of(file_with(" -> take(train = 100, seed = 1)"));
  const auto other = testing::program_of(file_with(" -> take(train = 100, seed = 2)"));
  ASSERT_TRUE(whole && first && some && other);
  const auto all = points_of(*open(*whole), "train");
  const auto head = points_of(*open(*first), "train");
  ASSERT_EQ(head.size(), 200u);
  EXPECT_TRUE(std::equal(head.begin(), head.end(), all.begin()));
  EXPECT_EQ(points_of(*open(*first), "val").size(), 60u);
  const auto chosen = points_of(*open(*some), "train");
  ASSERT_EQ(chosen.size(), 200u);
  EXPECT_NE(chosen, head);
  EXPECT_NE(chosen, points_of(*open(*other), "train"));
  EXPECT_EQ(chosen, points_of(*open(*some), "train"));
  const auto set = as_set(all);
  for (const auto& point : as_set(chosen)) EXPECT_TRUE(set.contains(point));
}

TEST(Splits, DivideWithoutSharingASample) {
  const auto program = testing::program_of(
      file_with(" -> split(test = 0.1, more = 20, seed = 1) -> split(last = 3, from = \"val\")"));
  const auto whole = testing::program_of(file_with(""));
  ASSERT_TRUE(program && whole);
  const auto pipeline = open(*program);
  auto together = as_set(points_of(*pipeline, "train"));
  EXPECT_EQ(together.size(), 250u);
  for (const auto& [name, samples] : {std::pair{"test", 30u}, std::pair{"more", 20u}}) {
    const auto set = as_set(points_of(*pipeline, name));
    EXPECT_EQ(set.size(), samples);
    together.insert(set.begin(), set.end());
  }
  EXPECT_EQ(together, as_set(points_of(*open(*whole), "train")));
  EXPECT_EQ(points_of(*pipeline, "val").size(), 2 * 57u);
  EXPECT_EQ(points_of(*pipeline, "last").size(), 2 * 3u);
}

// Samples of each class in a split.
std::map<std::int32_t, int> classes_of(InputPipeline& pipeline, const std::string& split) {
  std::map<std::int32_t, int> counts;
  const int index = pipeline.description().find_split(split);
  const auto order = pipeline.training_order(index, 1, false);
  ThreadPool(2).run([&] {
    const auto batch =
        pipeline.read(index, order.data(), static_cast<std::int64_t>(order.size()), false, 0);
    ASSERT_TRUE(batch.ok()) << batch.error().message;
    const auto* labels = static_cast<const std::int32_t*>(batch->fields[1]);
    for (std::size_t i = 0; i < order.size(); ++i) ++counts[labels[i]];
  });
  return counts;
}

using Counts = std::map<std::int32_t, int>;

// 12 rows of class a, 30 of b, 8 of c, sorted by class.
std::string table_file(const testing::TemporaryFolder& folder, const std::string& stages) {
  std::string rows = "x,y,kind\n";
  for (int i = 0; i < 50; ++i)
    rows += fmt::format("{},{},{}\n", i, i * i, i < 12 ? "a" : i < 42 ? "b" : "c");
  testing::write_text(folder / "table.csv", rows);
  return fmt::format(R"(format 1
model m(features: [2]) -> logits {{ features -> Dense(3) as logits }}
data d = CSV(path = "{}", target = "kind", val = 0) -> {}
train {{ loss = CrossEntropy(logits, label), optimizer = SGD, precision = "f64" }}
)",
                     folder / "table.csv", stages);
}

TEST(Splits, StratifiedOnesKeepTheSharesOfClasses) {
  const testing::TemporaryFolder folder;
  const auto program = [&](const std::string& stages) {
    return testing::program_of(table_file(folder, stages));
  };
  const auto half = program("split(val = 0.5, stratify = \"label\")");
  const auto pipeline = open(*half);
  EXPECT_EQ(classes_of(*pipeline, "val"), (Counts{{0, 6}, {1, 15}, {2, 4}}));
  EXPECT_EQ(classes_of(*pipeline, "train"), (Counts{{0, 6}, {1, 15}, {2, 4}}));
  auto together = as_set(points_of(*pipeline, "val"));
  for (const auto& point : as_set(points_of(*pipeline, "train"))) together.insert(point);
  EXPECT_EQ(together.size(), 50u);
  EXPECT_EQ(std::set(together.begin(), together.end()).size(), 50u);

  // 11 samples: 2.64, 6.6 and 1.76 of the classes, of which the largest remainders are rounded up.
  const auto some = program("split(val = 11, stratify = \"label\", seed = 4)");
  EXPECT_EQ(classes_of(*open(*some), "val"), (Counts{{0, 3}, {1, 6}, {2, 2}}));
  // By seed alone.
  const auto other = program("split(val = 11, stratify = \"label\", seed = 5)");
  EXPECT_EQ(points_of(*open(*some), "val"), points_of(*open(*some), "val"));
  EXPECT_NE(points_of(*open(*some), "val"), points_of(*open(*other), "val"));

  const auto three = program(
      "split(val = 0.2, test = 0.2, stratify = \"label\") -> take(train = 15, stratify = "
      "\"label\")");
  const auto parts = open(*three);
  EXPECT_EQ(classes_of(*parts, "val"), (Counts{{0, 2}, {1, 6}, {2, 2}}));
  EXPECT_EQ(classes_of(*parts, "test"), (Counts{{0, 3}, {1, 6}, {2, 1}}));  // of what is left
  EXPECT_EQ(classes_of(*parts, "train"), (Counts{{0, 4}, {1, 9}, {2, 2}}));
  // Without a seed, the first of each class.
  EXPECT_EQ(points_of(*open(*program("take(train = 5, stratify = \"label\")")), "train"),
            (std::vector<double>{0, 0, 12, 144, 13, 169, 14, 196, 42, 1764}));
  // The resolved file says it, and gives the same.
  EXPECT_THAT(some->resolved,
              ::testing::HasSubstr("split(val = 11, stratify = \"label\", seed = 4)"));
  EXPECT_EQ(points_of(*open(*testing::program_of(some->resolved)), "val"),
            points_of(*open(*some), "val"));
}

TEST(Splits, StratifiedOnesWantEnoughOfEachClass) {
  const testing::TemporaryFolder folder;
  const auto said = [&](const std::string& stages) {
    const auto program = testing::program_of(table_file(folder, stages));
    const auto pipeline = InputPipeline::open(program->data, Precision::kF64, 1);
    return pipeline.ok() ? "opened" : pipeline.error().message + " | " + pipeline.error().hint;
  };
  EXPECT_EQ(said("split(val = 0.06, stratify = \"label\")"),
            "`train` has too few samples of class 2 (`c`) for its share: `val = 0.06` takes 0 of 8 "
            "| take "
            "more samples, or leave `stratify` out");
  EXPECT_EQ(said("split(val = 0.96, stratify = \"label\")"),
            "`train` has too few samples of class 2 (`c`) for its share: `val = 0.96` takes 8 of 8 "
            "| take "
            "fewer samples, or leave `stratify` out");
  EXPECT_EQ(
      said("take(train = 2, stratify = \"label\")"),
      "`train` has too few samples of class 2 (`c`) for its share: `train = 2` takes 0 of 8 | take "
      "more samples, or leave `stratify` out");
  EXPECT_EQ(said("split(val = 0.06)"), "opened");
  EXPECT_EQ(said("take(train = 50, stratify = \"label\")"), "opened");
}

TEST(Splits, StratifiedOnesWantClassNumbers) {
  SplitRule rule;
  rule.stratify = "target";
  const Status done = check_stratify(
      rule, {{"features", STRATA_REAL, {4}, 0, {}}, {"target", STRATA_REAL, {1}, 0, {}}});
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().message, "`stratify`: `target` has no class number of each sample");
  EXPECT_EQ(done.error().hint, "no field of this data set has class numbers: leave `stratify` out");
}

TEST(Splits, StandInTheResolvedFile) {
  const auto program = testing::program_of(
      file_with(" -> Standardize -> take(train = 0.5) -> split(test = 10, seed = 7)"));
  ASSERT_TRUE(program);
  std::size_t at = 0;
  for (const char* stage :
       {"-> take(train = 0.5)", "-> split(test = 10, seed = 7)", "-> Standardize"}) {
    at = program->resolved.find(stage, at);
    EXPECT_NE(at, std::string::npos) << stage << " in " << program->resolved;
  }
  EXPECT_TRUE(testing::program_of(program->resolved));
}

double mean_of(const std::vector<double>& points, std::size_t coordinate) {
  double sum = 0;
  for (std::size_t i = coordinate; i < points.size(); i += 2) sum += points[i];
  return sum / static_cast<double>(points.size() / 2);
}

TEST(Standardize, HasTheStatisticsOfTheTrainingSplitAlone) {
  const auto plain = testing::program_of(file_with(" -> take(train = 100)"));
  const auto program = testing::program_of(file_with(" -> take(train = 100) -> Standardize"));
  ASSERT_TRUE(plain && program);
  const auto raw = points_of(*open(*plain), "train"), raw_val = points_of(*open(*plain), "val");
  const auto pipeline = open(*program);
  const int split = pipeline->description().find_split("train");
  Status fitted;
  ThreadPool(3).run([&] { fitted = pipeline->fit(split); });
  ASSERT_TRUE(fitted.ok()) << fitted.error().message;
  ASSERT_EQ(pipeline->fitted().size(), 3u);
  EXPECT_EQ(pipeline->fitted()[0].name, "data/standardize.mean");
  EXPECT_EQ(pipeline->fitted()[1].name, "data/standardize.std");
  const auto train = points_of(*pipeline, "train"), val = points_of(*pipeline, "val");
  for (const std::size_t c : {0u, 1u}) {
    const double mean = mean_of(raw, c);
    double squares = 0;
    for (std::size_t i = c; i < raw.size(); i += 2) squares += (raw[i] - mean) * (raw[i] - mean);
    const double deviation = std::sqrt(squares / 100);
    EXPECT_NEAR(static_cast<const double*>(pipeline->fitted()[0].data)[c], mean, 1e-12);
    EXPECT_NEAR(static_cast<const double*>(pipeline->fitted()[1].data)[c], deviation, 1e-12);
    for (std::size_t i = c; i < raw.size(); i += 2)
      ASSERT_NEAR(train[i], (raw[i] - mean) / deviation, 1e-12);
    for (std::size_t i = c; i < raw_val.size(); i += 2)
      ASSERT_NEAR(val[i], (raw_val[i] - mean) / deviation, 1e-12);
  }
}

TEST(Standardize, IsNotReadBeforeItIsFitted) {
  const auto program = testing::program_of(file_with(" -> Standardize"));
  ASSERT_TRUE(program);
  const auto pipeline = open(*program);
  const std::uint32_t first = 0;
  const auto batch = pipeline->read(0, &first, 1, false, 0);
  ASSERT_FALSE(batch.ok());
  EXPECT_EQ(batch.error().message, "`data/standardize.mean` does not hold finite numbers");
}

TEST(Standardize, GoesWithTheCheckpoint) {
  const auto program = testing::program_of(file_with(" -> Standardize"));
  ASSERT_TRUE(program);
  const testing::TemporaryFolder folder;
  TrainOptions options;
  options.runs_folder = folder.path();
  const auto outcome = train(*program, options);
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  const auto checkpoint = open_checkpoint(outcome->checkpoint);
  ASSERT_TRUE(checkpoint.ok());
  for (const char* name : {"data/standardize.mean", "data/standardize.std"}) {
    const auto* tensor = checkpoint->file.find(name);
    ASSERT_NE(tensor, nullptr) << name;
    EXPECT_EQ(tensor->dtype, "F64");
    EXPECT_EQ(tensor->shape, std::vector<std::int64_t>{2});
  }
  // The figures of evaluation are those of the run, and prediction needs no data.
  const auto evaluated = evaluate(*program, outcome->folder, "val", 1);
  ASSERT_TRUE(evaluated.ok()) << evaluated.error().message;
  ASSERT_TRUE(outcome->end.last);
  for (const auto& [name, value] : evaluated->figures) {
    for (const auto& [of_run, expected] : outcome->end.last->figures) {
      if (of_run == "val." + name) {
        EXPECT_EQ(value, expected) << name;
      }
    }
  }
  const auto point = [](std::int64_t, std::int64_t, double* values) {
    values[0] = 0.5, values[1] = -0.25;
    return Status();
  };
  const auto predicted = predict(*program, outcome->folder, point, 1, 1);
  ASSERT_TRUE(predicted.ok()) << predicted.error().message;
  // Weights alone do not do.
  const std::string bare = folder / "bare.safetensors";
  ASSERT_TRUE(write_initial_weights(*program, 1, bare).ok());
  const auto without = evaluate(*program, bare, "val", 1);
  ASSERT_FALSE(without.ok());
  EXPECT_EQ(without.error().message,
            "`" + bare +
                "` does not fit the model: it has no `data/standardize.mean`, "
                "`data/standardize.std`, `data/standardize.samples`");
}

TEST(MixUp, MixesPairsOfABatchWithTheirLabels) {
  const auto plain = testing::program_of(file_with(" -> OneHot", "one_hot"));
  const auto program = testing::program_of(file_with(" -> OneHot -> MixUp(1.0)", "one_hot"));
  ASSERT_TRUE(plain && program);
  const auto raw = open(*plain), mixed = open(*program);
  std::vector<std::uint32_t> order = raw->training_order(0, 1, true);
  std::set<double> shares;
  ThreadPool(2).run([&] {
    for (std::int64_t begin = 0; begin + 40 <= 300; begin += 40) {
      const auto a = raw->read(0, order.data() + begin, 40, true, 1);
      const auto b = mixed->read(0, order.data() + begin, 40, true, 1);
      ASSERT_TRUE(a.ok() && b.ok());
      const auto* x = static_cast<const double*>(a->fields[0]);
      const auto* y = static_cast<const double*>(b->fields[0]);
      const auto* labels = static_cast<const double*>(a->fields[2]);
      const auto* mixture = static_cast<const double*>(b->fields[2]);
      int fits = 0;
      for (int shift = 1; shift < 40; ++shift) {
        const double share = (y[0] - x[2 * shift]) / (x[0] - x[2 * shift]);
        double worst = 0;
        for (int i = 0; i < 40; ++i) {
          const int j = (i + shift) % 40;
          for (int c = 0; c < 2; ++c)
            worst = std::max(
                worst, std::abs(share * x[2 * i + c] + (1 - share) * x[2 * j + c] - y[2 * i + c]));
          for (int c = 0; c < 3; ++c)
            worst = std::max(worst, std::abs(share * labels[3 * i + c] +
                                             (1 - share) * labels[3 * j + c] - mixture[3 * i + c]));
        }
        if (worst > 1e-9) continue;
        ++fits;
        EXPECT_TRUE(share > 0 && share < 1) << share;
        shares.insert(share);
      }
      EXPECT_EQ(fits, 1);
    }
  });
  EXPECT_EQ(shares.size(), 7u);  // one for each batch
  EXPECT_EQ(points_of(*mixed, "val"), points_of(*raw, "val"));
}

TEST(ReduceOnPlateau, LowersTheRateWhenTheFigureStands) {
  struct Rates final : Observer {
    Status on_epoch(const EpochReport& report) override {
      rates.push_back(report.learning_rate);
      return {};
    }
    std::vector<double> rates;
  } rates;
  const auto program = testing::program_of(file_with(
      "", "label",
      "schedule = ReduceOnPlateau(gamma = 0.5, patience = 0, threshold = 10.0, relative = false, "
      "monitor = \"train.loss\", warmup = 2)"));
  ASSERT_TRUE(program);
  const testing::TemporaryFolder folder;
  TrainOptions options;
  options.runs_folder = folder.path();
  options.observers = {&rates};
  const auto outcome = train(*program, options);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(rates.rates, (std::vector<double>{0.5, 0.5, 0.25}));
}

TEST(NoDecay, KeepsParametersAsTheyAre) {
  // Without a gradient's part: the decay alone shows.
  const auto first_weight = [](const std::vector<std::string>& overrides) {
    const auto program = testing::program_of(file_with(""), overrides);
    auto executor = Executor::create(*program, 40, true);
    EXPECT_TRUE(executor.ok() && (*executor)->initialize(1).ok());
    const auto pipeline = open(*program);
    const auto order = pipeline->training_order(0, 1, false);
    Figures figures = (*executor)->make_figures();
    ThreadPool(1).run([&] {
      const auto batch = pipeline->read(0, order.data(), 40, true, 1);
      Executor::StepContext context;
      context.learning_rate = 0.5;
      EXPECT_TRUE((*executor)->train_step(*batch, context, figures).ok());
    });
    std::vector<double> values;  // a weight of each layer, then a bias of each
    for (const char* name : {"dense1.weight", "logits.weight", "dense1.bias", "logits.bias"}) {
      for (const NamedTensor& tensor : (*executor)->tensors())
        if (tensor.name == name) values.push_back(static_cast<const double*>(tensor.data)[0]);
    }
    return values;
  };
  const auto none = first_weight({});
  const auto decayed = first_weight({"train.optimizer.weight_decay=0.1"});
  const auto spared =
      first_weight({"train.optimizer.weight_decay=0.1", "train.no_decay=[\"dense1.*\"]"});
  const auto all =
      first_weight({"train.optimizer.weight_decay=0.1", "train.optimizer.decay_all=true",
                    "train.no_decay=[\"logits.b*\"]"});
  ASSERT_EQ(none.size(), 4u);
  EXPECT_NE(decayed[0], none[0]);
  EXPECT_NE(decayed[1], none[1]);
  EXPECT_EQ(decayed[2], none[2]);
  EXPECT_EQ(spared[0], none[0]);
  EXPECT_EQ(spared[1], decayed[1]);
  EXPECT_EQ(all[0], decayed[0]);
  EXPECT_EQ(all[3], none[3]);
}

}  // namespace
}  // namespace strata
