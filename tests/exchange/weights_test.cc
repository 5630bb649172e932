// Weights under other programs' names and layouts, and what is said of files that do not fit.
// others_test.sh compares what they give in PyTorch and in Keras' layouts.
#include "framework/exchange/weights.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <numeric>

#include "framework/train/safetensors.h"
#include "tests/exchange/cases.h"

namespace strata::testing {
namespace {

using Renames = std::vector<std::pair<std::string, std::string>>;

class Weights : public ::testing::Test {
 protected:
  // `flow` makes y of x. Elements of each tensor are 0, 1, 2, …
  void use(const std::string& input, const std::string& flow) {
    program_ = program_of("format 1\nmodel small(x: " + input + ") -> y {\n" + flow + "\n}\n");
    auto model = TrainedModel::empty(*program_);
    ASSERT_TRUE(model.ok());
    model_.emplace(std::move(*model));
    for (const NamedTensor& tensor : model_->tensors()) {
      auto* values = static_cast<float*>(tensor.data);
      std::iota(values, values + tensor.shape.elements(), 0.0f);
    }
  }

  SafetensorsFile exported(WeightsConvention convention) {
    const auto done = export_weights(*model_, convention, path());
    EXPECT_TRUE(done.ok()) << done.error().message;
    auto file = read_safetensors(path());
    EXPECT_TRUE(file.ok());
    return std::move(*file);
  }
  static std::vector<std::string> names(const SafetensorsFile& file) {
    std::vector<std::string> all;
    for (const auto& tensor : file.tensors) all.push_back(tensor.name);
    return all;
  }
  static std::vector<float> values(const SafetensorsFile& file, const std::string& name) {
    const auto* tensor = file.find(name);
    if (!tensor) return {};
    std::vector<float> all(static_cast<std::size_t>(tensor->end - tensor->begin) / sizeof(float));
    std::memcpy(all.data(), file.data.data() + tensor->begin, all.size() * sizeof(float));
    return all;
  }

  // A file of tensors with these bytes; zeros where there are none.
  struct Stored {
    std::string name, dtype;
    std::vector<std::int64_t> shape;
    std::string bytes = {};
  };
  void write(const std::vector<Stored>& tensors) {
    nlohmann::ordered_json header;
    std::string data;
    for (const Stored& tensor : tensors) {
      std::size_t bytes = tensor.dtype.ends_with("64") ? 8 : tensor.dtype == "F32" ? 4 : 2;
      for (const std::int64_t extent : tensor.shape) bytes *= static_cast<std::size_t>(extent);
      header[tensor.name] = {{"dtype", tensor.dtype},
                             {"shape", tensor.shape},
                             {"data_offsets", {data.size(), data.size() + bytes}}};
      data += tensor.bytes.empty() ? std::string(bytes, '\0') : tensor.bytes;
    }
    const std::string text = header.dump();
    const std::uint64_t length = text.size();
    write_text(path(),
               std::string(reinterpret_cast<const char*>(&length), sizeof length) + text + data);
  }
  Error refusal(WeightsConvention convention, const Renames& renames = {}) {
    const auto read = import_weights(path(), convention, renames, *model_);
    EXPECT_FALSE(read.ok());
    return read.ok() ? Error{} : read.error();
  }

  std::string path() const { return folder_ / "weights.safetensors"; }

  TemporaryFolder folder_;
  std::optional<Program> program_;
  std::optional<TrainedModel> model_;
};

TEST_F(Weights, OfPyTorchHaveOurNamesAndACounter) {
  use("[3]", "y = x -> Dense(2) as fc -> BatchNorm as norm");
  const SafetensorsFile file = exported(WeightsConvention::kPyTorch);
  EXPECT_EQ(names(file), (std::vector<std::string>{
                             "fc.weight", "fc.bias", "norm.weight", "norm.bias",
                             "norm.running_mean", "norm.running_var", "norm.num_batches_tracked"}));
  EXPECT_EQ(file.find("fc.weight")->shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_TRUE(file.find("norm.num_batches_tracked")->shape.empty());
  EXPECT_EQ(file.find("norm.num_batches_tracked")->dtype, "I64");
  EXPECT_EQ(file.metadata.at("format"), "pt");
}

TEST_F(Weights, OfKerasAreTurned) {
  use("[3]", "y = x -> Dense(2) as fc -> BatchNorm as norm");
  const SafetensorsFile file = exported(WeightsConvention::kKeras);
  EXPECT_EQ(names(file),
            (std::vector<std::string>{"fc/kernel", "fc/bias", "norm/gamma", "norm/beta",
                                      "norm/moving_mean", "norm/moving_variance"}));
  EXPECT_EQ(file.find("fc/kernel")->shape, (std::vector<std::int64_t>{3, 2}));
  EXPECT_EQ(values(file, "fc/kernel"), (std::vector<float>{0, 3, 1, 4, 2, 5}));
}

TEST_F(Weights, OfKerasConvolutionsHaveChannelsLast) {
  use("[2, 4, 4]", "y = x -> Conv2D(3, kernel = [1, 2], bias = false) as conv");
  const SafetensorsFile file = exported(WeightsConvention::kKeras);
  EXPECT_EQ(file.find("conv/kernel")->shape, (std::vector<std::int64_t>{1, 2, 2, 3}));
  // [channel 3][input 2][row 1][column 2] here; [row][column][input][channel] there
  EXPECT_EQ(values(file, "conv/kernel"),
            (std::vector<float>{0, 4, 8, 2, 6, 10, 1, 5, 9, 3, 7, 11}));
}

TEST_F(Weights, OfKerasDepthwiseConvolutionsHaveTheirOwnForm) {
  use("[2, 4, 4]", "y = x -> Conv2D(4, kernel = [1, 2], groups = 2, bias = false) as conv");
  const SafetensorsFile file = exported(WeightsConvention::kKeras);
  EXPECT_EQ(file.find("conv/depthwise_kernel")->shape, (std::vector<std::int64_t>{1, 2, 2, 2}));
  EXPECT_EQ(values(file, "conv/depthwise_kernel"), (std::vector<float>{0, 2, 4, 6, 1, 3, 5, 7}));
}

// Keras flattens [height, width, channels]: the columns of the Dense behind it change places.
TEST_F(Weights, OfKerasFollowItsFlatten) {
  use("[2, 1, 2]",
      "y = x -> Flatten -> ReLU -> BatchNorm(shift = false) as norm -> Dense(1) as fc");
  const SafetensorsFile file = exported(WeightsConvention::kKeras);
  EXPECT_EQ(values(file, "fc/kernel"), (std::vector<float>{0, 2, 1, 3}));
  EXPECT_EQ(values(file, "norm/gamma"), (std::vector<float>{0, 2, 1, 3}));
  use("[1, 2, 2]", "y = x -> Flatten -> Dense(1) as fc");  // one channel: the same order
  EXPECT_EQ(values(exported(WeightsConvention::kKeras), "fc/kernel"),
            (std::vector<float>{0, 1, 2, 3}));
}

TEST_F(Weights, OfKerasAreRefusedWhereItsOrderIsAnother) {
  use("[2, 3, 3]", "a, b = x -> Flatten -> Split(parts = 2)\ny = Add(a, b) -> Dense(1) as fc");
  const auto done = export_weights(*model_, WeightsConvention::kKeras, path());
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ExitCode::kModel);
  EXPECT_EQ(done.error().message,
            "`add1` (Add) cannot be converted: Keras has channels last, and the values that it "
            "reads would be in another order there");
}

TEST_F(Weights, ComeBackAsTheyWere) {
  for (const auto convention : {WeightsConvention::kPyTorch, WeightsConvention::kKeras}) {
    for (const char* name : {"network", "perceptron"}) {
      const auto& cases = exchange_cases();
      const auto one = std::find_if(cases.begin(), cases.end(),
                                    [&](const ExchangeCase& c) { return c.name == name; });
      program_ = program_of(text_of(*one));
      auto model = TrainedModel::empty(*program_);
      model_.emplace(std::move(*model));
      fill_with_numbers(model_->tensors());
      const std::string before = hash_tensors(model_->tensors());
      exported(convention);
      for (const NamedTensor& tensor : model_->tensors())
        std::memset(tensor.data, 0, static_cast<std::size_t>(tensor.bytes()));
      ASSERT_TRUE(import_weights(path(), convention, {}, *model_).ok());
      EXPECT_EQ(hash_tensors(model_->tensors()), before);
    }
  }
}

TEST_F(Weights, AreReadUnderOtherNamesAndFromF64) {
  use("[3]", "y = x -> Dense(2) as fc");
  write({{"classifier.0.weight", "F64", {2, 3}}, {"classifier.0.bias", "F32", {2}}});
  EXPECT_TRUE(
      import_weights(path(), WeightsConvention::kPyTorch, {{"classifier.0", "fc"}}, *model_).ok());
  EXPECT_EQ(values(exported(WeightsConvention::kPyTorch), "fc.weight"), std::vector<float>(6, 0));
}

// Whatever PyTorch's counter is.
TEST_F(Weights, ACounterIsNotRead) {
  use("[3]", "y = x -> BatchNorm(scale = false, shift = false) as norm");
  write({{"norm.running_mean", "F32", {3}},
         {"norm.running_var", "F32", {3}},
         {"norm.num_batches_tracked", "I64", {}, std::string("\7\0\0\0\0\0\0\0", 8)}});
  EXPECT_TRUE(import_weights(path(), WeightsConvention::kPyTorch, {}, *model_).ok());
}

TEST_F(Weights, HalvesBecomeFloats) {
  const auto half = [](const std::vector<std::uint16_t>& values) {
    return std::string(reinterpret_cast<const char*>(values.data()), 2 * values.size());
  };
  use("[3]", "y = x -> Dense(2) as fc");
  write({{"fc.weight", "F16", {2, 3}, half({0x3c00, 0xc000, 0x7bff, 0x0001, 0x3555, 0x83ff})},
         {"fc.bias", "BF16", {2}, half({0x3eab, 0xff7f})}});
  ASSERT_TRUE(import_weights(path(), WeightsConvention::kPyTorch, {}, *model_).ok());
  const SafetensorsFile file = exported(WeightsConvention::kPyTorch);
  EXPECT_EQ(values(file, "fc.weight"),
            (std::vector<float>{1, -2, 65504, 0x1p-24f, 0.333251953125f, -1023 * 0x1p-24f}));
  EXPECT_EQ(values(file, "fc.bias"), (std::vector<float>{0.333984375f, -0x1.fep127f}));
  // In Keras' layout, [in, out].
  write({{"fc/kernel", "F16", {3, 2}, half({0, 0x3c00, 0x4000, 0x4200, 0x4400, 0x4500})},
         {"fc/bias", "BF16", {2}}});
  ASSERT_TRUE(import_weights(path(), WeightsConvention::kKeras, {}, *model_).ok());
  EXPECT_EQ(values(exported(WeightsConvention::kPyTorch), "fc.weight"),
            (std::vector<float>{0, 2, 4, 1, 3, 5}));
}

TEST_F(Weights, NamesOfKeras2AreRead) {
  use("[3]", "y = x -> Dense(2, bias = false) as fc");
  write({{"fc/kernel:0", "F32", {3, 2}}});
  EXPECT_TRUE(import_weights(path(), WeightsConvention::kKeras, {}, *model_).ok());
}

TEST_F(Weights, AllThatDoesNotFitIsSaidAtOnce) {
  use("[3]", "y = x -> Dense(2) as dense1 -> Dense(4) as dense2");
  write({{"dense1.weight", "F32", {3, 2}},
         {"dense1.bias", "I64", {2}},
         {"dense_2.weight", "F32", {4, 2}},
         {"dense_2.bias", "F32", {4}}});
  const Error error = refusal(WeightsConvention::kPyTorch);
  EXPECT_EQ(error.code, ExitCode::kData);
  EXPECT_EQ(error.message,
            "`" + path() +
                "` does not fit the model: it has no `dense2.weight`, `dense2.bias`; the model has "
                "no `dense_2.bias` (`dense2.bias`?), `dense_2.weight` (`dense2.weight`?); "
                "`dense1.weight` is [3, 2], not [2, 3]; `dense1.bias` is I64, not F16, "
                "BF16, F32 or F64");
  EXPECT_EQ(error.hint,
            "names are those of the model's layers: `as` gives a layer another one, and --rename "
            "fc=dense1 reads fc.weight as dense1.weight");
}

TEST_F(Weights, OfAnotherShapeAreRefused) {
  use("[3]", "y = x -> Dense(2, bias = false) as fc");
  write({{"fc.weight", "F32", {3, 2}}});
  const Error error = refusal(WeightsConvention::kPyTorch);
  EXPECT_EQ(error.message,
            "`" + path() + "` does not fit the model: `fc.weight` is [3, 2], not [2, 3]");
  EXPECT_EQ(error.hint, "`trainer export --weights` writes a file as it has to be, for comparison");
}

TEST_F(Weights, TwoNamesForOneAreRefused) {
  use("[3]", "y = x -> Dense(2, bias = false) as fc");
  write({{"a.weight", "F32", {2, 3}}, {"fc.weight", "F32", {2, 3}}});
  EXPECT_EQ(refusal(WeightsConvention::kPyTorch, {{"a", "fc"}}).message,
            "`a.weight` and `fc.weight` of `" + path() + "` are both `fc.weight`");
}

TEST_F(Weights, OfADamagedFileAreRefused) {
  use("[3]", "y = x -> Dense(2, bias = false) as fc");
  write({{"fc.weight", "F32", {2, 3}}});
  std::string bytes = read_text(path());
  write_text(path(), bytes.substr(0, bytes.size() - 5));
  EXPECT_EQ(refusal(WeightsConvention::kPyTorch).code, ExitCode::kData);
  write_text(path(), "PK\x03\x04 a zip file, as torch.save writes it");
  EXPECT_EQ(refusal(WeightsConvention::kPyTorch).code, ExitCode::kData);
}

}  // namespace
}  // namespace strata::testing
