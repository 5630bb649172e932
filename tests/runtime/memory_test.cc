// The executor's memory: buffers in use at once never share any, values that nobody reads any more
// do, and nothing is allocated in a step.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "framework/runtime/executor.h"
#include "framework/runtime/input_pipeline.h"
#include "framework/runtime/layout.h"
#include "framework/tensor/parallel.h"
#include "tests/conformance/allocation_count.h"
#include "tests/support/programs.h"

namespace strata {
namespace {

struct Asked {
  std::int64_t bytes, begin, end;
};

TEST(Arena, GivesWhatIsInUseAtOnceMemoryOfItsOwn) {
  EXPECT_TRUE(rc::check([] {
    std::vector<Asked> asked;
    const int count = *rc::gen::inRange(1, 40);
    Arena arena;
    for (int i = 0; i < count; ++i) {
      const auto begin = *rc::gen::inRange<std::int64_t>(0, 20);
      asked.push_back({*rc::gen::inRange<std::int64_t>(1, 1000), begin,
                       begin + *rc::gen::inRange<std::int64_t>(0, 10)});
    }
    std::vector<Arena::Handle> handles;
    const Arena::Handle forever = arena.reserve(100);
    for (const Asked& a : asked) handles.push_back(arena.reserve(a.bytes, a.begin, a.end));
    arena.allocate();
    const auto address = [&](Arena::Handle h) { return static_cast<const char*>(arena.at(h)); };
    const char* base = address(forever);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const char* a = address(handles[i]);
      RC_ASSERT(reinterpret_cast<std::uintptr_t>(a) % 64 == 0);
      RC_ASSERT(a >= base + 100 || a + asked[i].bytes <= base);
      RC_ASSERT(a + asked[i].bytes <= base + arena.bytes());
      for (std::size_t j = 0; j < i; ++j) {
        if (asked[i].end < asked[j].begin || asked[j].end < asked[i].begin) continue;
        const char* b = address(handles[j]);
        RC_ASSERT(a + asked[i].bytes <= b || b + asked[j].bytes <= a);
      }
    }
  }));
}

TEST(Arena, SharesWhereItCan) {
  Arena arena;
  for (int i = 0; i < 100; ++i) arena.reserve(6400, i, i + 1);
  arena.allocate();
  EXPECT_EQ(arena.shared_bytes(), 2 * 6400);
}

// Blocks with two branches, shared values, an output in the middle, in-place layers.
std::string branches(const std::string& precision = "f32") {
  return R"(format 1
block residual(x, units) -> y {
  main = x -> Dense(units, bias = false) -> BatchNorm -> ReLU -> Dropout(0.1) -> Dense(units) -> BatchNorm
  skip = x -> Dense(units) -> ReLU
  y = Add(main, skip, x) -> ReLU
}
model m(point: [2]) -> hidden, logits {
  point -> Dense(40) -> ReLU -> for i in 0..3 { residual(40) } as hidden
  a = hidden -> Dense(20) -> ReLU
  b = hidden -> ReLU -> Dropout(0.5) -> Dense(20)
  Add(a, b) -> Dense(3) as logits
}
data spirals = Synthetic(kind = "spirals", samples = 300, val_samples = 60, classes = 3)
train {
  loss = [CrossEntropy(logits, label), 0.01 * MeanSquaredError(hidden, hidden)]
  metrics = [Accuracy(logits, label)]
  optimizer = Adam(lr = 1e-2)
  batch_size = 37
  precision = ")" +
         precision + "\"\n}\n";
}

std::map<std::string, std::string> train(const Program& program, const ExecutorOptions& options,
                                         int threads, Executor::Memory* memory = nullptr) {
  std::map<std::string, std::string> bytes;
  ThreadPool pool(threads);
  pool.run([&] {
    auto executor = Executor::create(program, 60, true, options);
    auto pipeline = InputPipeline::open(program.data, program.train.precision, 1);
    ASSERT_TRUE(executor.ok() && pipeline.ok());
    ASSERT_TRUE((*executor)->initialize(3).ok());
    Figures figures = (*executor)->make_figures();
    const auto order = (*pipeline)->training_order(0, 1, true);
    for (std::int64_t step = 0; step < 8; ++step) {
      auto view = (*pipeline)->read(0, order.data() + step * 37, 37, true, 1);
      ASSERT_TRUE(view.ok());
      const Status done = (*executor)->train_step(
          *view, {.seed = 1, .step = step + 1, .learning_rate = 1e-2}, figures);
      ASSERT_TRUE(done.ok()) << done.error().message;
    }
    for (const NamedTensor& tensor : (*executor)->tensors()) {
      bytes[tensor.name] = std::string(static_cast<const char*>(tensor.data),
                                       static_cast<std::size_t>(tensor.bytes()));
    }
    if (memory) *memory = (*executor)->memory();
  });
  return bytes;
}

TEST(Branches, GiveTheSameBitsWithAndWithoutReuseAndOnAnyNumberOfThreads) {
  for (const bool fuse : {true, false}) {
    const auto program = testing::program_of(branches());
    ASSERT_TRUE(program);
    Executor::Memory with, without;
    const auto plain = train(*program, {.fuse = fuse, .reuse = false}, 1, &without);
    ASSERT_FALSE(plain.empty());
    EXPECT_EQ(train(*program, {.fuse = fuse}, 1, &with), plain);
    EXPECT_LT(with.activations, without.activations * 3 / 4);
    for (const int threads : {2, 3, 4, 8}) {
      EXPECT_EQ(train(*program, {.fuse = fuse}, threads), plain) << threads << " threads";
    }
  }
}

TEST(Prediction, KeepsOnlyWhatIsStillToBeRead) {
  std::string flow;
  for (int i = 0; i < 50; ++i) flow += " -> Dense(200) -> ReLU";
  const auto program =
      testing::program_of("format 1\nmodel m(x: [200]) -> y { x" + flow + " -> Dense(2) as y }\n");
  ASSERT_TRUE(program);
  auto executor = Executor::create(*program, 100, false);
  ASSERT_TRUE(executor.ok());
  // Two values at a time and the scratch of a layer, not fifty.
  EXPECT_LT((*executor)->memory().activations, 8 * 100 * 200 * 4);
}

TEST(Step, AllocatesNothingOnceItIsWarm) {
  for (const std::string& text : {testing::spirals_text(), branches()}) {
    const auto program = testing::program_of(text);
    ASSERT_TRUE(program);
    ThreadPool pool(2);
    pool.run([&] {
      auto executor = Executor::create(*program, 60, true);
      auto pipeline = InputPipeline::open(program->data, program->train.precision, 1);
      ASSERT_TRUE(executor.ok() && pipeline.ok());
      ASSERT_TRUE((*executor)->initialize(3).ok());
      Figures figures = (*executor)->make_figures();
      const auto order = (*pipeline)->training_order(0, 1, true);
      std::int64_t before = 0;
      for (std::int64_t step = 0; step < 20; ++step) {
        if (step == 2) before = process_allocation_count();
        auto view = (*pipeline)->read(0, order.data() + step % 8 * 37, 37, true, 1);
        ASSERT_TRUE(view.ok());
        ASSERT_TRUE(
            (*executor)
                ->train_step(*view, {.seed = 1, .step = step + 1, .learning_rate = 1e-2}, figures)
                .ok());
      }
      EXPECT_EQ(process_allocation_count(), before);
    });
  }
}

}  // namespace
}  // namespace strata
