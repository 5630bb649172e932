// Files of tensors: what is written reads back, and no damaged file is taken for a sound one.
#include "framework/train/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "framework/train/checkpoint.h"
#include "tests/support/programs.h"

namespace strata {
namespace {

struct Tensors {
  std::vector<float> weight = std::vector<float>(12);
  std::vector<double> mean = {0.1, -2.5e300, 3};
  std::vector<NamedTensor> all;
  Tensors() {
    std::iota(weight.begin(), weight.end(), -3.25f);
    all = {{"dense1.weight", Shape{3, 4}, Precision::kF32, TensorRole::kParameter, weight.data()},
           {"norm.running_mean", Shape{3}, Precision::kF64, TensorRole::kState, mean.data()}};
  }
};

std::string written(const testing::TemporaryFolder& folder) {
  const Tensors tensors;
  const std::string path = folder / "w.safetensors";
  EXPECT_TRUE(write_safetensors(path, tensors.all, {{"strata.note", "gr\xc3\xbc\xc3\x9f"}}).ok());
  return path;
}

TEST(Safetensors, ReadsBackWhatWasWritten) {
  const testing::TemporaryFolder folder;
  const auto file = read_safetensors(written(folder));
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(file->metadata.at("strata.note"), "gr\xc3\xbc\xc3\x9f");
  Tensors other;
  const std::string hash = hash_tensors(other.all);
  std::fill(other.weight.begin(), other.weight.end(), 0.f);
  std::fill(other.mean.begin(), other.mean.end(), 0.0);
  EXPECT_NE(hash_tensors(other.all), hash);
  ASSERT_TRUE(load_tensors(*file, "w", other.all, false).ok());
  EXPECT_EQ(hash_tensors(other.all), hash);
}

TEST(Safetensors, LayoutIsTheFormatsOwn) {
  const testing::TemporaryFolder folder;
  const std::string bytes = testing::read_text(written(folder));
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  EXPECT_EQ(header % 8, 0u);
  EXPECT_EQ(bytes.size(), 8 + header + 12 * 4 + 3 * 8);
  EXPECT_EQ(bytes[8], '{');
  EXPECT_NE(bytes.find(R"("dense1.weight":{"dtype":"F32","shape":[3,4],"data_offsets":[0,48]})"),
            std::string::npos);
}

TEST(Safetensors, EveryCutIsNoticed) {
  const testing::TemporaryFolder folder;
  const std::string path = written(folder);
  const std::string bytes = testing::read_text(path);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    testing::write_text(path, bytes.substr(0, size));
    const auto file = read_safetensors(path);
    ASSERT_FALSE(file.ok()) << size << " of " << bytes.size() << " bytes";
    EXPECT_EQ(file.error().code, ExitCode::kData);
    EXPECT_NE(file.error().message.find(path), std::string::npos);
  }
}

TEST(Safetensors, EveryFlippedBitOfTheDataIsNoticed) {
  const testing::TemporaryFolder folder;
  const std::string path = written(folder);
  const std::string bytes = testing::read_text(path);
  for (std::size_t at = bytes.size() - 72; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    testing::write_text(path, damaged);
    const auto file = read_safetensors(path);
    ASSERT_FALSE(file.ok()) << at;
    EXPECT_NE(file.error().message.find("checksum"), std::string::npos) << file.error().message;
  }
}

TEST(Safetensors, EveryFlippedBitOfTheHeaderIsNoticed) {
  const testing::TemporaryFolder folder;
  const std::string path = written(folder);
  const std::string bytes = testing::read_text(path);
  std::size_t end = bytes.size() - 72;  // of the header; spaces pad it
  while (bytes[end - 1] == ' ') --end;
  for (std::size_t at = 0; at < end; ++at) {
    for (const int bit : {0, 3, 5, 7}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      testing::write_text(path, damaged);
      EXPECT_FALSE(read_safetensors(path).ok()) << "byte " << at << ", bit " << bit;
    }
  }
}

TEST(Safetensors, SaysWhatDoesNotFit) {
  const testing::TemporaryFolder folder;
  const auto file = read_safetensors(written(folder));
  ASSERT_TRUE(file.ok());
  Tensors other;
  other.all[0].shape = Shape{4, 3};
  other.all[1].name = "norm.running_var";
  const Status loaded = load_tensors(*file, "w.safetensors", other.all, false);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().message,
            "`w.safetensors` does not fit the model: it has no `norm.running_var`; `dense1.weight` "
            "is F32 [3, 4], not [4, 3]");
}

TEST(Safetensors, SaysWhatIsLeftOver) {
  const testing::TemporaryFolder folder;
  const auto file = read_safetensors(written(folder));
  ASSERT_TRUE(file.ok());
  Tensors other;
  other.all.pop_back();
  const Status loaded = load_tensors(*file, "w.safetensors", other.all, true);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().message,
            "`w.safetensors` does not fit the model, which has no `norm.running_mean`");
}

TEST(Safetensors, AFolderThatIsNotThereIsNamed) {
  const Tensors tensors;
  const Status done = write_safetensors("/no/such/folder/w.safetensors", tensors.all, {});
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().message,
            "cannot write `/no/such/folder/w.safetensors`: No such file or directory");
}

Progress progress_at(std::int64_t step) {
  Progress progress;
  progress.step = step;
  progress.epoch = 3;
  progress.figures = {7, {0.1 + 0.2}, {{1, 2}, {}}};
  progress.best = EpochReport{
      2, step - 1, {{"val.loss", 1.0 / 3}, {"val.odd", std::nan("")}}, 1e-3, 1, 2, true};
  return progress;
}

TEST(Checkpoint, ReadsBackEverything) {
  const testing::TemporaryFolder folder;
  const Tensors tensors;
  ASSERT_TRUE(
      write_checkpoint(folder.path(), progress_at(12), tensors.all, "format 1\n", false).ok());
  const auto path = find_checkpoint(folder.path());
  ASSERT_TRUE(path.ok());
  Tensors other;
  std::fill(other.weight.begin(), other.weight.end(), 0.f);
  const auto checkpoint = read_checkpoint(*path, other.all);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.error().message;
  EXPECT_EQ(checkpoint->model_text, "format 1\n");
  EXPECT_EQ(checkpoint->progress.step, 12);
  EXPECT_EQ(checkpoint->progress.figures.loss_sums, std::vector<double>{0.1 + 0.2});
  EXPECT_EQ(checkpoint->progress.figures.accumulators,
            (std::vector<std::vector<double>>{{1, 2}, {}}));
  ASSERT_TRUE(checkpoint->progress.best);
  EXPECT_EQ(checkpoint->progress.best->figures[0].second, 1.0 / 3);
  EXPECT_TRUE(std::isnan(checkpoint->progress.best->figures[1].second));
  EXPECT_EQ(hash_tensors(other.all), hash_tensors(tensors.all));
}

TEST(Checkpoint, RefusesImpossibleCounters) {
  const testing::TemporaryFolder folder;
  const Tensors tensors;
  for (int which = 0; which < 4; ++which) {
    Progress progress = progress_at(12);
    if (which == 0) progress.step = -5;
    if (which == 1) progress.epoch_step = -3;
    if (which == 2) progress.epoch = 0;
    if (which == 3) progress.figures.samples = -1;
    ASSERT_TRUE(write_checkpoint(folder.path(), progress, tensors.all, "", true).ok());
    const auto checkpoint = read_checkpoint(folder / "best.safetensors", tensors.all);
    ASSERT_FALSE(checkpoint.ok()) << which;
    EXPECT_NE(checkpoint.error().message.find("is damaged: it says"), std::string::npos);
  }
}

TEST(Checkpoint, KeepsTheLastTwoAndUsesTheNewestSoundOne) {
  const testing::TemporaryFolder folder;
  const Tensors tensors;
  for (const std::int64_t step : {5, 900, 1000}) {
    ASSERT_TRUE(
        write_checkpoint(folder.path(), progress_at(step), tensors.all, "", step == 5).ok());
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "step-00000005.safetensors"));
  EXPECT_TRUE(std::filesystem::exists(folder / "best.safetensors"));
  EXPECT_EQ(*find_checkpoint(folder.path()), folder / "step-00001000.safetensors");
  testing::write_text(folder / "step-00001000.safetensors", "cut");
  EXPECT_EQ(*find_checkpoint(folder.path()), folder / "step-00000900.safetensors");
  testing::write_text(folder / "step-00000900.safetensors", "cut too");
  EXPECT_FALSE(find_checkpoint(folder.path()).ok());
}

}  // namespace
}  // namespace strata
