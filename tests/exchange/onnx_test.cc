// What is in exported ONNX files. others_test.sh runs them in ONNX Runtime and OpenCV.
#include "framework/exchange/onnx.h"

#include <gtest/gtest.h>

#include <set>

#include "framework/exchange/keras_order.h"
#include "framework/plugin/layer.h"
#include "tests/exchange/cases.h"
#include "tests/exchange/onnx_reader.h"

namespace strata::testing {
namespace {

// A layer that says nothing of other formats, like those of shared libraries.
class Silent final : public Layer {
 public:
  struct Options {};
  static void describe(Schema<Options>& schema) {
    schema.doc("For this test alone.").example("Silent");
  }
  explicit Silent(const Options&) {}
  Plan infer(const Shape& input) const { return Plan().output(input); }
  template <class T>
  void forward(const ForwardPass<T>&) const {}
  template <class T>
  void backward(const BackwardPass<T>&) const {}
};
const LayerRegistration<Silent> kSilent{"Silent"};

Result<OnnxModel> onnx_of(const std::string& text) {
  const auto program = program_of(text);
  auto model = TrainedModel::empty(*program);
  EXPECT_TRUE(model.ok());
  fill_with_numbers(model->tensors());
  return write_onnx(*model);
}

std::string model_text(const std::string& input, const std::string& flow) {
  return "format 1\nmodel small(x: " + input + ") -> y {\n  " + flow + "\n}\n";
}

struct Graph7 {
  explicit Graph7(const std::string& bytes) : file(bytes), graph(file.messages(7).at(0)) {}
  WireMessage file, graph;
};

std::vector<std::string> operations(const Graph7& onnx) {
  std::vector<std::string> all;
  for (const WireMessage& node : onnx.graph.messages(1)) all.push_back(node.string(4));
  return all;
}

TEST(Onnx, SaysWhatItIs) {
  const auto onnx = onnx_of(model_text("[3]", "x -> Dense(2) as y"));
  ASSERT_TRUE(onnx.ok());
  const Graph7 read(onnx->bytes);
  EXPECT_EQ(read.file.integers(1), std::vector<std::int64_t>{8});  // IR version
  EXPECT_EQ(read.file.string(2), "Strata");
  const auto opsets = read.file.messages(8);
  ASSERT_EQ(opsets.size(), 1u);
  EXPECT_EQ(opsets[0].string(1), "");
  EXPECT_EQ(opsets[0].integers(2), std::vector<std::int64_t>{17});
  EXPECT_EQ(read.graph.string(2), "small");
  EXPECT_EQ(onnx->operators, 1);
}

TEST(Onnx, InputsAndOutputsHaveTheFilesNamesAndAnOpenBatch) {
  const Graph7 read(onnx_of(model_text("[1, 4, 5]", "x -> Flatten -> Dense(2) as y"))->bytes);
  for (const auto& [field, name, extents] :
       {std::tuple{11, "x", std::vector<std::int64_t>{1, 4, 5}}, {12, "y", {2}}}) {
    const auto infos = read.graph.messages(field);
    ASSERT_EQ(infos.size(), 1u);
    EXPECT_EQ(infos[0].string(1), name);
    const WireMessage tensor = infos[0].messages(2).at(0).messages(1).at(0);
    EXPECT_EQ(tensor.integers(1), std::vector<std::int64_t>{1});  // float
    const auto dims = tensor.messages(2).at(0).messages(1);
    ASSERT_EQ(dims.size(), 1 + extents.size());
    EXPECT_EQ(dims[0].string(2), "batch");
    for (std::size_t i = 0; i < extents.size(); ++i)
      EXPECT_EQ(dims[i + 1].integers(1), std::vector<std::int64_t>{extents[i]});
  }
}

TEST(Onnx, WeightsAreFloatsInPyTorchsLayout) {
  const auto program = program_of(model_text("[3]", "x -> Dense(2) as y"));
  auto model = TrainedModel::empty(*program);
  fill_with_numbers(model->tensors());
  const Graph7 read(write_onnx(*model)->bytes);
  const auto constants = read.graph.messages(5);
  ASSERT_EQ(constants.size(), 2u);
  EXPECT_EQ(constants[0].string(8), "y.weight");
  EXPECT_EQ(constants[0].integers(1), (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(constants[0].integers(2), std::vector<std::int64_t>{1});
  const std::string raw = constants[0].string(9);
  ASSERT_EQ(raw.size(), 6 * sizeof(float));
  EXPECT_EQ(std::memcmp(raw.data(), model->find("y", "weight")->data, raw.size()), 0);
}

// Operators come in an order in which each reads what is there, and no name is given twice.
TEST(Onnx, EveryValueIsThereBeforeItIsRead) {
  for (const ExchangeCase& one : exchange_cases()) {
    SCOPED_TRACE(one.name);
    const auto onnx = onnx_of(text_of(one));
    ASSERT_TRUE(onnx.ok()) << onnx.error().message;
    const Graph7 read(onnx->bytes);
    std::set<std::string> there = {"", "x"}, nodes;
    for (const WireMessage& constant : read.graph.messages(5))
      EXPECT_TRUE(there.insert(constant.string(8)).second) << constant.string(8);
    for (const WireMessage& node : read.graph.messages(1)) {
      for (const std::string& input : node.strings(1)) EXPECT_TRUE(there.contains(input)) << input;
      for (const std::string& output : node.strings(2))
        EXPECT_TRUE(there.insert(output).second) << output;
      EXPECT_TRUE(nodes.insert(node.string(3)).second) << node.string(3);
    }
    EXPECT_TRUE(there.contains("y"));
  }
}

TEST(Onnx, DropoutIsGoneAndAnOutputKeepsItsName) {
  const Graph7 within(onnx_of(model_text("[3]", "x -> Dropout(0.5) -> ReLU as y"))->bytes);
  EXPECT_EQ(operations(within), std::vector<std::string>{"Relu"});
  const Graph7 last(onnx_of(model_text("[3]", "x -> ReLU -> Dropout(0.5) as y"))->bytes);
  EXPECT_EQ(operations(last), (std::vector<std::string>{"Relu", "Identity"}));
  EXPECT_EQ(last.graph.messages(1).back().strings(2), std::vector<std::string>{"y"});
}

TEST(Onnx, PaddingOfSameIsSpelledOut) {
  const Graph7 read(
      onnx_of(model_text("[1, 5, 6]", "x -> Conv2D(2, stride = 2, padding = \"same\") as y"))
          ->bytes);
  const WireMessage node = read.graph.messages(1).at(0);
  EXPECT_EQ(node.string(4), "Conv");
  std::map<std::string, std::vector<std::int64_t>> attributes;
  for (const WireMessage& attribute : node.messages(5))
    attributes[attribute.string(1)] = attribute.integers(attribute.integers(20).at(0) == 7 ? 8 : 3);
  EXPECT_EQ(attributes["pads"], (std::vector<std::int64_t>{1, 0, 1, 1}));
  EXPECT_EQ(attributes["strides"], (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(attributes["kernel_shape"], (std::vector<std::int64_t>{3, 3}));
  EXPECT_EQ(attributes["group"], std::vector<std::int64_t>{1});
}

TEST(Onnx, LayersThatCannotBeWrittenAreNamed) {
  const auto onnx = onnx_of(model_text("[3]", "x -> Silent -> Dense(2) -> Silent as y"));
  ASSERT_FALSE(onnx.ok());
  EXPECT_EQ(onnx.error().code, ExitCode::kModel);
  EXPECT_EQ(onnx.error().message,
            "the model `small` cannot be written as ONNX: `silent1` (Silent) does not say how it "
            "is written");
  EXPECT_EQ(onnx.error().hint,
            "a layer says it with a method to_onnx (docs/exchange.md); layers of shared libraries "
            "cannot be written yet");
}

// A layer that is added without a way out is noticed here.
TEST(Onnx, EveryLayerSaysHowItIsWritten) {
  std::set<std::string> used;
  for (const ExchangeCase& one : exchange_cases()) {
    const auto program = program_of(text_of(one));
    for (const GraphNode& node : program->graph.nodes) used.insert(node.layer->entry().name());
  }
  for (const Entry* entry : registry().all(STRATA_LAYER)) {
    if (entry->name() == "Silent") continue;
    EXPECT_TRUE(used.contains(entry->name()))
        << entry->name() << " is in no model of cases.h, so its export is not compared";
  }
}

}  // namespace
}  // namespace strata::testing
