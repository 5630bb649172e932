// trainer init: starting weights as a file.
#include <boost/program_options/value_semantic.hpp>

#include "framework/app/files.h"
#include "framework/app/format.h"
#include "framework/app/model_files.h"
#include "framework/train/training.h"

namespace strata::app {
namespace {

namespace po = boost::program_options;

void options(po::options_description_easy_init add) {
  add("out,o", po::value<std::string>()->value_name("FILE"), "the safetensors file to write");
  add("seed", po::value<std::string>()->value_name("N"), "instead of the file's train.seed");
}

ExitCode run(Invocation& invocation) {
  const std::string& path = invocation.only_word("a model file");
  if (!invocation.has("out")) {
    usage_failure(
        "`init` needs a file to write to",
        fmt::format("{} init {} --out weights.safetensors", program_name(), shell_quoted(path)));
  }
  const std::string out = invocation.text("out");
  refuse_overwriting(out, path);
  const std::int64_t given_seed = invocation.integer("seed", -1, 0);
  const auto loaded = load_model(invocation, path);
  const Program& program = loaded->program;
  const std::int64_t seed = given_seed >= 0 ? given_seed : program.train.seed;
  end_unless(write_initial_weights(program, static_cast<std::uint64_t>(seed), out));
  invocation.console().out(fmt::format("{}: {} parameters of {}, seed {}\n", out,
                                       grouped(program.graph.parameter_count()), program.graph.name,
                                       seed));
  return ExitCode::kDone;
}

}  // namespace

const Command kInitCommand = {
    .name = "init",
    .summary = "write the weights that training would start from",
    .usage = "FILE --out WEIGHTS [path=value …]",
    .about =
        "Runs the initializers of every layer and writes the result as a safetensors file, under "
        "PyTorch's names for\n"
        "tensors. Training the same file with the same seed starts from these weights; `train "
        "--init` starts\n"
        "another run from them.\n",
    .examples =
        "init models/mnist_mlp.model --out start.safetensors\n"
        "init models/mnist_mlp.model --out start.safetensors --seed 7\n"
        "train models/mnist_mlp.model --init start.safetensors\n",
    .overrides = true,
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
