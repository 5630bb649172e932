// trainer export: a trained model in other programs' formats.
#include <boost/program_options/value_semantic.hpp>
#include <filesystem>

#include "framework/app/exchange_options.h"
#include "framework/app/files.h"
#include "framework/app/format.h"
#include "framework/app/model_files.h"
#include "framework/base/utf8.h"
#include "framework/exchange/onnx.h"
#include "framework/exchange/weights.h"

namespace strata::app {
namespace {

namespace po = boost::program_options;

void options(po::options_description_easy_init add) {
  add("onnx", po::value<std::string>()->value_name("FILE"),
      "write the model with its weights as ONNX, opset 17");
  add("weights", po::value<std::string>()->value_name("FILE"),
      "write the weights alone as safetensors; takes --as");
  add_as_option(add);
  add_file_option(add);
}

// "image [batch, 28, 28]"
std::string value_text(const Graph& graph, ValueId value, const std::string& name) {
  std::string extents;
  for (const std::int64_t extent : graph.values[static_cast<std::size_t>(value)].shape)
    extents += fmt::format(", {}", extent);
  return fmt::format("{} [batch{}]", name, extents);
}

// What whoever feeds the network has to do, since the data's transforms are not in it.
std::string preparation(const Program& program) {
  if (!program.has_data || program.data.transforms.empty()) return {};
  std::string calls;
  for (const InstancePtr& transform : program.data.transforms)
    calls += (calls.empty() ? "" : " -> ") + print_call(transform->call());
  return fmt::format("the data's transforms are not in it; feed what they make of a sample: {}\n",
                     calls);
}

void export_onnx(Invocation& invocation, const TrainedModel& model, const std::string& path) {
  const OnnxModel onnx = value_or_end(write_onnx(model));
  end_unless(write_output(path, onnx.bytes));
  const Graph& graph = model.program().graph;
  std::string ends;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    ends += (ends.empty() ? "" : ", ") + value_text(graph, graph.inputs[i], graph.input_names[i]);
  }
  ends += " -> ";
  for (std::size_t i = 0; i < graph.outputs.size(); ++i)
    ends += (i ? ", " : "") + value_text(graph, graph.outputs[i], graph.output_names[i]);
  invocation.console().out(fmt::format("{}: {} as ONNX, {}: {}\n{}", safe_text(path), graph.name,
                                       counted(onnx.operators, "operator"), ends,
                                       preparation(model.program())));
}

ExitCode run(Invocation& invocation) {
  const std::string& weights = invocation.only_word("a run folder or a weights file");
  const std::string onnx = file_option(invocation, "onnx");
  const std::string tensors = file_option(invocation, "weights");
  if (onnx.empty() && tensors.empty()) {
    usage_failure(
        "`export` needs to know what to write: --onnx FILE, or --weights FILE --as torch",
        fmt::format("{} export {} --onnx model.onnx", program_name(), shell_quoted(weights)));
  }
  if (tensors.empty() && invocation.has("as"))
    usage_failure("`--as` goes with `--weights`: ONNX has one layout");
  const auto convention = tensors.empty() ? WeightsConvention::kPyTorch : convention_of(invocation);
  std::error_code ignored;
  if (!onnx.empty() && std::filesystem::path(onnx).lexically_normal() ==
                           std::filesystem::path(tensors).lexically_normal()) {
    usage_failure("`--onnx` and `--weights` name the same file");
  }
  for (const std::string& output : {onnx, tensors}) refuse_overwriting(output, weights);

  const auto loaded = load_model_of(invocation, weights);
  const TrainedModel model = value_or_end(TrainedModel::load(loaded->program, weights));
  if (!onnx.empty()) export_onnx(invocation, model, onnx);
  if (!tensors.empty()) {
    const ConvertedWeights written = value_or_end(export_weights(model, convention, tensors));
    invocation.console().out(
        fmt::format("{}: {} under the names of {}\n{}", safe_text(tensors),
                    counted(static_cast<std::int64_t>(written.tensors), "tensor"),
                    convention_name(convention), options_to_match(written, convention)));
  }
  return ExitCode::kDone;
}

}  // namespace

const Command kExportCommand = {
    .name = "export",
    .summary = "write a trained model as ONNX, or its weights for PyTorch or Keras",
    .usage = "RUN|WEIGHTS [path=value …]",
    .about =
        "--onnx writes the model as it is used for prediction, for ONNX Runtime, OpenCV and "
        "others: float inputs and\n"
        "outputs under the names of the model file, with any batch. The data's transforms are not "
        "part of it.\n"
        "--weights with --as writes the weights as safetensors, named by the paths of layers, in "
        "the layout that PyTorch\n"
        "(fc1.weight) or Keras (fc1/kernel) has. docs/exchange.md shows how to load both.\n",
    .examples =
        "export runs/mnist_mlp_bn/1 --onnx mnist.onnx\n"
        "export runs/mnist_mlp_bn/1/checkpoints/best.safetensors --onnx mnist.onnx\n"
        "export runs/mnist_mlp_bn/1 --weights mnist.safetensors --as torch\n",
    .overrides = true,
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
