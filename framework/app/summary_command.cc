// trainer summary: layers, shapes, parameters and work of a model.
#include <boost/program_options/value_semantic.hpp>

#include "framework/app/model_files.h"
#include "framework/graph/summary.h"

namespace strata::app {
namespace {

void options(boost::program_options::options_description_easy_init add) {
  add("batch", boost::program_options::value<std::string>()->value_name("N"),
      "samples in the batch that memory is counted for; the file's batch size by default");
  add_json_option(add);
}

ExitCode run(Invocation& invocation) {
  const std::string& path = invocation.only_word("a model file");
  const std::int64_t batch = invocation.integer("batch", 0, 1, 1 << 24);
  const auto loaded = load_model(invocation, path);
  const Program& program = loaded->program;
  const std::int64_t size = batch > 0 ? batch : program.train.batch_size;
  const auto& print = invocation.has("json") ? summary_json : summary_table;
  std::string text = print(program.graph, size, program.train.precision);
  if (text.empty() || text.back() != '\n') text += '\n';
  invocation.console().out(text);
  return ExitCode::kDone;
}

}  // namespace

const Command kSummaryCommand = {
    .name = "summary",
    .summary = "show a model's layers, shapes, parameters and work",
    .usage = "FILE [path=value …]",
    .about =
        "Prints a line for each layer: what it is, the shape of its output for one sample, how "
        "many numbers it learns\n"
        "and how many operations it takes for one sample; then totals. Reads no data.\n",
    .examples =
        "summary models/mnist_mlp_bn.model\n"
        "summary models/mnist_mlp_bn.model --batch 1024\n"
        "summary models/mnist_mlp_bn.model --json\n",
    .overrides = true,
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
