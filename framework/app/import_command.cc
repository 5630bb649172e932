// trainer import: weights of PyTorch or Keras for a model of ours.
#include <boost/program_options/value_semantic.hpp>

#include "framework/app/exchange_options.h"
#include "framework/app/files.h"
#include "framework/app/format.h"
#include "framework/app/model_files.h"
#include "framework/base/utf8.h"
#include "framework/exchange/weights.h"

namespace strata::app {
namespace {

namespace po = boost::program_options;

void options(po::options_description_easy_init add) {
  add_as_option(add);
  add("out,o", po::value<std::string>()->value_name("FILE"), "the safetensors file to write");
  add("rename", po::value<std::vector<std::string>>()->composing()->value_name("FROM=TO"),
      "read names that begin with FROM as if they began with TO; may be given several times");
}

std::vector<std::pair<std::string, std::string>> renames_of(const Invocation& invocation) {
  std::vector<std::pair<std::string, std::string>> renames;
  if (!invocation.has("rename")) return renames;
  for (const std::string& word : invocation.flags["rename"].as<std::vector<std::string>>()) {
    const auto at = word.find('=');
    if (at == std::string::npos || at == 0 || at + 1 == word.size()) {
      usage_failure(fmt::format("`--rename` takes FROM=TO; found `{}`", safe_text(word)),
                    "--rename fc=dense1 reads fc.weight as dense1.weight");
    }
    renames.emplace_back(word.substr(0, at), word.substr(at + 1));
  }
  return renames;
}

ExitCode run(Invocation& invocation) {
  invocation.expect_words(2, 2, "a model file and a weights file");
  const std::string &file = invocation.words[0], &weights = invocation.words[1];
  const WeightsConvention convention = convention_of(invocation);
  const std::string out = file_option(invocation, "out");
  if (out.empty()) {
    usage_failure("`import` needs a file to write to",
                  fmt::format("{} import {} {} --as {} --out start.safetensors", program_name(),
                              shell_quoted(file), shell_quoted(weights), invocation.text("as")));
  }
  const auto renames = renames_of(invocation);
  for (const std::string& read : {file, weights}) refuse_overwriting(out, read);
  end_unless(check_readable(weights, ExitCode::kData));
  const auto loaded = load_model(invocation, file);
  TrainedModel model = value_or_end(TrainedModel::empty(loaded->program));
  const ConvertedWeights read = value_or_end(import_weights(weights, convention, renames, model));
  end_unless(write_weights(model, out));
  invocation.console().out(fmt::format(
      "{}: {} of {}, read from {} as {} has them\n{}", safe_text(out),
      counted(static_cast<std::int64_t>(read.tensors), "tensor"), loaded->program.graph.name,
      safe_text(weights), convention_name(convention), options_to_match(read, convention)));
  return ExitCode::kDone;
}

}  // namespace

const Command kImportCommand = {
    .name = "import",
    .summary = "turn weights of PyTorch or Keras into weights of a model file",
    .usage = "FILE WEIGHTS --as torch|keras --out START [path=value …]",
    .about =
        "Reads a safetensors file whose tensors have PyTorch's or Keras' names and layouts, and "
        "writes one that `train\n"
        "--init`, `eval`, `predict` and `export` take. Names are paths of layers: dense1.weight, "
        "in Keras dense1/kernel;\n"
        "`as` in the model file gives a layer the name that it has there, or --rename does it on "
        "the way. All that does not\n"
        "fit is reported at once.\n",
    .examples =
        "import models/mnist_mlp.model mlp.safetensors --as torch --out start.safetensors\n"
        "import models/mnist_mlp.model mlp.safetensors --as torch --rename fc1=dense1 --rename "
        "fc2=dense2 --out start.safetensors\n"
        "train models/mnist_mlp.model --init start.safetensors\n",
    .overrides = true,
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
