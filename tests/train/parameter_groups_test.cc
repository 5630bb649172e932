// Parameters that are frozen, and rates of their own: what is updated, by how much, and what is not
// computed at all.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "framework/runtime/executor.h"
#include "framework/runtime/input_pipeline.h"
#include "framework/tensor/parallel.h"
#include "framework/train/checkpoint.h"
#include "framework/train/training.h"
#include "tests/support/programs.h"

namespace strata {
namespace {

std::string text() {
  return R"(format 1
model m(point: [2]) -> logits {
  point -> Dense(16, bias = false) -> BatchNorm -> ReLU -> Dense(12) -> ReLU -> Dense(3) as logits
}
data spirals = Synthetic(kind = "spirals", samples = 300, val_samples = 60, classes = 3)
train {
  loss       = CrossEntropy(logits, label)
  metrics    = [Accuracy(logits, label)]
  optimizer  = AdamW(lr = 0.01, weight_decay = 0.1, decay_all = true)
  batch_size = 40
  epochs     = 2
  precision  = "f64"
}
)";
}

using Tensors = std::map<std::string, std::vector<double>>;

// An executor over the first batches of the data, one after the other.
class Steps {
 public:
  explicit Steps(const std::vector<std::string>& overrides, bool fuse = true)
      : program_(testing::program_of(text(), overrides)),
        pipeline_(InputPipeline::open(program_->data, Precision::kF64, 1).value()),
        executor_(Executor::create(*program_, 40, true, {.fuse = fuse}).value()) {
    EXPECT_TRUE(executor_->initialize(1).ok());
  }

  void step(double rate = 0.01) {
    ThreadPool(2).run([&] {
      std::vector<std::uint32_t> indices(40);
      std::iota(indices.begin(), indices.end(), static_cast<std::uint32_t>(40 * taken_++));
      const auto batch = pipeline_->read(0, indices.data(), 40, true, 1);
      ASSERT_TRUE(batch.ok());
      Figures figures = executor_->make_figures();
      Executor::StepContext context;
      context.seed = 1;
      context.step = taken_;
      context.learning_rate = rate;
      const Status done = executor_->train_step(*batch, context, figures);
      ASSERT_TRUE(done.ok()) << done.error().message;
    });
  }

  Tensors tensors() const {
    Tensors found;
    for (const NamedTensor& tensor : executor_->tensors()) {
      const auto* data = static_cast<const double*>(tensor.data);
      found[tensor.name] = {data, data + tensor.shape.elements()};
    }
    return found;
  }
  void set(const Tensors& values) {
    for (const NamedTensor& tensor : executor_->tensors()) {
      const std::vector<double>& from = values.at(tensor.name);
      std::copy(from.begin(), from.end(), static_cast<double*>(tensor.data));
    }
  }
  const Executor& executor() const { return *executor_; }

 private:
  std::optional<Program> program_;
  std::unique_ptr<InputPipeline> pipeline_;
  std::unique_ptr<Executor> executor_;
  int taken_ = 0;
};

bool is_of(const std::string& name, const std::string& layer) { return name.starts_with(layer); }

TEST(RateScales, TwoRatesAreTwoOptimizers) {
  for (const std::string optimizer :
       {"SGD(momentum = 0.9, weight_decay = 0.1)", "AdamW(weight_decay = 0.1)", "LAMB"}) {
    const std::string given = "train.optimizer=" + optimizer;
    Steps grouped({given, R"(train.lr_scale=[("*", 0.1), ("logits.*", 10)])"});
    Steps body({given}), head({given});
    for (int step = 0; step < 5; ++step) {
      // Both go on from the same weights, each with its own rate, and each counts for its layers.
      body.step(0.01 * 0.1);
      head.step(0.01 * 10);
      Tensors both = body.tensors();
      for (auto& [name, values] : both) {
        if (is_of(name, "logits")) values = head.tensors().at(name);
      }
      grouped.step(0.01);
      ASSERT_EQ(grouped.tensors(), both) << optimizer << ", step " << step;
      body.set(both);
      head.set(both);
    }
  }
}

TEST(RateScales, TheLastPatternCounts) {
  Steps one({R"(train.lr_scale=[("dense1.*", 7), ("dense1.weight", 2)])"});
  Steps other({R"(train.lr_scale=[("dense1.weight", 2)])"});
  one.step();
  other.step();
  EXPECT_EQ(one.tensors(), other.tensors());
}

TEST(Frozen, ParametersKeepTheirBitsWhateverElseIsSet) {
  for (const std::vector<std::string>& more :
       std::vector<std::vector<std::string>>{{},
                                             {"train.clip_norm=0.1"},
                                             {"train.accumulate=2"},
                                             {"train.ema=0.9"},
                                             {"train.optimizer=LAMB(weight_decay = 0.1)"}}) {
    for (const bool fuse : {true, false}) {
      std::vector<std::string> overrides = more;
      overrides.push_back(R"(train.frozen=["dense1.*", "batch_norm1.weight", "logits.bias"])");
      Steps steps(overrides, fuse);
      const Tensors before = steps.tensors();
      for (int step = 0; step < 3; ++step) steps.step();
      int frozen = 0;
      for (const auto& [name, values] : steps.tensors()) {
        const std::string parameter = name.substr(0, name.find('/'));
        if (parameter == "dense1.weight" || parameter == "batch_norm1.weight" ||
            parameter == "logits.bias") {
          ++frozen;
          EXPECT_EQ(name, parameter) << "no slots, no average";
          EXPECT_EQ(values, before.at(name)) << name;
        } else {
          EXPECT_NE(values, before.at(name)) << name;  // running statistics go on, too
        }
      }
      EXPECT_EQ(frozen, 3);
    }
  }
}

TEST(Frozen, OthersAreUpdatedAsWithoutIt) {
  Steps plain({}), frozen({R"(train.frozen=["dense2.*", "batch_norm1.bias"])"});
  plain.step();
  frozen.step();
  const Tensors all = plain.tensors();
  for (const auto& [name, values] : frozen.tensors()) {
    if (is_of(name, "dense2.") || name == "batch_norm1.bias") continue;
    EXPECT_EQ(values, all.at(name)) << name;
  }
}

TEST(Frozen, WhatLiesBeforeTheFirstTrainedLayerIsNotComputedBackward) {
  const auto backward = [](const std::string& frozen) {
    std::string names;
    const Steps steps({"train.frozen=" + frozen}, false);
    for (const Executor::Unit& unit : steps.executor().units()) {
      if (unit.backward) names += unit.path + (unit.input_gradient ? "+ " : " ");
    }
    return names;
  };
  EXPECT_EQ(backward("[]"), "dense1 batch_norm1+ relu1+ dense2+ relu2+ logits+ ");
  EXPECT_EQ(backward(R"(["dense1.*"])"), "batch_norm1 relu1+ dense2+ relu2+ logits+ ");
  EXPECT_EQ(backward(R"(["dense*", "batch_norm1.*"])"), "logits ");
  // In the middle its weights are left alone, and gradients go through it.
  EXPECT_EQ(backward(R"(["dense2.*", "logits.*"])"),
            "dense1 batch_norm1+ relu1+ dense2+ relu2+ logits+ ");
}

TEST(Frozen, GradientsDoNotCountForClipping) {
  const std::string sgd = "train.optimizer=SGD";
  const std::string frozen = R"(train.frozen=["dense*", "batch_norm1.*"])";
  Steps plain({sgd, frozen}), clipped({sgd, frozen, "train.clip_norm=0.01"});
  const Tensors start = plain.tensors();
  const auto length = [&](Steps& steps) {
    steps.step(1);
    double squares = 0;
    for (const auto& [name, values] : steps.tensors()) {
      if (!is_of(name, "logits.")) continue;
      for (std::size_t i = 0; i < values.size(); ++i)
        squares += std::pow(values[i] - start.at(name)[i], 2);
    }
    return std::sqrt(squares);
  };
  EXPECT_GT(length(plain), 0.1);
  EXPECT_NEAR(length(clipped), 0.01, 1e-12);  // all of the length is the trained layer's
}

TEST(Frozen, ResumedRunsGoOnWithTheSameBits) {
  const std::vector<std::string> groups = {R"(train.frozen=["dense1.*", "batch_norm1.*"])",
                                           R"(train.lr_scale=[("dense2.*", 0.3)])",
                                           "train.ema=0.9"};
  const testing::TemporaryFolder folder;
  const auto checkpoint_of = [&](const std::string& name, const std::vector<std::string>& epochs) {
    for (const std::string& count : epochs) {
      std::vector<std::string> overrides = groups;
      overrides.push_back("train.epochs=" + count);
      const auto program = testing::program_of(text(), overrides);
      TrainOptions options;
      (count == epochs.front() ? options.run_folder : options.resume) = folder / name;
      const auto outcome = train(*program, options);
      EXPECT_TRUE(outcome.ok()) << outcome.error().message;
    }
    const auto checkpoint = open_checkpoint(*find_checkpoint(folder / name));
    return std::vector<char>(checkpoint->file.data.begin(), checkpoint->file.data.end());
  };
  EXPECT_EQ(checkpoint_of("whole", {"3"}), checkpoint_of("parts", {"1", "2", "3"}));
}

}  // namespace
}  // namespace strata
