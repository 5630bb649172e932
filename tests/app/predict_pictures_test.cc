// Predictions for pictures: what becomes of them, which files a folder gives, and what is said of
// those that cannot be used.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/app/run_trainer.h"
#include "tests/support/pictures.h"

namespace strata::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string at(const std::string& name) { return (fs::path(workspace()) / name).string(); }

// Red pictures and blue ones, 6 × 4.
void make_photos() {
  for (int i = 0; i < 6; ++i) {
    const auto shade = static_cast<std::uint8_t>(100 + 25 * i);
    const std::string name = std::to_string(i) + ".png";
    test::write_rgb(at("photos/red/" + name), 6, 4, shade, 10, 20);
    test::write_rgb(at("photos/sky, blue/" + name), 6, 4, 20, 10, shade);
  }
}

// A run on the photos with these options of ImageFolder.
std::string trained(const std::string& name, const std::string& options) {
  if (exists(name)) return name;
  make_photos();
  write_text(name + ".model", R"(format 1

model colors(image: [)" + std::string(options.find("gray") == options.npos ? "3" : "1") +
                                  R"(, 4, 6]) -> logits {
  image -> Flatten -> Dense(2) as logits
}

data photos = ImageFolder(path = "photos", size = [4, 6])" +
                                  options + R"() -> Rescale(1 / 255)

train {
  loss      = CrossEntropy(logits, label)
  optimizer = Adam(lr = 0.02)
  epochs    = 20
  seed      = 1
}
)");
  const Ran ran = run_trainer({"train", name + ".model", "--run", name});
  EXPECT_EQ(ran.code, 0) << ran.err;
  return name;
}
std::string stretching() { return trained("stretching", ""); }

std::string npy(const std::string& type, const std::string& shape, const std::string& bytes) {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.resize(118, ' ');
  return std::string("\x93NUMPY\x01\0\x76\0", 10) + header + bytes;
}

// What the model gives for pixels that need no decoding.
double probability(const std::string& run, int channels, const std::vector<std::uint8_t>& bytes) {
  write_text("plain.npy", npy("|u1", "1, " + std::to_string(channels) + ", 4, 6",
                              std::string(bytes.begin(), bytes.end())));
  const Ran ran = run_trainer({"predict", run, "plain.npy", "--all", "--format", "json"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  return Json::parse(ran.out)[0]["probabilities"][0];
}
double probability(const std::string& run, const std::string& picture) {
  const Ran ran = run_trainer({"predict", run, picture, "--all", "--format", "json"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  return Json::parse(ran.out)[0]["probabilities"][0];
}

std::vector<std::uint8_t> planes(const std::vector<std::uint8_t>& colors) {
  std::vector<std::uint8_t> bytes;
  for (const std::uint8_t color : colors) bytes.insert(bytes.end(), 24, color);
  return bytes;
}

TEST(PredictPictures, AFileOrAFolder) {
  const std::string run = stretching();
  const Ran one = run_trainer({"predict", run, "photos/red/5.png"});
  ASSERT_EQ(one.code, 0) << one.err;
  EXPECT_EQ(one.err, "");
  EXPECT_EQ(one.out.find("index,file,class,name,probability\n0,photos/red/5.png,0,red,0."), 0u)
      << one.out;
  const Ran all = run_trainer({"predict", run, "photos", "--format", "json"});
  ASSERT_EQ(all.code, 0) << all.err;
  const Json list = Json::parse(all.out);
  ASSERT_EQ(list.size(), 12u);
  for (std::size_t i = 0; i < 12; ++i) {
    const std::string name = i < 6 ? "red" : "sky, blue";
    EXPECT_EQ(list[i]["file"], "photos/" + name + "/" + std::to_string(i % 6) + ".png");
    EXPECT_EQ(list[i]["name"], name);
  }
  // More than a batch of the executor, in the same order on any number of threads.
  for (int i = 0; i < 150; ++i) {
    test::write_rgb(at("many/" + std::to_string(1000 + i) + ".png"), 6, 4,
                    static_cast<std::uint8_t>(i), 0, static_cast<std::uint8_t>(150 - i));
  }
  const Ran many = run_trainer({"predict", run, "many", "--threads", "1"});
  EXPECT_EQ(std::count(many.out.begin(), many.out.end(), '\n'), 151);
  EXPECT_NE(many.out.find("\n140,many/1140.png,0,red,"), std::string::npos) << many.out;
  EXPECT_EQ(run_trainer({"predict", run, "many", "--threads", "2"}).out, many.out);
}

TEST(PredictPictures, AreTheBytesThatTrainingSaw) {
  const std::string run = stretching();
  EXPECT_EQ(probability(run, "photos/red/2.png"), probability(run, 3, planes({150, 10, 20})));
  // Grey becomes three equal channels; another size is scaled, by libjpeg's pixels too.
  const std::vector<std::uint8_t> gray(12 * 8, 90);
  test::write_png(at("gray.png"), 12, 8, PNG_FORMAT_GRAY, gray.data());
  EXPECT_EQ(probability(run, "gray.png"), probability(run, 3, planes({90, 90, 90})));
  test::write_jpeg(at("gray.jpg"), 16, {90}, JCS_GRAYSCALE);
  EXPECT_EQ(probability(run, "gray.jpg"), probability(run, 3, planes({90, 90, 90})));
  // Colours become brightness where the model takes one channel.
  const std::string one = trained("one_channel", ", color = \"gray\"");
  test::write_rgb(at("color.png"), 6, 4, 200, 100, 50);
  EXPECT_EQ(probability(one, "color.png"), probability(one, 1, planes({124})));
}

TEST(PredictPictures, NeedNoTrainingData) {
  const std::string run = trained("alone", "");
  fs::copy_file(at("photos/red/5.png"), at("kept.png"), fs::copy_options::overwrite_existing);
  const Ran before = run_trainer({"predict", run, "kept.png", "--all"});
  ASSERT_EQ(before.code, 0) << before.err;
  fs::rename(at("photos"), at("elsewhere"));
  const Ran after = run_trainer({"predict", run, "kept.png", "--all"});
  const Ran best = run_trainer({"predict", run + "/checkpoints/best.safetensors", "kept.png"});
  const Ran exported = run_trainer({"export", run, "--onnx", "alone.onnx"});
  const Ran eval = run_trainer({"eval", run});
  const Ran changed = run_trainer({"predict", run, "kept.png", "data.photos.path=nowhere"});
  fs::rename(at("elsewhere"), at("photos"));
  EXPECT_EQ(after.code, 0) << after.err;
  EXPECT_EQ(after.out, before.out);
  EXPECT_EQ(best.code, 0) << best.err;
  EXPECT_EQ(exported.code, 0) << exported.err;
  EXPECT_EQ(eval.code, 4) << eval.err;
  EXPECT_NE(eval.err.find("photos"), std::string::npos) << eval.err;
  EXPECT_EQ(changed.code, 3) << changed.err;  // whoever names data means them
}

TEST(PredictPictures, AreCutAsTheDataSetWas) {
  const std::string stretches = stretching(), crops = trained("cropping", ", fit = \"crop\"");
  // Blue above and below, and 6 × 4 of red in the middle.
  std::vector<std::uint8_t> tall;
  for (int row = 0; row < 12; ++row) {
    const std::uint8_t red = row / 4 == 1 ? 200 : 0, blue = row / 4 == 1 ? 0 : 200;
    for (int i = 0; i < 6; ++i) tall.insert(tall.end(), {red, 0, blue});
  }
  test::write_png(at("tall.png"), 6, 12, PNG_FORMAT_RGB, tall.data());
  // The filter looks a row beyond the part, as it does in training.
  EXPECT_GT(probability(crops, "tall.png"), 0.5);
  EXPECT_LT(probability(stretches, "tall.png"), 0.5);
}

TEST(PredictPictures, ContentCountsAndStandardInputWorks) {
  const std::string run = stretching();
  fs::copy_file(at("photos/red/5.png"), at("picture"), fs::copy_options::overwrite_existing);
  EXPECT_EQ(probability(run, "picture"), probability(run, "photos/red/5.png"));
  const Ran input = run_trainer({"predict", run, "-"}, {.input = read_text("picture")});
  EXPECT_EQ(input.code, 0) << input.err;
  EXPECT_EQ(input.out.find("index,file,class,name,probability\n0,-,0,red,"), 0u) << input.out;
}

struct Refused {
  std::string input, message;
};

TEST(PredictPictures, WhatCannotBeUsedIsNamed) {
  const std::string run = stretching();
  const std::string good = read_text("photos/red/0.png");
  write_text("bad/damaged/1.png", good.substr(0, good.size() - 20));
  write_text("bad/damaged/0.png", good);
  write_text("bad/text.png", "1,2,3\n");
  write_text("bad/empty.jpg", "");
  write_text("bad/animation.gif", "GIF89a");
  write_text("bad/none/notes.txt", "no picture");
  write_text("bad/foreign/1.webp", "RIFF");
  write_text("bad/mixed/1.png", "GIF89a, or whatever");
  const std::string other = "  help: convert it, or move it elsewhere\n";
  const Refused refused[] = {
      {"bad/damaged", "error: bad/damaged/1.png is damaged: "},
      {"bad/damaged/1.png", "error: bad/damaged/1.png is damaged: "},
      {"bad/text.png", "error: bad/text.png is neither a PNG nor a JPEG file\n" + other},
      {"bad/empty.jpg", "error: bad/empty.jpg is empty\n"},
      {"bad/animation.gif",
       "error: bad/animation.gif is an image, but neither PNG nor JPEG\n" + other},
      {"bad/none", "error: bad/none holds no PNG or JPEG files\n"},
      {"bad/foreign", "error: bad/foreign/1.webp is an image, but neither PNG nor JPEG\n" + other},
      {"bad/mixed", "error: bad/mixed/1.png is neither a PNG nor a JPEG file\n" + other},
      {"bad/missing.png", "error: cannot read `bad/missing.png`: no such file or directory\n"},
  };
  for (const Refused& one : refused) {
    const Ran ran = run_trainer({"predict", run, one.input});
    EXPECT_EQ(ran.code, 4) << one.input;
    EXPECT_EQ(ran.out, "") << one.input;
    if (one.message.back() == '\n') {
      EXPECT_EQ(ran.err, one.message);
    } else {  // libpng's own words follow
      EXPECT_EQ(ran.err.find(one.message), 0u) << ran.err;
    }
  }
}

TEST(PredictPictures, AreForModelsOfImages) {
  write_text("small.model", kSmallModel);
  ASSERT_EQ(run_trainer({"train", "small.model", "--run", "small"}).code, 0);
  make_photos();
  const std::string help =
      "  help: pictures are for models of [height, width], [1, height, width] or [3, height, "
      "width]\n";
  const Ran picture = run_trainer({"predict", "small", "photos/red/0.png"});
  EXPECT_EQ(picture.code, 4);
  EXPECT_EQ(picture.err, "error: photos/red/0.png is a picture, and the model takes [2]\n" + help);
  const Ran folder = run_trainer({"predict", "small", "photos"});
  EXPECT_EQ(folder.code, 4);
  EXPECT_EQ(folder.err, "error: photos is a folder, and the model takes [2]\n" + help);
}

// Numbers of a scale that the model's author chose.
TEST(PredictPictures, AreNoFloats) {
  std::string values;
  for (int i = 0; i < 8; ++i) values += std::string("\0\0\x80\x3f", 4);
  write_text("x.npy", npy("<f4", "2, 1, 2, 2", values));
  write_text("y.npy", npy("|u1", "2,", std::string("\0\1", 2)));
  write_text("floats.model", R"(format 1

model floats(x: [1, 2, 2]) -> logits {
  x -> Flatten -> Dense(2) as logits
}

data numbers = NPY(path = "x.npy", target_path = "y.npy", val = 0)

train {
  loss      = CrossEntropy(logits, label)
  optimizer = SGD(lr = 0.1)
  epochs    = 1
}
)");
  const Ran train = run_trainer({"train", "floats.model", "--run", "floats"});
  ASSERT_EQ(train.code, 0) << train.err;
  make_photos();
  const Ran ran = run_trainer({"predict", "floats", "photos/red/0.png"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_EQ(ran.err,
            "error: photos/red/0.png is a picture, and `x` of the model's data holds floats, of a "
            "scale that pictures do not tell\n"
            "  help: write the pixels into an NPY file, as the numbers that the model was trained "
            "on\n");
}

TEST(PredictPictures, AreNotOverwritten) {
  const std::string run = stretching();
  const Ran ran = run_trainer({"predict", run, "photos", "-o", "photos/red/3.png"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.err,
            "error: `photos/red/3.png` is the file that is read; writing to it would destroy it\n"
            "  help: name another file for the output\n");
}

}  // namespace
}  // namespace strata::testing
