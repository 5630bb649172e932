// The batch-norm perceptron against PyTorch, step by step, from the same weights and samples
// (tests/fixtures/README.md).
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "framework/runtime/executor.h"
#include "framework/runtime/input_pipeline.h"
#include "framework/tensor/parallel.h"
#include "tests/support/programs.h"

namespace strata {
namespace {

using nlohmann::json;

constexpr int kSteps = 200;
constexpr int kBatch = 64;

const json& fixture() {
  static const json data = json::parse(std::ifstream("tests/fixtures/mnist_mlp_bn_adam_200.json"));
  return data;
}

double start_value(std::uint64_t n, double bound) {
  std::uint64_t z = 1234 + n + 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  const double u = static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
  return (2 * u - 1) * bound;
}

// One run of the fixture's network in this framework.
class PerceptronRun {
 public:
  PerceptronRun(const std::string& precision, const std::string& eps)
      : program_(
            testing::program_of(testing::read_text("models/mnist_mlp_bn.model"),
                                {"train.precision=" + precision, "train.optimizer.eps=" + eps})) {
    if (!program_) return;
    auto executor = Executor::create(*program_, 128, true);
    auto pipeline = InputPipeline::open(program_->data, program_->train.precision, 0);
    EXPECT_TRUE(executor.ok());
    EXPECT_TRUE(pipeline.ok()) << pipeline.error().message;
    if (!executor.ok() || !pipeline.ok()) return;
    executor_ = std::move(*executor);
    pipeline_ = std::move(*pipeline);
    EXPECT_TRUE(executor_->initialize(1).ok());
    std::uint64_t n = 0;
    for (const NamedTensor& tensor : executor_->tensors()) {
      if (tensor.role != TensorRole::kParameter || tensor.name.starts_with("batch_norm")) continue;
      const double fan_in = tensor.name.starts_with("dense1")   ? 784
                            : tensor.name.starts_with("dense2") ? 256
                                                                : 128;
      for (std::int64_t i = 0; i < tensor.shape.elements(); ++i)
        set(tensor, i, start_value(n++, 1 / std::sqrt(fan_in)));
    }
  }
  bool ready() const { return executor_ && pipeline_; }

  static double get(const NamedTensor& tensor, std::int64_t i) {
    return tensor.precision == Precision::kF64
               ? static_cast<const double*>(tensor.data)[i]
               : static_cast<double>(static_cast<const float*>(tensor.data)[i]);
  }
  static void set(const NamedTensor& tensor, std::int64_t i, double x) {
    if (tensor.precision == Precision::kF64) {
      static_cast<double*>(tensor.data)[i] = x;
    } else {
      static_cast<float*>(tensor.data)[i] = static_cast<float>(x);
    }
  }
  const NamedTensor& tensor(const std::string& name) const {
    for (const NamedTensor& t : executor_->tensors()) {
      if (t.name == name) return t;
    }
    throw std::runtime_error("no tensor " + name);
  }

  std::vector<double> train() {
    std::vector<double> losses;
    ThreadPool pool(2);
    pool.run([&] {
      for (int step = 0; step < kSteps; ++step) {
        std::vector<std::uint32_t> order(kBatch);
        std::iota(order.begin(), order.end(), static_cast<std::uint32_t>(step * kBatch));
        auto batch = pipeline_->read(0, order.data(), kBatch, true, 1);
        Figures figures = executor_->make_figures();
        ASSERT_TRUE(executor_->train_step(*batch, {1, step + 1, 1e-3}, figures).ok());
        losses.push_back(figures.loss(program_->train));
      }
    });
    return losses;
  }

  double validation_loss(std::int64_t samples) {
    std::vector<std::uint32_t> order(static_cast<std::size_t>(samples));
    std::iota(order.begin(), order.end(), 0u);
    Figures figures = executor_->make_figures();
    for (std::int64_t begin = 0; begin < samples; begin += 100) {
      auto batch = pipeline_->read(1, order.data() + begin, 100, false, 0);
      EXPECT_TRUE(executor_->evaluate(*batch, figures).ok());
    }
    return figures.loss(program_->train);
  }

 private:
  std::optional<Program> program_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<InputPipeline> pipeline_;
};

// The fixture calls the batch norms norm1 and norm2, and the last layer dense3.
std::string our_name(const std::string& name) {
  if (name.starts_with("norm")) return "batch_" + name;
  if (name.starts_with("dense3")) return "logits" + name.substr(6);
  return name;
}

void expect_close(const std::vector<double>& ours, const json& theirs, double tolerance) {
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double wanted = theirs[i].get<double>();
    ASSERT_NEAR(ours[i], wanted, tolerance * std::abs(wanted)) << "step " << i + 1;
  }
}

TEST(AgainstPyTorch, StartsFromTheSameWeights) {
  PerceptronRun run("f64", "1e-8");
  ASSERT_TRUE(run.ready());
  for (const auto& [name, facts] : fixture()["start"].items()) {
    const NamedTensor& tensor = run.tensor(our_name(name));
    for (std::size_t i = 0; i < facts["indices"].size(); ++i) {
      ASSERT_EQ(run.get(tensor, facts["indices"][i]), facts["values"][i].get<double>()) << name;
    }
  }
}

TEST(AgainstPyTorch, TwoHundredStepsInF64) {
  PerceptronRun run("f64", "1e-8");
  ASSERT_TRUE(run.ready());
  expect_close(run.train(), fixture()["losses_f64"], 1e-9);
  for (const auto& [name, facts] : fixture()["end"].items()) {
    const NamedTensor& tensor = run.tensor(our_name(name));
    double sum = 0, squares = 0;
    for (std::int64_t i = 0; i < tensor.shape.elements(); ++i) {
      sum += run.get(tensor, i);
      squares += run.get(tensor, i) * run.get(tensor, i);
    }
    EXPECT_NEAR(squares, facts["sum_of_squares"].get<double>(), 1e-8 * squares) << name;
    EXPECT_NEAR(sum, facts["sum"].get<double>(),
                1e-8 * std::sqrt(squares * static_cast<double>(tensor.shape.elements())))
        << name;
    for (std::size_t i = 0; i < facts["indices"].size(); ++i) {
      EXPECT_NEAR(run.get(tensor, facts["indices"][i]), facts["values"][i].get<double>(), 1e-8)
          << name;
    }
  }
  for (const auto& [name, facts] : fixture()["running"].items()) {
    const NamedTensor& tensor = run.tensor(our_name(name));
    const json& values = facts.is_object() ? facts["values"] : facts;
    ASSERT_EQ(static_cast<std::size_t>(tensor.shape.elements()), values.size());
    for (std::int64_t i = 0; i < tensor.shape.elements(); ++i) {
      const double wanted = values[static_cast<std::size_t>(i)];
      EXPECT_NEAR(run.get(tensor, i), wanted, 1e-8 * std::max(1.0, std::abs(wanted))) << name;
    }
  }
  const json& validation = fixture()["validation_f64"];
  const double wanted =
      validation.is_object() ? validation["loss"].get<double>() : validation[0].get<double>();
  EXPECT_NEAR(run.validation_loss(1000), wanted, 1e-9 * wanted);
}

TEST(AgainstPyTorch, TwoHundredStepsInF64WithALargerEpsilon) {
  PerceptronRun run("f64", "1e-5");
  ASSERT_TRUE(run.ready());
  expect_close(run.train(), fixture()["stable"]["losses_f64"], 1e-9);
}

// With Adam's usual eps of 1e-8 no two f32 implementations agree over 200 steps, PyTorch's own runs
// among them: see tests/fixtures/README.md. With 1e-5 they do.
TEST(AgainstPyTorch, TwoHundredStepsInF32) {
  PerceptronRun run("f32", "1e-5");
  ASSERT_TRUE(run.ready());
  const std::vector<double> losses = run.train();
  expect_close(losses, fixture()["stable"]["losses_f64"], 1e-3);
  expect_close(losses, fixture()["stable"]["losses_f32"], 1e-3);
}

// The first steps, before rounding has grown, agree at any epsilon; later ones stay within what
// PyTorch's own runs differ.
TEST(AgainstPyTorch, FirstStepsInF32WithTheUsualEpsilon) {
  PerceptronRun run("f32", "1e-8");
  ASSERT_TRUE(run.ready());
  const std::vector<double> losses = run.train();
  for (std::size_t i = 0; i < 5; ++i) {
    const double wanted = fixture()["losses_f64"][i];
    EXPECT_NEAR(losses[i], wanted, 1e-3 * wanted) << "step " << i + 1;
  }
}

}  // namespace
}  // namespace strata
