// trainer batch: memory and speed by batch size.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "framework/runtime/memory_limit.h"
#include "tests/app/run_trainer.h"

namespace strata::testing {
namespace {

using Json = nlohmann::json;

TEST(MemoryLimit, KnowsWhatIsFree) {
  const MemoryLimit limit = available_memory();
  EXPECT_GT(limit.bytes, 1'000'000);
  EXPECT_LT(limit.bytes, std::int64_t{1} << 50);
  EXPECT_FALSE(limit.source.empty());
  EXPECT_GT(resident_memory(), 1'000'000);
}

TEST(Batch, PredictsWhatItSees) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers have memory of their own, much more than what is predicted";
#endif
  const Ran ran = run_trainer({"batch", "models/spirals.model", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Json json = Json::parse(ran.out);
  const Json& batches = json["batches"];
  ASSERT_GT(batches.size(), 5u);
  EXPECT_EQ(batches[1]["batch_size"], 2);
  // BatchNorm cannot train on one sample, and larger batches are tried all the same.
  EXPECT_FALSE(batches[0]["failure"].get<std::string>().empty());
  for (std::size_t i = 1; i < batches.size(); ++i) {
    EXPECT_GT(batches[i]["samples_per_second"], 0) << batches[i];
    // Code that a child never runs counts in the prediction.
    const double over =
        batches[i]["predicted_bytes"].get<double>() - batches[i]["peak_bytes"].get<double>();
    EXPECT_GT(over, -4e6) << batches[i];
    EXPECT_LT(over, 16e6) << batches[i];
  }
  EXPECT_EQ(json["largest"], batches.back()["batch_size"]);
  EXPECT_FALSE(exists("runs"));
}

TEST(Batch, TriesNothingThatDoesNotFit) {
  const Ran ran = run_trainer({"batch", "models/spirals.model", "--memory", "1M"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("does not fit"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("no batch size ran"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("1.0 MB are free (--memory), of which 10 % are left alone"),
            std::string::npos)
      << ran.out;
}

TEST(Batch, SaysWhatIsWrong) {
  for (const char* size : {"much", "8X", "-1G", "G"}) {
    const Ran ran = run_trainer({"batch", "models/spirals.model", "--memory", size});
    EXPECT_EQ(ran.code, 2);
    EXPECT_NE(
        ran.err.find("`--memory` is a size such as 512M or 8G, not `" + std::string(size) + "`"),
        std::string::npos)
        << ran.err;
  }
  EXPECT_EQ(run_trainer({"batch"}).code, 2);
  EXPECT_EQ(run_trainer({"batch", "models/spirals.model", "--most", "0"}).code, 2);
}

}  // namespace
}  // namespace strata::testing
