// Batches that are read ahead are those that are read when they are asked for: the same bits, the
// same errors, on any number of threads.
#include "framework/runtime/input_pipeline.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <thread>

#include "framework/plugin/dataset.h"
#include "framework/tensor/parallel.h"
#include "tests/support/programs.h"

namespace strata {
namespace {

// Large enough that batches are worth reading ahead.
constexpr std::int64_t kPixels = 60 * 50;
std::atomic<std::int64_t> bad_sample{-1}, other_bad_sample{-1};  // reading them fails
std::atomic<int> reads{0};
std::atomic<int> milliseconds{0};  // that a read takes at least

class Counted final : public Dataset {
 public:
  struct Options {};
  static void describe(Schema<Options>& schema) {
    schema.doc("Images whose pixels count.").example("CountedImages()");
  }
  explicit Counted(const Options&) {}
  DataPlan describe() const {
    return DataPlan()
        .field({"image", STRATA_REAL, {60, 50}})
        .field({"label", STRATA_I32, {}, 3})
        .split("train", 1000)
        .split("val", 100);
  }
  DataPlan open(const std::vector<std::string>&) { return describe(); }
  void read(const ReadPass& pass) const {
    ++reads;
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    for (std::int64_t i = 0; i < pass.count; ++i) {
      const std::int64_t sample = pass.indices[i];
      if (sample == bad_sample || sample == other_bad_sample)
        throw data_error("sample " + std::to_string(sample) + " is bad");
      float* image = static_cast<float*>(pass.fields[0]) + i * kPixels;
      for (std::int64_t p = 0; p < kPixels; ++p)
        image[p] = static_cast<float>(sample * 100 + p + pass.split);
      static_cast<std::int32_t*>(pass.fields[1])[i] = static_cast<std::int32_t>(sample % 3);
    }
  }
};
const DatasetRegistration<Counted> kRegistration{"CountedImages"};

class ReadAhead : public ::testing::Test {
 protected:
  ReadAhead()
      : program_(testing::program_of(R"(format 1
model m(image: [60, 50]) -> logits { image -> Flatten -> Dense(3) as logits }
data images = CountedImages() -> RandomFlip(vertical = true) -> Normalize(mean = 3, std = 7)
train { loss = CrossEntropy(logits, label)  optimizer = Adam(lr = 1e-3) }
)")) {
    bad_sample = other_bad_sample = -1;
    reads = 0;
    milliseconds = 0;
  }

  std::unique_ptr<InputPipeline> open() {
    auto pipeline = InputPipeline::open(program_->data, Precision::kF32, 11);
    EXPECT_TRUE(pipeline.ok());
    return std::move(*pipeline);
  }

  static std::string bytes_of(const BatchView& batch) {
    const auto size = static_cast<std::size_t>(batch.size);
    return std::string(static_cast<const char*>(batch.fields[0]), size * kPixels * 4) +
           std::string(static_cast<const char*>(batch.fields[1]), size * 4);
  }

  std::optional<Program> program_;
};

TEST_F(ReadAhead, GivesTheSameBitsOnAnyNumberOfThreads) {
  ASSERT_TRUE(program_);
  const BatchPlan plan{1000, 300, LastBatch::kKeep};
  for (const int threads : {1, 2, 4, 8}) {
    const auto plain = open(), ahead = open();
    ThreadPool(threads).run([&] {
      for (const std::int64_t epoch : {1, 2}) {
        const auto order = plain->training_order(0, epoch, true);
        for (std::int64_t b = 0; b < plan.batches(); ++b) {
          const auto* indices = order.data() + plan.begin(b);
          const auto expected = plain->read(0, indices, plan.size(b), true, epoch);
          const auto batch = ahead->read(0, indices, plan.size(b), true, epoch);
          ASSERT_TRUE(expected.ok() && batch.ok());
          if (b + 1 < plan.batches()) {
            ahead->read_ahead(0, order.data() + plan.begin(b + 1), plan.size(b + 1), true, epoch);
          }
          // While the next one is read, this one stays.
          ASSERT_EQ(bytes_of(*batch), bytes_of(*expected)) << threads << " threads, batch " << b;
        }
      }
    });
  }
}

TEST_F(ReadAhead, ReadsABatchOnce) {
  ASSERT_TRUE(program_);
  const auto pipeline = open();
  const auto order = pipeline->training_order(0, 1, true);
  ThreadPool(2).run([&] {
    pipeline->read_ahead(0, order.data(), 320, true, 1);
    ASSERT_TRUE(pipeline->read(0, order.data(), 320, true, 1).ok());
  });
  const int once = reads;
  EXPECT_GT(once, 0);
  ThreadPool(2).run([&] { ASSERT_TRUE(pipeline->read(0, order.data(), 320, true, 1).ok()); });
  EXPECT_EQ(reads, 2 * once);
}

TEST_F(ReadAhead, AnotherBatchThanTheOneSaidIsAsGood) {
  ASSERT_TRUE(program_);
  const auto plain = open(), ahead = open();
  const auto order = plain->training_order(0, 1, true);
  struct Asked {
    int split;
    std::int64_t first, count;
    bool training;
    std::int64_t epoch;
  };
  ThreadPool(2).run([&] {
    for (const Asked& asked :
         {Asked{0, 5, 100, true, 1}, Asked{0, 0, 99, true, 1}, Asked{1, 0, 100, true, 1},
          Asked{0, 0, 100, false, 1}, Asked{0, 0, 100, true, 2}, Asked{0, 0, 300, true, 1}}) {
      std::vector<std::uint32_t> indices(order.begin() + asked.first,
                                         order.begin() + asked.first + asked.count);
      for (auto& index : indices) index %= asked.split == 1 ? 100 : 1000;
      ahead->read_ahead(0, order.data(), 100, true, 1);
      const auto batch =
          ahead->read(asked.split, indices.data(), asked.count, asked.training, asked.epoch);
      const auto expected =
          plain->read(asked.split, indices.data(), asked.count, asked.training, asked.epoch);
      ASSERT_TRUE(batch.ok() && expected.ok());
      EXPECT_EQ(bytes_of(*batch), bytes_of(*expected));
    }
  });
}

TEST_F(ReadAhead, TheCallersIndicesMayGo) {
  ASSERT_TRUE(program_);
  const auto pipeline = open();
  std::vector<std::uint32_t> order(200);
  std::iota(order.begin(), order.end(), 0u);
  ThreadPool(1).run([&] {
    {
      const auto copy = std::make_unique<std::vector<std::uint32_t>>(order);
      pipeline->read_ahead(0, copy->data(), 200, false, 1);
      std::fill(copy->begin(), copy->end(), 4'000'000'000u);
    }
    const auto batch = pipeline->read(0, order.data(), 200, false, 1);
    ASSERT_TRUE(batch.ok());
    EXPECT_FLOAT_EQ(static_cast<const float*>(batch->fields[0])[199 * kPixels],
                    (199 * 100 - 3) / 7.0f);
  });
}

TEST_F(ReadAhead, AnErrorComesWithItsOwnBatchAndOnce) {
  ASSERT_TRUE(program_);
  bad_sample = 450;
  std::vector<std::uint32_t> order(1000);
  std::iota(order.begin(), order.end(), 0u);
  for (const int threads : {1, 4}) {
    const auto pipeline = open();
    ThreadPool(threads).run([&] {
      for (std::int64_t b = 0; b < 4; ++b) {
        const auto batch = pipeline->read(0, order.data() + b * 200, 200, true, 1);
        if (b < 3) pipeline->read_ahead(0, order.data() + (b + 1) * 200, 200, true, 1);
        ASSERT_EQ(batch.ok(), b != 2) << b;
        if (!batch) {
          EXPECT_EQ(batch.error().code, ExitCode::kData);
          EXPECT_EQ(batch.error().message, "sample 450 is bad");
        }
      }
    });
  }
}

TEST_F(ReadAhead, OfSeveralErrorsTheFirstInOrderOfSamplesCounts) {
  ASSERT_TRUE(program_);
  bad_sample = 7;
  other_bad_sample = 8;
  std::vector<std::uint32_t> order(320, 1u);
  order[200] = 8;
  order[319] = 7;
  const auto pipeline = open();
  ThreadPool(4).run([&] {
    pipeline->read_ahead(0, order.data(), 320, true, 1);
    const auto batch = pipeline->read(0, order.data(), 320, true, 1);
    ASSERT_FALSE(batch.ok());
    EXPECT_EQ(batch.error().message, "sample 8 is bad");
  });
}

TEST_F(ReadAhead, EndsCleanlyWithABatchOnItsWay) {
  ASSERT_TRUE(program_);
  for (const int threads : {1, 2, 8}) {
    for (int time = 0; time < 20; ++time) {
      ThreadPool pool(threads);
      auto pipeline = open();
      const auto order = pipeline->training_order(0, 1, true);
      pool.run([&] { pipeline->read_ahead(0, order.data(), 1000, true, 1); });
      if (time % 2 == 0) pool.run([&] { pipeline.reset(); });  // else outside of the pool
    }
  }
}

TEST_F(ReadAhead, SmallBatchesWaitUntilTheyAreAskedFor) {
  ASSERT_TRUE(program_);
  const auto pipeline = open();
  const auto order = pipeline->training_order(0, 1, true);
  ThreadPool(4).run([&] {
    pipeline->read_ahead(0, order.data(), 2, true, 1);
    EXPECT_EQ(reads, 0);
    EXPECT_TRUE(pipeline->read(0, order.data(), 2, true, 1).ok());
    EXPECT_EQ(reads, 1);
  });
}

TEST_F(ReadAhead, IsWorthItForSlowBatchesOfFewParts) {
  ASSERT_TRUE(program_);
  const auto pipeline = open();
  const auto order = pipeline->training_order(0, 1, true);
  milliseconds = 1;
  ThreadPool(2).run([&] {
    EXPECT_FALSE(pipeline->worth_reading_ahead(32)) << "before it is known how long reads take";
    ASSERT_TRUE(pipeline->read(0, order.data(), 32, true, 1).ok());
    EXPECT_TRUE(pipeline->worth_reading_ahead(32));
    EXPECT_FALSE(pipeline->worth_reading_ahead(320)) << "all threads can read it at once";
  });
  ThreadPool(1).run(
      [&] { EXPECT_FALSE(pipeline->worth_reading_ahead(32)) << "nobody could read meanwhile"; });
}

TEST_F(ReadAhead, WorksWithoutAPool) {
  ASSERT_TRUE(program_);
  const auto pipeline = open();
  const auto order = pipeline->training_order(0, 1, true);
  pipeline->read_ahead(0, order.data(), 1000, true, 1);
  EXPECT_TRUE(pipeline->read(0, order.data(), 1000, true, 1).ok());
}

TEST_F(ReadAhead, BuffersStayWhereTheyAre) {
  ASSERT_TRUE(program_);
  const auto pipeline = open();
  const auto order = pipeline->training_order(0, 1, true);
  ThreadPool(2).run([&] {
    const void* places[2] = {};  // they take turns
    for (std::int64_t b = 0; b < 10; ++b) {
      const auto batch = pipeline->read(0, order.data() + b * 100, 100, true, 1);
      ASSERT_TRUE(batch.ok());
      if (b < 9) pipeline->read_ahead(0, order.data() + (b + 1) * 100, 100, true, 1);
      const void*& place = places[b % 2];
      if (b >= 2) {
        EXPECT_EQ(batch->fields[0], place);
      }
      place = batch->fields[0];
    }
    EXPECT_NE(places[0], places[1]);
  });
}

}  // namespace
}  // namespace strata
