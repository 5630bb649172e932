// ImageFolder: which pictures it finds, what it makes of their formats, and what it says of damaged
// ones.
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/plugins/plugin_test.h"
#include "tests/support/pictures.h"

namespace strata::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

// 1 x 1 pixels, in hexadecimal: 16 bits of grey, 0x8000, and a palette of one colour, (1, 2, 3).
constexpr const char* kSixteenBits =
    "89504e470d0a1a0a0000000d49484452000000010000000110000000006aee47160000000b49444154789c63"
    "68600000010300813e4cc5930000000049454e44ae426082";
constexpr const char* kPalette =
    "89504e470d0a1a0a0000000d494844520000000100000001080300000028cb34bb00000003504c5445010203"
    "0d8764d50000000a49444154789c636000000002000148afa4710000000049454e44ae426082";

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}
void write_file(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

class ImageFolder : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "strata-pictures-XXXXXX").string();
    root_ = mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(root_); }

  std::string at(const std::string& name) const { return (root_ / name).string(); }
  // cats are red, dogs are blue, four of each.
  void two_classes(const std::string& folder = "") {
    for (int i = 0; i < 4; ++i) {
      write_rgb(at(folder + "cat/" + std::to_string(i) + ".png"), 4, 3, 200, 0, 0);
      write_rgb(at(folder + "dog/" + std::to_string(i) + ".png"), 4, 3, 0, 0, 100);
    }
  }
  InstancePtr folder(Json options = Json::object()) const {
    options["path"] = root_.string();
    return create(STRATA_DATASET, "ImageFolder", options);
  }
  std::string complaint(const Json& options = Json::object()) const {
    const auto opened = open_dataset(*folder(options), {});
    if (opened) return "opened";
    EXPECT_EQ(opened.error().code, ExitCode::kData);
    std::string message = opened.error().message;  // without the folder's name
    for (std::size_t i; (i = message.find(root_.string() + "/")) != std::string::npos;)
      message.erase(i, root_.string().size() + 1);
    for (std::size_t i; (i = message.find(root_.string())) != std::string::npos;)
      message.replace(i, root_.string().size(), "ROOT");
    return message;
  }
  // All of a split: pixels one sample after the other, and labels.
  struct Content {
    std::vector<std::uint8_t> pixels;
    std::vector<std::int32_t> labels;
    Status status;
  };
  static Content content(const InstancePtr& dataset, int split = 0) {
    const auto opened = open_dataset(*dataset, {});
    if (!opened) return {{}, {}, opened.error()};
    const auto samples =
        static_cast<std::size_t>(opened->splits[static_cast<std::size_t>(split)].samples);
    Content all;
    all.pixels.resize(samples * static_cast<std::size_t>(opened->fields[0].shape.elements()));
    all.labels.resize(samples);
    std::vector<std::int64_t> indices(samples);
    for (std::size_t i = 0; i < samples; ++i) indices[i] = static_cast<std::int64_t>(i);
    void* fields[] = {all.pixels.data(), all.labels.data()};
    all.status = call_plugin(dataset->functions<strata_dataset>().read, dataset->raw(),
                             std::int64_t{split}, indices.data(),
                             static_cast<std::int64_t>(samples), std::int32_t{STRATA_F32}, fields);
    return all;
  }
  // What becomes of one picture, the first one of class `a`.
  std::vector<std::uint8_t> pixels_of_first(Json options = Json::object()) {
    options["val"] = 0;
    const Content all = content(folder(options));
    EXPECT_TRUE(all.status.ok()) << all.status.error().message;
    return {all.pixels.begin(), all.pixels.begin() + static_cast<std::ptrdiff_t>(
                                                         all.pixels.size() / all.labels.size())};
  }

  fs::path root_;
};

TEST_F(ImageFolder, ClassesAreFoldersInAlphabeticalOrder) {
  two_classes();
  const auto opened = open_dataset(*folder({{"val", 0.25}}), {});
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->fields[0].name, "image");
  EXPECT_EQ(opened->fields[0].dtype, STRATA_U8);
  EXPECT_EQ(opened->fields[0].shape, (Shape{3, 3, 4}));
  EXPECT_EQ(opened->fields[1].name, "label");
  EXPECT_EQ(opened->fields[1].class_names, (std::vector<std::string>{"cat", "dog"}));
  ASSERT_EQ(opened->splits.size(), 2u);
  EXPECT_EQ(opened->splits[0].samples, 6);
  EXPECT_EQ(opened->splits[1].name, "val");
  EXPECT_EQ(opened->splits[1].samples, 2);
}

TEST_F(ImageFolder, PixelsAreChannelsOfRows) {
  two_classes();
  for (const int memory : {1024, 0}) {  // kept, and decoded as they are read
    const Content all = content(folder({{"val", 0}, {"memory", memory}}));
    ASSERT_TRUE(all.status.ok());
    EXPECT_EQ(all.labels, (std::vector<std::int32_t>{0, 0, 0, 0, 1, 1, 1, 1}));
    for (std::size_t i = 0; i < 12; ++i) {
      EXPECT_EQ(all.pixels[i], 200);  // red of the first cat
      EXPECT_EQ(all.pixels[12 + i], 0);
      EXPECT_EQ(all.pixels[4 * 36 + 24 + i], 100);  // blue of the first dog
    }
  }
}

TEST_F(ImageFolder, TheSplitDependsOnTheSeedAlone) {
  for (int i = 0; i < 40; ++i) {
    const auto shade = static_cast<std::uint8_t>(i);
    write_rgb(at((i % 2 ? "a/" : "b/") + std::to_string(i) + ".png"), 1, 1, shade, 0, 0);
  }
  const auto chosen = [&](int seed) { return content(folder({{"seed", seed}}), 1).pixels; };
  EXPECT_EQ(chosen(1), chosen(1));
  EXPECT_NE(chosen(1), chosen(2));
  EXPECT_EQ(chosen(1).size(), 8u * 3);
}

TEST_F(ImageFolder, FoldersMayBeSplits) {
  two_classes("train/");
  write_rgb(at("validation/dog/x.png"), 4, 3, 1, 2, 3);
  write_rgb(at("test/cat/y.png"), 4, 3, 1, 2, 3);
  write_rgb(at("test/dog/y.png"), 4, 3, 1, 2, 3);
  const auto opened = open_dataset(*folder(), {});
  ASSERT_TRUE(opened.ok());
  ASSERT_EQ(opened->splits.size(), 3u);
  EXPECT_EQ(opened->splits[0].samples, 8);
  EXPECT_EQ(opened->splits[1].name, "val");
  EXPECT_EQ(opened->splits[1].samples, 1);
  EXPECT_EQ(opened->splits[2].name, "test");
  EXPECT_EQ(content(folder(), 1).labels, std::vector<std::int32_t>{1});
  fs::remove_all(at("validation"));
  const auto without = open_dataset(*folder(), {});
  ASSERT_TRUE(without.ok());
  ASSERT_EQ(without->splits.size(), 2u);
  EXPECT_EQ(without->splits[1].name, "val");
  EXPECT_EQ(without->splits[1].samples, 2);
}

TEST_F(ImageFolder, ATrainAmongOtherVehiclesIsAClass) {
  for (const char* name : {"train", "plane", "car"})
    write_rgb(at(std::string(name) + "/1.png"), 2, 2, 0, 0, 0);
  const auto described = describe_dataset(*folder());
  ASSERT_TRUE(described.ok());
  EXPECT_EQ(described->fields[1].class_names, (std::vector<std::string>{"car", "plane", "train"}));
}

TEST_F(ImageFolder, LooksBelowAndAlongLinksAndPastHiddenFiles) {
  two_classes();
  write_rgb(at("cat/more/deeper/5.PNG"), 4, 3, 0, 0, 0);
  write_rgb(at(".elsewhere/6.png"), 4, 3, 0, 0, 0);
  fs::create_directory_symlink(at(".elsewhere"), at("cat/linked"));
  write_file(at("cat/.hidden.png"), "no picture");
  write_file(at("cat/notes.txt"), "no picture either");
  const auto opened = open_dataset(*folder({{"val", 0}}), {});
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ(opened->splits[0].samples, 10);
}

TEST_F(ImageFolder, SizesAreMadeAlike) {
  two_classes();
  const std::uint8_t columns[] = {0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255};
  write_png(at("a/1.png"), 4, 1, PNG_FORMAT_RGB, columns);
  EXPECT_EQ(complaint(), "cat/0.png has 4 × 3 pixels, and a/1.png has 4 × 1");
  // Half as wide: each output is a triangle over four inputs, 1 3 3 1, cut off at the edges.
  const auto half = pixels_of_first({{"size", {1, 2}}});
  EXPECT_EQ(half, (std::vector<std::uint8_t>{36, 219, 36, 219, 36, 219}));
  const auto cropped = pixels_of_first({{"size", 1}, {"fit", "crop"}});
  EXPECT_EQ(cropped, (std::vector<std::uint8_t>{0, 0, 0}));
  const auto larger = pixels_of_first({{"size", {2, 8}}});
  ASSERT_EQ(larger.size(), 3u * 2 * 8);
  EXPECT_EQ(std::vector<std::uint8_t>(larger.begin(), larger.begin() + 8),
            (std::vector<std::uint8_t>{0, 0, 0, 64, 191, 255, 255, 255}));
}

TEST_F(ImageFolder, GrayIsBrightness) {
  write_rgb(at("a/1.png"), 1, 1, 200, 100, 50);
  write_rgb(at("b/1.png"), 1, 1, 0, 0, 0);
  EXPECT_EQ(pixels_of_first({{"color", "gray"}}), std::vector<std::uint8_t>{124});
  write_rgb(at("a/1.png"), 1, 1, 77, 77, 77);
  EXPECT_EQ(pixels_of_first({{"color", "gray"}}), std::vector<std::uint8_t>{77});
}

TEST_F(ImageFolder, PngsOfAllKindsBecomeRgb) {
  write_rgb(at("b/1.png"), 1, 1, 0, 0, 0);
  const std::uint8_t gray[] = {90};
  write_png(at("a/1.png"), 1, 1, PNG_FORMAT_GRAY, gray);
  EXPECT_EQ(pixels_of_first(), (std::vector<std::uint8_t>{90, 90, 90}));
  const std::uint8_t clear[] = {10, 20, 30, 0};  // what is under full transparency counts
  write_png(at("a/1.png"), 1, 1, PNG_FORMAT_RGBA, clear);
  EXPECT_EQ(pixels_of_first(), (std::vector<std::uint8_t>{10, 20, 30}));
}

TEST_F(ImageFolder, SixteenBitsAndPalettesAreRead) {
  write_rgb(at("b/1.png"), 1, 1, 0, 0, 0);
  const auto unhex = [](const std::string& hex) {
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2)
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return bytes;
  };
  write_file(at("a/1.png"), unhex(kSixteenBits));
  EXPECT_EQ(pixels_of_first(), (std::vector<std::uint8_t>{128, 128, 128}));
  write_file(at("a/1.png"), unhex(kPalette));
  EXPECT_EQ(pixels_of_first(), (std::vector<std::uint8_t>{1, 2, 3}));
}

TEST_F(ImageFolder, JpegsOfAllKindsBecomeRgb) {
  write_jpeg(at("b/1.jpg"), 8, {0, 0, 0}, JCS_RGB);
  write_jpeg(at("a/1.jpeg"), 8, {200, 100, 50}, JCS_RGB);
  const auto rgb = pixels_of_first();
  EXPECT_NEAR(rgb[0], 200, 2);
  EXPECT_NEAR(rgb[64], 100, 2);
  EXPECT_NEAR(rgb[128], 50, 2);
  write_jpeg(at("a/1.jpeg"), 8, {90}, JCS_GRAYSCALE);
  EXPECT_EQ(pixels_of_first()[100], 90);
  // Adobe's CMYK says how much light passes: 255 is none of an ink.
  write_jpeg(at("a/1.jpeg"), 8, {255, 128, 0, 255}, JCS_CMYK);
  const auto cmyk = pixels_of_first();
  EXPECT_NEAR(cmyk[0], 255, 2);
  EXPECT_NEAR(cmyk[64], 128, 2);
  EXPECT_NEAR(cmyk[128], 0, 2);
}

TEST_F(ImageFolder, AFileIsWhatItsContentSays) {
  write_jpeg(at("a/1.png"), 8, {90, 90, 90}, JCS_RGB);
  write_rgb(at("b/1.jpg"), 8, 8, 0, 0, 0);
  EXPECT_EQ(complaint(), "opened");
}

TEST_F(ImageFolder, DamagedFilesAreNamed) {
  two_classes();
  const std::string good = read_file(at("dog/3.png"));
  write_file(at("dog/3.png"), good.substr(0, good.size() - 20));
  EXPECT_THAT(complaint(), StartsWith("dog/3.png is damaged: "));
  std::string changed = good;
  changed[good.find("IDAT") + 6] ^= 1;
  write_file(at("dog/3.png"), changed);
  EXPECT_THAT(complaint(), StartsWith("dog/3.png is damaged: "));
  write_file(at("dog/3.png"), good.substr(0, 20));
  EXPECT_THAT(complaint(), StartsWith("dog/3.png is damaged: "));
  write_file(at("dog/3.png"), "");
  EXPECT_EQ(complaint(), "dog/3.png is empty");
  write_file(at("dog/3.png"), "GIF89a, or whatever it is");
  EXPECT_EQ(complaint(), "dog/3.png is neither a PNG nor a JPEG file");
}

TEST_F(ImageFolder, DamagedJpegsAreNamed) {
  write_jpeg(at("a/1.jpg"), 64, {200, 100, 50}, JCS_RGB);
  write_jpeg(at("b/1.jpg"), 64, {0, 0, 0}, JCS_RGB);
  const std::string good = read_file(at("a/1.jpg"));
  EXPECT_EQ(complaint(), "opened");
  write_file(at("a/1.jpg"), good.substr(0, good.size() - 30));
  EXPECT_EQ(complaint(), "a/1.jpg is damaged: premature end of JPEG file");
  write_file(at("a/1.jpg"), good.substr(0, 300));
  EXPECT_THAT(complaint(), StartsWith("a/1.jpg is damaged: "));
  std::string changed = good;
  for (std::size_t i = good.size() - 40; i < good.size() - 2; ++i) changed[i] = '\x55';
  changed[good.size() - 20] = '\xff';
  changed[good.size() - 19] = '\xd8';
  write_file(at("a/1.jpg"), changed);
  EXPECT_THAT(complaint(), StartsWith("a/1.jpg is damaged: "));
}

// No byte of a file can do worse than a message, or other pixels.
TEST_F(ImageFolder, AnyByteMayBeWrong) {
  write_jpeg(at("a/1.jpg"), 16, {200, 100, 50}, JCS_RGB);
  write_rgb(at("b/1.png"), 16, 16, 9, 8, 7);
  for (const char* name : {"a/1.jpg", "b/1.png"}) {
    const std::string good = read_file(at(name));
    for (std::size_t i = 0; i < good.size(); ++i) {
      std::string changed = good;
      changed[i] = static_cast<char>(changed[i] ^ (1 << i % 8));
      write_file(at(name), changed);
      const auto opened = open_dataset(*folder({{"size", 4}}), {});
      EXPECT_TRUE(opened.ok() || opened.error().code == ExitCode::kData);
    }
    write_file(at(name), good);
  }
}

TEST_F(ImageFolder, HugeImagesAreRefusedBeforeTheyAreDecoded) {
  two_classes();
  std::string bytes = read_file(at("cat/0.png"));
  const auto checksum = [](const std::string& chunk) {
    std::uint32_t crc = ~0u;
    for (const char c : chunk) {
      crc ^= static_cast<unsigned char>(c);
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0u);
    }
    return ~crc;
  };
  const auto put = [&](std::size_t i, std::uint32_t word) {
    for (std::size_t k = 0; k < 4; ++k) bytes[i + k] = static_cast<char>(word >> (24 - 8 * k));
  };
  put(16, 100'000);
  put(20, 100'000);
  put(29, checksum(bytes.substr(12, 17)));
  write_file(at("cat/0.png"), bytes);
  EXPECT_EQ(complaint(), "cat/0.png has 100000 × 100000 pixels, and the most is 100000000");
}

TEST_F(ImageFolder, FoldersThatAreNoDataSetAreRefused) {
  EXPECT_EQ(complaint(),
            "ROOT has no folders, and a class needs a folder of its own, at least two of them");
  write_rgb(at("1.png"), 1, 1, 0, 0, 0);
  EXPECT_EQ(complaint(), "1.png lies beside the folders of classes");
  fs::remove(at("1.png"));
  write_rgb(at("a/1.png"), 1, 1, 0, 0, 0);
  EXPECT_EQ(complaint(),
            "ROOT has one folder, a, and a class needs a folder of its own, at least two of them");
  fs::create_directory(at("b"));
  EXPECT_EQ(complaint(), "b holds no PNG or JPEG files");
  write_file(at("b/1.webp"), "RIFF");
  EXPECT_EQ(complaint(), "b/1.webp is an image, but neither PNG nor JPEG");
  fs::remove_all(root_);
  EXPECT_EQ(complaint(), "ROOT cannot be read: No such file or directory");
  write_file(root_, "");
  EXPECT_EQ(complaint(), "ROOT is a file, not a folder");
}

TEST_F(ImageFolder, ClassesOfOtherSplitsAreThoseOfTrain) {
  two_classes("train/");
  write_rgb(at("val/bird/1.png"), 4, 3, 0, 0, 0);
  EXPECT_EQ(complaint(), "val has a class that is not in train: bird");
  fs::create_directories(at("valid/cat"));
  EXPECT_EQ(complaint(), "ROOT has both val and valid, and only one split to validate on");
}

TEST_F(ImageFolder, LoopsOfLinksAndPipesEnd) {
  two_classes();
  fs::create_directory_symlink(at("cat"), at("cat/again"));
  EXPECT_EQ(complaint(), "cat/again is a symbolic link to a folder that it lies in");
  fs::remove(at("cat/again"));
  ASSERT_EQ(mkfifo(at("cat/pipe.png").c_str(), 0600), 0);
  EXPECT_EQ(complaint(), "cat/pipe.png is not a regular file");
}

TEST_F(ImageFolder, OptionsAreChecked) {
  const auto instance =
      try_create(STRATA_DATASET, "ImageFolder", {{"path", root_.string()}, {"size", {1, 2, 3}}});
  ASSERT_FALSE(instance.ok());
  EXPECT_EQ(instance.error().message,
            "`size` is one number, or [height, width], and it has 3 numbers");
}

}  // namespace
}  // namespace strata::test
