// trainer eval: figures of trained weights on a split of the data.
#include <boost/program_options/value_semantic.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "framework/app/format.h"
#include "framework/app/fuse_option.h"
#include "framework/app/model_files.h"
#include "framework/report/predictions.h"
#include "framework/train/training.h"

namespace strata::app {
namespace {

void options(boost::program_options::options_description_easy_init add) {
  add("split", boost::program_options::value<std::string>()->value_name("train|val|…"),
      "which part of the data; val by default");
  add_file_option(add);
  add_threads_option(add);
  add_no_fuse_option(add);
  add_json_option(add);
}

std::string as_json(const std::string& model, const std::string& split,
                    const EvalOutcome& outcome) {
  nlohmann::ordered_json json = {{"model", model}, {"split", split}, {"samples", outcome.samples}};
  for (const auto& [name, value] : outcome.figures) json[name] = value;  // not finite: null
  json["seconds"] = outcome.seconds;
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

// Of a ConfusionMatrix metric: a row for each class, a column for what it is taken for.
std::string matrix_text(const NamedFigures& figures) {
  const auto matrix = report::confusion_of({figures.begin(), figures.end()}, "");
  if (matrix.empty()) return {};
  std::vector<std::vector<std::string>> rows = {{"class \\ taken for"}};
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    rows[0].push_back(std::to_string(i));
    auto& row = rows.emplace_back(std::vector<std::string>{std::to_string(i)});
    for (const double value : matrix[i])
      row.push_back(value == std::floor(value) ? fmt::format("{:.0f}", value)
                                               : fmt::format("{:.3f}", value));
  }
  return "\n" + table(rows, 1);
}

ExitCode run(Invocation& invocation) {
  const std::string& weights = invocation.only_word("a run folder or a weights file");
  const std::string split = invocation.text("split", "val");
  const int threads = invocation.threads();
  const auto loaded = load_model_of(invocation, weights);
  const EvalOutcome outcome = value_or_end(
      evaluate(loaded->program, weights, split, threads, executor_options(invocation)));
  const std::string& model = loaded->program.graph.name;
  if (invocation.has("json")) {
    invocation.console().out(as_json(model, split, outcome));
    return ExitCode::kDone;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : outcome.figures)
    if (!report::is_confusion_cell(name)) rows.push_back({figure_label(name), figure(name, value)});
  invocation.console().out(fmt::format("{} on {}, {} in {}\n", model, split,
                                       counted(outcome.samples, "sample"),
                                       duration(outcome.seconds)) +
                           table(rows, 1) + matrix_text(outcome.figures));
  return ExitCode::kDone;
}

}  // namespace

const Command kEvalCommand = {
    .name = "eval",
    .summary = "measure trained weights on a split of the data",
    .usage = "RUN|WEIGHTS [path=value …]",
    .about =
        "Prints the loss and the metrics of the model's train section on a split. A run folder "
        "means its newest\n"
        "checkpoint; the best epoch's is RUN/checkpoints/best.safetensors. Where training kept "
        "averages of the weights\n"
        "(train.ema), they are used. The model comes with the run; a bare weights file needs "
        "--file.\n",
    .examples =
        "eval runs/mnist_mlp_bn/1\n"
        "eval runs/mnist_mlp_bn/1/checkpoints/best.safetensors --split train\n"
        "eval weights.safetensors --file models/mnist_mlp.model --json\n",
    .overrides = true,
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
