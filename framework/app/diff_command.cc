// trainer diff: what is different about two runs.
#include "framework/app/model_files.h"
#include "framework/report/difference.h"

namespace strata::app {
namespace {

void options(boost::program_options::options_description_easy_init add) { add_json_option(add); }

ExitCode run(Invocation& invocation) {
  invocation.expect_words(2, 2, "two run folders");
  std::vector<report::RunRecord> runs;
  for (const std::string& word : invocation.words) {
    auto found = value_or_end(report::read_runs({word}));
    if (found.size() != 1)
      usage_failure("`" + word + "` holds " + std::to_string(found.size()) + " runs",
                    "name one of them, like " + found[0].path);
    runs.push_back(std::move(found[0]));
  }
  if (runs[0].name == runs[1].name) runs[0].name = runs[0].path, runs[1].name = runs[1].path;
  const report::RunDifference found = report::difference_of(runs[0], runs[1]);
  invocation.console().out(invocation.has("json")
                               ? report::difference_json(runs[0], runs[1], found)
                               : report::difference_text(runs[0], runs[1], found));
  return ExitCode::kDone;
}

}  // namespace

const Command kDiffCommand = {
    .name = "diff",
    .summary = "show what differs between two runs, and where their results part",
    .usage = "RUN RUN",
    .about =
        "Compares the resolved files key by key, the data, the seeds, the plugins and the "
        "environment, and then the figures\n"
        "to the last digit: the first epoch after which they are not equal, and the step up to "
        "which they were. The exit\n"
        "code is 0 whether or not they differ.\n",
    .examples =
        "diff runs/mnist_mlp_bn/1 runs/mnist_mlp_bn/2\n"
        "diff runs/spirals/1 runs/spirals/2 --json\n",
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
