// Writes the models of cases.h for other programs to run, and reads back what they wrote:
//
//   write_cases write FOLDER MODELS   NAME.onnx, NAME.in and NAME.out (floats), NAME.torch and
//                                     NAME.keras (safetensors), where there are such weights, and
//                                     cases.json; also of each file MODELS/*.model
//   write_cases read FOLDER           NAME.from_torch and NAME.from_keras are read as weights, and
//                                     NAME.from_torch.out and NAME.from_keras.out written
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

// What the program computes with made-up weights, and its inputs.
void write_onnx_case(const std::string& name, const TrainedModel& model, const std::string& folder,
                     nlohmann::ordered_json& list) {
  const Graph& graph = model.program().graph;
  const Shape in = graph.values[static_cast<std::size_t>(graph.inputs[0])].shape;
  const Shape out = graph.values[static_cast<std::size_t>(graph.outputs[0])].shape;
  const std::vector<float> inputs = made_inputs(kBatch * in.elements(), name == "words");
  const std::string path = folder + "/" + name + ".";
  write_text(path + "onnx", or_die(write_onnx(model)).bytes);
  write_floats(path + "in", inputs);
  write_floats(path + "out", outputs_of(model.program(), model.tensors(), inputs, kBatch));
  list.push_back({{"name", name},
                  {"batch", kBatch},
                  {"input", graph.values[static_cast<std::size_t>(graph.inputs[0])].name},
                  {"output", graph.output_names[0]},
                  {"in", extents_of(in)},
                  {"out", extents_of(out)}});
}

TrainedModel with_numbers(const Program& program) {
  TrainedModel model = or_die(TrainedModel::empty(program));
  fill_with_numbers(model.tensors());
  return model;
}

void write_cases(const std::string& folder, const std::string& models) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const ExchangeCase& one : exchange_cases()) {
    const auto program = program_of(text_of(one));
    const TrainedModel model = with_numbers(*program);
    write_onnx_case(one.name, model, folder, list);
    if (one.name != "perceptron" && one.name != "network") continue;
    for (const Files& files : kFiles)
      or_die(export_weights(model, files.convention, folder + "/" + one.name + "." + files.out));
  }
  for (const auto& file : std::filesystem::directory_iterator(models)) {
    if (file.path().extension() != ".model") continue;
    Sources sources;
    Diagnostics diagnostics;
    const auto program =
        or_die(load_program(file.path().string(), registry(), sources, diagnostics));
    if (!program) {
      std::fprintf(stderr, "%s\n", render(diagnostics).c_str());
      std::exit(1);
    }
    write_onnx_case(file.path().filename().string(), with_numbers(*program), folder, list);
  }
  write_text(folder + "/cases.json", list.dump());
}

void read_cases(const std::string& folder) {
  for (const ExchangeCase& one : exchange_cases()) {
    const auto program = program_of(text_of(one));
    TrainedModel model = with_numbers(*program);
    const Shape in =
        program->graph.values[static_cast<std::size_t>(program->graph.inputs[0])].shape;
    const std::string name = folder + "/" + one.name + ".";
    for (const Files& files : kFiles) {
      if (!std::filesystem::exists(name + files.in)) continue;
      or_die(import_weights(name + files.in, files.convention, {}, model));
      write_floats(name + files.in + ".out",
                   outputs_of(*program, model.tensors(), made_inputs(kBatch * in.elements(), false),
                              kBatch));
    }
  }
}

}  // namespace
}  // namespace strata::testing

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "write" && argc == 4) {
    strata::testing::write_cases(argv[2], argv[3]);
  } else if (what == "read" && argc == 3) {
    strata::testing::read_cases(argv[2]);
  } else {
    return 2;
  }
  return 0;
}
