// Fused plans against plain ones: the same weights, states and figures within rounding, for every
// registered fusion and the options of its members; and the same bits on any number of threads.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "framework/graph/fuse.h"
#include "framework/runtime/executor.h"
#include "framework/runtime/input_pipeline.h"
#include "framework/tensor/parallel.h"
#include "tests/support/programs.h"

namespace strata {
namespace {

struct Chain {
  std::string fusion;
  std::string stages;
  std::string block = {};  // that the stages use
};

// Every fusion with its members' options varied. A fusion without a line here fails the test below.
const std::vector<Chain>& chains() {
  static const std::vector<Chain> all = {
      {"DenseReLU", "Dense(130) -> ReLU"},
      {"DenseReLU", "Dense(64, bias = false) -> ReLU"},
      {"DenseReLU", "Dense(5, bias_init = HeUniform) -> ReLU"},
      {"DenseBatchNorm", "Dense(130) -> BatchNorm"},
      {"DenseBatchNorm", "Dense(20, bias = false) -> BatchNorm(scale = false, shift = false)"},
      {"DenseBatchNormReLU", "Dense(130, bias = false) -> BatchNorm -> ReLU"},
      {"DenseBatchNormReLU",
       "Dense(70, bias_init = HeUniform) -> BatchNorm(decay = 0.5, eps = 1e-3) -> ReLU"},
      {"DenseBatchNormReLU", "Dense(64) -> BatchNorm(running_variance = \"biased\") -> ReLU"},
      {"DenseBatchNormReLU", "Dense(33) -> BatchNorm(scale = false) -> ReLU"},
      {"DenseBatchNormReLU", "Dense(33) -> BatchNorm(shift = false) -> ReLU"},
      {"Conv2DBatchNormReLU",
       "Dense(75) -> Reshape([3, 5, 5]) -> Conv2D(20, padding = \"same\", bias = false)"
       " -> BatchNorm -> ReLU -> Flatten"},
      {"Conv2DBatchNormReLU",
       "Dense(96) -> Reshape([6, 4, 4])"
       " -> Conv2D(4, stride = 2, padding = 1, groups = 2, bias_init = HeUniform)"
       " -> BatchNorm(decay = 0.5, eps = 1e-3) -> ReLU -> Flatten"},
      {"Conv2DBatchNormReLU",
       "Reshape([1, -1, 1]) -> Conv2D(17, kernel = [2, 1], padding = \"same\")"
       " -> BatchNorm(scale = false) -> ReLU -> Flatten"},
      {"Conv2DBatchNorm",
       "Reshape([1, -1, 1]) -> Conv2D(3, kernel = 1)"
       " -> BatchNorm(running_variance = \"biased\", shift = false) -> Flatten"},
      {"Conv2DBatchNorm",
       "Dense(98) -> Reshape([2, 7, 7])"
       " -> Conv2D(33, kernel = [3, 2], stride = [2, 1], dilation = [1, 2], padding = [2, 1],"
       " bias = false) -> BatchNorm(scale = false, shift = false) -> Flatten"},
      {"Conv2DBatchNormAddReLU", "Dense(75) -> Reshape([3, 5, 5]) -> both -> Flatten",
       R"(block both(x) -> y {
  main = x -> Conv2D(3, padding = "same", bias = false) -> BatchNorm
  y = Add(main, x) -> ReLU
})"},
      {"Conv2DBatchNormAddReLU", "Reshape([1, -1, 1]) -> both -> Flatten",
       R"(block both(x) -> y {
  main = x -> Conv2D(17, kernel = 1) -> BatchNorm(shift = false)
  skip = x -> Conv2D(17, kernel = 1)
  y = Add(main, skip) -> ReLU
})"},
      {"Conv2DBatchNormAddReLU", "Reshape([1, -1, 1]) -> both -> Flatten",
       R"(block both(x) -> y {
  main = x -> Conv2D(1, kernel = 1) -> BatchNorm(scale = false)
  y = Add(main, x) -> ReLU
})"},
      {"Conv2DBatchNormAddReLU", "Dense(96) -> Reshape([6, 4, 4]) -> residual -> Flatten",
       R"(block residual(x) -> y {
  main = x -> Conv2D(9, padding = "same") -> BatchNorm -> ReLU
           -> Conv2D(6, padding = "same", bias_init = HeUniform) -> BatchNorm(decay = 0.5, eps = 1e-3)
  y = Add(main, x) -> ReLU
})"},
      {"Conv2DBatchNormAddReLU", "Dense(98) -> Reshape([2, 7, 7]) -> residual -> Flatten",
       R"(block residual(x) -> y {
  main = x -> Conv2D(33, stride = 2, padding = 1, bias = false) -> BatchNorm(running_variance = "biased")
  skip = x -> Conv2D(33, kernel = 1, stride = 2, bias = false) -> BatchNorm
  y = Add(main, skip) -> ReLU
})"},
  };
  return all;
}

struct Net {
  std::string before;  // stages before the chain: with them a gradient of its input is wanted
  std::int64_t batch;
};
const std::vector<Net> kNets = {{"", 2},
                                {"", 7},
                                {"", 64},
                                {"", 150},
                                {"Dense(37) -> ", 16},
                                {"Dense(37) -> ", 17},
                                {"Dense(300) -> ", 96}};

std::optional<Program> program_of(const Chain& chain, const Net& net,
                                  const std::string& precision) {
  return testing::program_of("format 1\n" + chain.block +
                             "\nmodel m(point: [2]) -> logits {\n  point -> " + net.before +
                             chain.stages + R"( -> Dense(3) as logits
}
data spirals = Synthetic(kind = "spirals", samples = 300, val_samples = 60, classes = 3)
train {
  loss = CrossEntropy(logits, label)
  metrics = [Accuracy(logits, label)]
  optimizer = SGD(lr = 0.1, momentum = 0.9)
  batch_size = )" + std::to_string(net.batch) +
                             "\n  precision = \"" + precision +
                             "\"\n  allow = [\"cancelled-bias\"]\n}\n");
}

struct Outcome {
  std::map<std::string, std::vector<double>> tensors;
  std::vector<double> outputs, folded;
  double train_loss = 0, val_loss = 0;
  std::vector<std::string> kinds;
};

template <class T>
std::vector<double> values(const void* data, std::int64_t count) {
  const T* from = static_cast<const T*>(data);
  return {from, from + count};
}

template <class T>
Outcome run(const Program& program, bool fuse, int threads = 2) {
  Outcome outcome;
  ThreadPool pool(threads);
  pool.run([&] {
    auto executor = Executor::create(program, 150, true, {.fuse = fuse});
    auto folding = Executor::create(program, 150, false, {.fuse = fuse, .fold = true});
    auto pipeline = InputPipeline::open(program.data, program.train.precision, 1);
    ASSERT_TRUE(executor.ok() && pipeline.ok() && folding.ok());
    Executor& net = **executor;
    ASSERT_TRUE(net.initialize(3).ok());
    for (const Executor::Unit& unit : net.units()) outcome.kinds.push_back(unit.kind);
    const auto order = (*pipeline)->training_order(0, 1, true);
    Figures figures = net.make_figures();
    const std::int64_t batch = program.train.batch_size;
    for (std::int64_t step = 0; step < 4; ++step) {
      auto view = (*pipeline)->read(0, order.data() + step * batch % 150, batch, true, 1);
      ASSERT_TRUE(view.ok());
      const Status done =
          net.train_step(*view, {.seed = 1, .step = step + 1, .learning_rate = 0.1}, figures);
      ASSERT_TRUE(done.ok()) << done.error().message;
    }
    outcome.train_loss = figures.loss_sums[0];
    std::vector<std::uint32_t> indices(60);
    for (std::uint32_t i = 0; i < 60; ++i) indices[i] = i;
    auto view = (*pipeline)->read(1, indices.data(), 60, false, 1);
    Figures val = net.make_figures();
    ASSERT_TRUE(net.evaluate(*view, val).ok());
    outcome.val_loss = val.loss_sums[0];
    for (const NamedTensor& tensor : net.tensors())
      outcome.tensors[tensor.name] = values<T>(tensor.data, tensor.shape.elements());
    outcome.outputs = values<T>(net.output(0), 60 * 3);

    // Weights that come after a first prediction must count too.
    ASSERT_TRUE((*folding)->initialize(9).ok());
    ASSERT_TRUE((*folding)->predict(60, view->fields).ok());
    for (const NamedTensor& to : (*folding)->tensors()) {
      for (const NamedTensor& from : net.tensors()) {
        if (from.name == to.name)
          std::memcpy(to.data, from.data, static_cast<std::size_t>(to.bytes()));
      }
    }
    ASSERT_TRUE((*folding)->predict(60, view->fields).ok());
    outcome.folded = values<T>((*folding)->output(0), 60 * 3);
  });
  return outcome;
}

void expect_near(const std::vector<double>& a, const std::vector<double>& b, double tolerance,
                 const std::string& what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (std::size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], b[i], tolerance * (1 + std::abs(b[i]))) << what << " at " << i;
}

void compare(const Outcome& fused, const Outcome& plain, double tolerance) {
  EXPECT_NEAR(fused.train_loss, plain.train_loss, tolerance * (1 + plain.train_loss));
  EXPECT_NEAR(fused.val_loss, plain.val_loss, tolerance * (1 + plain.val_loss));
  ASSERT_EQ(fused.tensors.size(), plain.tensors.size());
  for (const auto& [name, numbers] : plain.tensors)
    expect_near(fused.tensors.at(name), numbers, tolerance, name);
  expect_near(fused.outputs, plain.outputs, tolerance, "outputs");
  expect_near(fused.folded, plain.outputs, tolerance, "folded outputs");
  expect_near(plain.folded, plain.outputs, tolerance, "outputs of an executor for prediction");
}

class EveryChain : public ::testing::TestWithParam<std::size_t> {
 protected:
  const Chain& chain() const { return chains()[GetParam()]; }
};

TEST_P(EveryChain, AgreesWithItsLayersInF64) {
  for (const Net& net : kNets) {
    SCOPED_TRACE(net.before + chain().stages + ", batch " + std::to_string(net.batch));
    const auto program = program_of(chain(), net, "f64");
    ASSERT_TRUE(program);
    const Outcome fused = run<double>(*program, true), plain = run<double>(*program, false);
    EXPECT_EQ(std::count(fused.kinds.begin(), fused.kinds.end(), chain().fusion), 1);
    EXPECT_EQ(std::count(plain.kinds.begin(), plain.kinds.end(), chain().fusion), 0);
    compare(fused, plain, 1e-10);
  }
}

TEST_P(EveryChain, AgreesWithItsLayersInF32) {
  const auto program = program_of(chain(), {"Dense(37) -> ", 64}, "f32");
  ASSERT_TRUE(program);
  compare(run<float>(*program, true), run<float>(*program, false), 2e-4);
}

TEST_P(EveryChain, GivesTheSameBitsOnAnyNumberOfThreads) {
  const auto program = program_of(chain(), {"Dense(300) -> ", 96}, "f32");
  ASSERT_TRUE(program);
  const Outcome one = run<float>(*program, true, 1);
  for (const int threads : {2, 3, 4, 8, 16}) {
    EXPECT_EQ(run<float>(*program, true, threads).tensors, one.tensors) << threads << " threads";
  }
}

INSTANTIATE_TEST_SUITE_P(Fusions, EveryChain, ::testing::Range(std::size_t{0}, chains().size()),
                         [](const auto& test) {
                           return chains()[test.param].fusion + "_" + std::to_string(test.param);
                         });

TEST(Fusions, AreAllCompared) {
  std::set<std::string> compared;
  for (const Chain& chain : chains()) compared.insert(chain.fusion);
  for (const Entry* fusion : testing::registry().all(STRATA_FUSION))
    EXPECT_TRUE(compared.contains(fusion->name())) << fusion->name();
}

TEST(Fusions, RefuseABatchThatHasNoVariance) {
  const auto program =
      program_of({"", "Reshape([1, -1, 1]) -> Conv2D(5, kernel = [2, 1]) -> BatchNorm -> Flatten"},
                 {"", 2}, "f32");
  ASSERT_TRUE(program);
  ThreadPool pool(1);
  pool.run([&] {
    auto executor = Executor::create(*program, 2, true, {});
    auto pipeline = InputPipeline::open(program->data, program->train.precision, 1);
    ASSERT_TRUE(executor.ok() && pipeline.ok() && (*executor)->initialize(3).ok());
    const std::uint32_t sample = 0;
    auto view = (*pipeline)->read(0, &sample, 1, true, 1);
    ASSERT_TRUE(view.ok());
    Figures figures = (*executor)->make_figures();
    const Status done =
        (*executor)->train_step(*view, {.seed = 1, .step = 1, .learning_rate = 0.1}, figures);
    ASSERT_FALSE(done.ok());
    EXPECT_NE(done.error().message.find(
                  "BatchNorm needs at least two values per channel to train, and a batch of 1 "
                  "sample of shape [5, 1, 1] has 1"),
              std::string::npos)
        << done.error().message;
  });
}

std::vector<std::size_t> unit_sizes(const std::string& flow) {
  const auto program = testing::program_of("format 1\nmodel m(x: [8]) -> y {\n" + flow + "\n}\n");
  std::vector<std::size_t> sizes;
  if (!program) return sizes;
  for (const Unit& unit : plan_units(program->graph, program->fusions))
    sizes.push_back(unit.nodes.size());
  return sizes;
}

using Sizes = std::vector<std::size_t>;

TEST(Plan, TakesTheLongestChain) {
  EXPECT_EQ(unit_sizes("x -> Dense(4) -> BatchNorm -> ReLU -> Dense(3) as y"), (Sizes{3, 1}));
}

TEST(Plan, KeepsAValueThatIsReadTwice) {
  EXPECT_EQ(unit_sizes("a = x -> Dense(4)\n b = a -> BatchNorm -> ReLU\n y = Add(a, b)"),
            (Sizes{1, 1, 1, 1}));
}

TEST(Plan, LetsABranchInWhereAFusionTakesIt) {
  const std::string image = "i = x -> Reshape([2, 2, 2])\n";
  const std::string main = "a = i -> Conv2D(2, kernel = 1) -> BatchNorm\n";
  EXPECT_EQ(unit_sizes(image + main + "y = Add(a, i) -> ReLU"), (Sizes{1, 4}));
  // What a branch brings is made first, wherever the file has it.
  EXPECT_EQ(unit_sizes(image + main + "b = i -> Tanh\n y = Add(a, b) -> ReLU"), (Sizes{1, 1, 4}));
  // A chain enters a layer as its first input, and only one branch is taken.
  EXPECT_EQ(unit_sizes(image + main + "y = Add(i, a) -> ReLU"), (Sizes{1, 2, 1, 1}));
  EXPECT_EQ(unit_sizes(image + main + "y = Add(a, i, i) -> ReLU"), (Sizes{1, 2, 1, 1}));
}

TEST(Plan, BringsNoBranchToAFusionThatDoesNotSayThatItTakesThem) {
  const auto program =
      testing::program_of("format 1\nmodel m(x: [8]) -> y { x -> Dense(4) -> ReLU as y }\n");
  ASSERT_TRUE(program);
  const std::vector<GraphNode>& nodes = program->graph.nodes;
  const Entry* fusion = testing::registry().find(STRATA_FUSION, "DenseReLU");
  ASSERT_NE(fusion, nullptr);
  const std::vector<const Instance*> members = {nodes[0].layer.get(), nodes[1].layer.get()};
  const Input input{"x", Shape({8}), STRATA_REAL, false, 0};
  EXPECT_NE(FusedInstance::create(*fusion, members, {input}), nullptr);
  EXPECT_EQ(FusedInstance::create(*fusion, members, {input, input}), nullptr);
}

TEST(Plan, KeepsAnOutputOfTheModel) {
  const auto program = testing::program_of(
      "format 1\nmodel m(x: [8]) -> hidden, y { x -> Dense(4) as hidden -> ReLU as y }\n");
  ASSERT_TRUE(program);
  EXPECT_EQ(plan_units(program->graph, program->fusions).size(), 2u);
}

TEST(Plan, LeavesBatchNormOfOtherAxesAlone) {
  const auto program = testing::program_of(
      "format 1\nmodel m(x: [6, 8]) -> y { x -> Dense(4) -> BatchNorm -> ReLU as y }\n");
  ASSERT_TRUE(program);
  for (const Unit& unit : plan_units(program->graph, program->fusions))
    EXPECT_EQ(unit.fusion, nullptr);
}

}  // namespace
}  // namespace strata
