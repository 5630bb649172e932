// trainer export and trainer import, as their users see them.
#include <gtest/gtest.h>

#include "tests/app/run_trainer.h"

namespace strata::testing {
namespace {

const std::string& trained() {
  static const std::string run = [] {
    write_text(
        "exported.model",
        "format 1\n"
        "model exported(point: [2]) -> logits {\n"
        "  point -> Dense(8, bias = false) as fc1 -> BatchNorm as norm -> ReLU -> Dense(3) as fc2\n"
        "  logits = fc2\n"
        "}\n"
        "data spirals = Synthetic(kind = \"spirals\", samples = 90, classes = 3)\n"
        "train {\n"
        "  loss      = CrossEntropy(logits, label)\n"
        "  optimizer = SGD(lr = 0.1)\n"
        "  epochs    = 1\n"
        "}\n");
    const Ran ran = run_trainer({"train", "exported.model", "--run", "exported"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    return std::string("exported");
  }();
  return run;
}

TEST(Export, WritesOnnxAndSaysWhatGoesInAndOut) {
  const Ran ran = run_trainer({"export", trained(), "--onnx", "net.onnx"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out,
            "net.onnx: exported as ONNX, 4 operators: point [batch, 2] -> logits [batch, 3]\n");
  EXPECT_EQ(ran.err, "");
  EXPECT_NE(read_text("net.onnx").find("Gemm"), std::string::npos);
}

TEST(Export, WritesWeightsAndSaysWhichOptionsGoWithThem) {
  const Ran torch =
      run_trainer({"export", trained(), "--weights", "net.safetensors", "--as", "torch"});
  ASSERT_EQ(torch.code, 0) << torch.err;
  EXPECT_EQ(torch.out,
            "net.safetensors: 8 tensors under the names of PyTorch\n"
            "they give the same in PyTorch where these layers have these options:\n"
            "  norm: BatchNorm(eps = 1e-05, momentum = 0.1)\n");
  const Ran keras =
      run_trainer({"export", trained(), "--weights", "keras.safetensors", "--as", "keras"});
  ASSERT_EQ(keras.code, 0) << keras.err;
  EXPECT_EQ(keras.out,
            "keras.safetensors: 7 tensors under the names of Keras\n"
            "they give the same in Keras where these layers have these options:\n"
            "  norm: BatchNormalization(epsilon = 1e-05, momentum = 0.9)\n");
}

TEST(Export, ImportedWeightsPredictTheSame) {
  write_text("points.csv", "0.1,0.2\n-0.5,0.5\n0.9,-0.1\n");
  const std::string wanted = run_trainer({"predict", trained(), "points.csv", "--all"}).out;
  for (const char* as : {"torch", "keras"}) {
    ASSERT_EQ(run_trainer({"export", trained(), "--weights", "w", "--as", as}).code, 0);
    const Ran ran =
        run_trainer({"import", "exported.model", "w", "--as", as, "--out", "start.safetensors"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out.find("start.safetensors: 7 tensors of exported, read from w as "), 0u)
        << ran.out;
    const Ran predicted = run_trainer({"predict", "start.safetensors", "points.csv", "--all"});
    EXPECT_EQ(predicted.out, wanted) << predicted.err;
  }
  EXPECT_EQ(
      run_trainer({"train", "exported.model", "--init", "start.safetensors", "--run", "on"}).code,
      0);
}

TEST(Export, RenamesOnTheWay) {
  ASSERT_EQ(run_trainer({"export", trained(), "--weights", "w", "--as", "torch"}).code, 0);
  std::string text = read_text("exported.model");
  for (std::size_t i; (i = text.find("fc1")) != std::string::npos;) text.replace(i, 3, "first");
  write_text("renamed.model", text);
  const Ran without =
      run_trainer({"import", "renamed.model", "w", "--as", "torch", "--out", "r.safetensors"});
  EXPECT_EQ(without.code, 4);
  EXPECT_EQ(without.err,
            "error: `w` does not fit the model: it has no `first.weight`; the model "
            "has no `fc1.weight`\n"
            "  help: names are those of the model's layers: `as` gives a layer another one, and "
            "--rename fc=dense1 reads fc.weight as dense1.weight\n");
  const Ran with = run_trainer({"import", "renamed.model", "w", "--as", "torch", "--out",
                                "r.safetensors", "--rename", "fc1=first"});
  EXPECT_EQ(with.code, 0) << with.err;
}

struct Wrong {
  std::vector<std::string> arguments;
  std::string error;
};

TEST(Export, WrongCommandLinesAreExplained) {
  const std::string run = trained();
  const std::vector<Wrong> all = {
      {{"export", run},
       "error: `export` needs to know what to write: --onnx FILE, or --weights FILE --as torch\n"
       "  help: trainer export exported --onnx model.onnx\n"},
      {{"export", run, "--weights", "w"},
       "error: `--as` is missing: it says whose names and layouts the weights have\n"
       "  help: --as torch, or --as keras\n"},
      {{"export", run, "--weights", "w", "--as", "pytorch"},
       "error: `--as` takes torch or keras; found `pytorch`\n"},
      {{"export", run, "--onnx", "x.onnx", "--as", "torch"},
       "error: `--as` goes with `--weights`: ONNX has one layout\n"},
      {{"export", run, "--onnx", ""}, "error: `--onnx` needs a path, and got an empty one\n"},
      {{"export", run, "--onnx", "x", "--weights", "./x", "--as", "torch"},
       "error: `--onnx` and `--weights` name the same file\n"},
      {{"import", "exported.model", "w", "--as", "torch"},
       "error: `import` needs a file to write to\n"
       "  help: trainer import exported.model w --as torch --out start.safetensors\n"},
      {{"import", "exported.model", "w", "--as", "torch", "--out", "x", "--rename", "fc1"},
       "error: `--rename` takes FROM=TO; found `fc1`\n"
       "  help: --rename fc=dense1 reads fc.weight as dense1.weight\n"},
  };
  for (const Wrong& wrong : all) {
    const Ran ran = run_trainer(wrong.arguments);
    EXPECT_EQ(ran.code, 2) << ran.out;
    EXPECT_EQ(ran.err, wrong.error);
    EXPECT_EQ(ran.out, "");
  }
}

TEST(Export, FilesThatAreNotThereOrNotWeightsAreNamed) {
  const Ran missing =
      run_trainer({"import", "exported.model", "nowhere", "--as", "torch", "--out", "x"});
  EXPECT_EQ(missing.code, 4);
  EXPECT_EQ(missing.err, "error: cannot read `nowhere`: no such file or directory\n");
  trained();
  write_text("zip.pt", "PK\x03\x04 what torch.save writes");
  const Ran other =
      run_trainer({"import", "exported.model", "zip.pt", "--as", "torch", "--out", "x"});
  EXPECT_EQ(other.code, 4);
  EXPECT_EQ(other.err.find("error: `zip.pt` is damaged: "), 0u) << other.err;
}

}  // namespace
}  // namespace strata::testing
