// trainer predict: classes or values for samples in files.
#include <boost/program_options/value_semantic.hpp>

#include "framework/app/files.h"
#include "framework/app/fuse_option.h"
#include "framework/app/model_files.h"
#include "framework/app/prediction_text.h"
#include "framework/app/sample_source.h"
#include "framework/train/checkpoint.h"

namespace strata::app {
namespace {

namespace po = boost::program_options;

void options(po::options_description_easy_init add) {
  add("format", po::value<std::string>()->value_name("csv|json"), "of the result; csv by default");
  add("output,o", po::value<std::string>()->value_name("FILE"),
      "where the result goes; standard output by default");
  add("top", po::value<std::string>()->value_name("K"), "the K likeliest classes of each sample");
  add("all", po::bool_switch(), "the probability of every class");
  add_file_option(add);
  add_threads_option(add);
  add_no_fuse_option(add);
}

// Names of classes and columns are those that the model was trained on, whatever the data say now.
void take_names_of(const std::string& weights, Program& program) {
  const auto file = find_checkpoint(weights);
  if (!file) return;
  const auto checkpoint = open_checkpoint(*file);
  if (!checkpoint || !checkpoint->progress.source) return;  // a file of weights alone
  const DescribedData& source = *checkpoint->progress.source;
  if (source.dataset != program.data.dataset->entry().name()) return;
  for (DataDescription& stage : program.data.stages) {
    for (auto& field : stage.fields) {
      const int index = source.description.find_field(field.name);
      if (index < 0) continue;
      const auto& before = source.description.fields[static_cast<std::size_t>(index)];
      if (before.classes == field.classes && before.shape == field.shape)
        field.class_names = before.class_names;
    }
  }
}

ExitCode run(Invocation& invocation) {
  invocation.expect_words(2, 2, "a run folder or a weights file, and a file of samples");
  const std::string &weights = invocation.words[0], &input = invocation.words[1];
  const std::string format = invocation.text("format", "csv");
  if (format != "csv" && format != "json") {
    usage_failure(fmt::format("`--format` takes csv or json; found `{}`", format));
  }
  PredictionStyle style;
  style.top = static_cast<int>(invocation.integer("top", 1, 1, 1'000'000));
  style.all = invocation.has("all");
  const int threads = invocation.threads();
  for (const std::string& read : {input, weights})
    refuse_overwriting(invocation.text("output"), read);
  if (style.all && invocation.has("top")) usage_failure("`--all` and `--top` exclude each other");

  const auto loaded = load_model_of(invocation, weights);
  Program& program = loaded->program;
  if (!program.has_data) {
    throw Failure{Error{
        ExitCode::kModel, fmt::format("the model `{}` has no data section", program.graph.name),
        "it says how inputs are transformed; name a file that has one: --file models/NAME.model"}};
  }
  take_names_of(weights, program);
  SampleSource samples = value_or_end(open_samples(input, program));
  for (const std::string& file : samples.files) refuse_overwriting(invocation.text("output"), file);
  Prediction prediction = value_or_end(predict(program, weights, samples.read, samples.count,
                                               threads, executor_options(invocation)));

  style.files = std::move(samples.files);
  style.classification = is_classification(program, prediction);
  drop_plain_names(prediction);
  if (!style.classification && (style.all || invocation.has("top"))) {
    usage_failure(fmt::format("`{}` gives values, not classes; `--top` and `--all` are for classes",
                              program.graph.name));
  }
  if (style.classification && !prediction.probabilities) apply_softmax(prediction);
  const std::string text =
      format == "json" ? predictions_json(prediction, style) : predictions_csv(prediction, style);
  if (invocation.has("output")) {
    end_unless(write_output(invocation.text("output"), text));
  } else {
    invocation.console().out(text);
  }
  return ExitCode::kDone;
}

}  // namespace

const Command kPredictCommand = {
    .name = "predict",
    .summary = "apply a trained model to samples in files",
    .usage = "RUN|WEIGHTS INPUT [path=value …]",
    .about =
        "INPUT is an IDX file (the MNIST format), NPY, or CSV with one sample a line; each may be "
        "gzipped, and - is\n"
        "standard input. Samples are as the data set has them: the transforms of the model's data "
        "section are applied.\n"
        "A model of a table (CSV) takes tables with the columns that it was trained on, in any "
        "order.\n"
        "Models of images also take a PNG or JPEG file, or a folder of them: pictures get the "
        "model's size and channels\n"
        "as ImageFolder gives them (by the data set's `fit`, else stretched).\n"
        "Prints index, class and probability of each sample, or the values where the model does "
        "not classify; of\n"
        "pictures the file, too.\n",
    .examples =
        "predict runs/mnist_mlp_bn/1 t10k-images-idx3-ubyte\n"
        "predict runs/mnist_mlp_bn/1 digits.csv --top 3 --format json --output digits.json\n"
        "predict runs/spirals/1 points.npy --all\n"
        "predict runs/photos/1 holiday/\n",
    .overrides = true,
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
