// Writes the models of cases.h for other programs to run, and reads back what they wrote:
//
//   write_cases write FOLDER   NAME.onnx, NAME.in and NAME.out (floats), NAME.torch and NAME.keras
//                              (safetensors), where there are such weights, and cases.json
//   write_cases read FOLDER    NAME.from_torch and NAME.from_keras are read as weights, and
//                              NAME.from_torch.out and NAME.from_keras.out written
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "framework/exchange/onnx.h"
#include "framework/exchange/weights.h"
#include "tests/exchange/cases.h"

namespace strata::testing {
namespace {

constexpr std::int64_t kBatch = 3;

void write_floats(const std::string& path, const std::vector<float>& values) {
  write_text(path, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
}

template <class T>
T or_die(Result<T> result) {
  if (result.ok()) return std::move(*result);
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::exit(1);
}

struct Files {
  WeightsConvention convention;
  const char* out;
  const char* in;
};
constexpr Files kFiles[] = {{WeightsConvention::kPyTorch, "torch", "from_torch"},
                            {WeightsConvention::kKeras, "keras", "from_keras"}};

void run(const ExchangeCase& one, const std::string& folder, bool write,
         nlohmann::ordered_json& list) {
  const auto program = program_of(text_of(one));
  TrainedModel model = or_die(TrainedModel::empty(*program));
  fill_with_numbers(model.tensors());
  const Graph& graph = program->graph;
  const Shape in = graph.values[static_cast<std::size_t>(graph.inputs[0])].shape;
  const Shape out = graph.values[static_cast<std::size_t>(graph.outputs[0])].shape;
  const std::vector<float> inputs = made_inputs(kBatch * in.elements(), one.name == "words");
  const std::string name = folder + "/" + one.name + ".";
  if (!write) {
    for (const Files& files : kFiles) {
      if (!std::filesystem::exists(name + files.in)) continue;
      or_die(import_weights(name + files.in, files.convention, {}, model));
      write_floats(name + files.in + ".out", outputs_of(*program, model.tensors(), inputs, kBatch));
    }
    return;
  }
  write_text(name + "onnx", or_die(write_onnx(model)).bytes);
  write_floats(name + "in", inputs);
  write_floats(name + "out", outputs_of(*program, model.tensors(), inputs, kBatch));
  for (const Files& files : kFiles) {
    if (one.name == "perceptron" || one.name == "network")
      or_die(export_weights(model, files.convention, name + files.out));
  }
  list.push_back(
      {{"name", one.name}, {"batch", kBatch}, {"in", extents_of(in)}, {"out", extents_of(out)}});
}

}  // namespace
}  // namespace strata::testing

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string what = argv[1], folder = argv[2];
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& one : strata::testing::exchange_cases())
    strata::testing::run(one, folder, what == "write", list);
  if (what == "write") strata::testing::write_text(folder + "/cases.json", list.dump());
  return 0;
}
