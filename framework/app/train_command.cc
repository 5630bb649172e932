// trainer train: a model file to a run folder, with progress on the screen and a verdict at the
// end.
#include <boost/program_options/value_semantic.hpp>
#include <cmath>
#include <filesystem>

#include "framework/app/files.h"
#include "framework/app/format.h"
#include "framework/app/fuse_option.h"
#include "framework/app/interrupt.h"
#include "framework/app/last_words.h"
#include "framework/app/model_files.h"
#include "framework/app/progress.h"
#include "framework/base/atomic_file.h"
#include "framework/base/utf8.h"
#include "framework/graph/summary.h"
#include "framework/report/page.h"
#include "framework/report/predictions.h"
#include "framework/train/checkpoint.h"
#include "framework/train/training.h"

namespace strata::app {
namespace {

namespace po = boost::program_options;

void options(po::options_description_easy_init add) {
  add_threads_option(add);
  add("runs", po::value<std::string>()->value_name("DIR"),
      "where run folders are made; runs by default");
  add("run", po::value<std::string>()->value_name("DIR"),
      "exactly this folder for the run, instead of the next number");
  add("init", po::value<std::string>()->value_name("WEIGHTS"),
      "start from these weights (safetensors, a run or a checkpoint)");
  add("resume", po::value<std::string>()->value_name("RUN"),
      "go on with an interrupted run; no FILE is needed");
  add_no_fuse_option(add);
  add("quiet,q", po::bool_switch(), "print the verdict alone");
  add_strict_option(add);
}

std::vector<std::string> verdict_row(std::string_view label, const EpochReport& report,
                                     const std::vector<std::string>& names) {
  std::vector<std::string> row = {std::string(label)};
  for (const std::string& name : names) {
    const double* value = find_figure(report.figures, name);
    row.push_back(value ? figure(name, *value) : "");
  }
  row.push_back(fmt::format("epoch {}", report.epoch));
  return row;
}

// Best and last epoch by their validation figures, or training figures where there is no
// validation.
std::string figures_table(const EndReport& end, bool validation) {
  if (!end.last) return {};
  const std::string prefix = validation ? "val." : "train.";
  std::vector<std::string> names;
  for (const auto& [name, value] : end.last->figures) {
    if (name.rfind(prefix, 0) == 0 && !report::is_confusion_cell(name)) names.push_back(name);
  }
  std::vector<std::vector<std::string>> rows = {{""}};
  for (const std::string& name : names) rows[0].push_back(figure_label(name));
  if (end.best) rows.push_back(verdict_row("best", *end.best, names));
  rows.push_back(verdict_row("last", *end.last, names));
  return table(rows, 1) + "\n";
}

std::string trained_for(const TrainOutcome& outcome) {
  const EndReport& end = outcome.end;
  const std::int64_t epochs = end.last ? end.last->epoch : outcome.facts.epochs;
  return end.reason.empty()
             ? counted(epochs, "epoch")
             : fmt::format("{} of {}", grouped(epochs), counted(outcome.facts.epochs, "epoch"));
}

// What is left of a run that broke off.
std::string left_over(const TrainOutcome& outcome) {
  if (outcome.unsaved) return "the result is not where it belongs";
  if (outcome.checkpoint.empty()) return "nothing was saved yet";
  return fmt::format("the last good checkpoint is {}", safe_text(outcome.checkpoint));
}

std::string verdict(const TrainOutcome& outcome, const Paint& paint) {
  const EndReport& end = outcome.end;
  const RunFacts& facts = outcome.facts;
  const std::string folder = shell_quoted(outcome.folder);
  std::string out = "\n";
  if (outcome.already_done) {
    out += paint.green("done already:") + fmt::format(" {} has trained for {}{}\n\n", facts.model,
                                                      trained_for(outcome),
                                                      end.reason.empty() ? "" : "; " + end.reason);
  } else if (end.status == "done") {
    out += paint.green("done:") + fmt::format(" {} trained for {} in {}{}\n\n", facts.model,
                                              trained_for(outcome), duration(end.seconds),
                                              end.reason.empty() ? "" : "; " + end.reason);
  } else if (end.status == "interrupted") {
    out += paint.bold("interrupted:") +
           fmt::format(" after {}; everything is saved\n\n", duration(end.seconds));
  } else {
    out += paint.red(end.status + ":") +
           fmt::format(" after {}; {}\n\n", duration(end.seconds), left_over(outcome));
  }
  out += figures_table(end, facts.val_samples > 0);
  if (!outcome.unsaved) out += fmt::format("results are in {}\n", safe_text(outcome.folder));
  const std::string& me = program_name();
  std::vector<std::vector<std::string>> uses;
  if (end.status == "interrupted")
    uses.push_back({fmt::format("{} train --resume {}", me, folder), "goes on from here"});
  if (outcome.already_done) {
    const std::string more = end.reason.empty() ? "train.epochs=…" : "train.patience=…";
    uses.push_back({fmt::format("{} train --resume {} {}", me, folder, more), "trains on"});
  }
  if (end.status == "done") {
    uses.push_back({fmt::format("{} eval {}", me, folder), "figures on a split"});
    uses.push_back(
        {fmt::format("{} predict {} INPUT", me, folder), "classes or values for new samples"});
  }
  return out + table(uses, 2);
}

// The run's own model. Where that file is gone, the checkpoint has it too.
std::unique_ptr<LoadedModel> load_resumed(Invocation& invocation, const std::string& resume) {
  if (is_unstarted_run(resume)) return load_model(invocation, resume + "/model.model");
  std::error_code ignored;
  if (resume.ends_with(".model") || !std::filesystem::exists(resume, ignored))
    return load_model_of(invocation, resume);  // says what is wrong
  const std::string checkpoint = value_or_end(find_checkpoint(resume));
  const std::string file = value_or_end(run_folder_of(checkpoint)) + "/model.model";
  const bool there = std::filesystem::exists(file, ignored);
  const std::string found = there ? value_or_end(read_ordinary_file(file)) : "";
  if (found.find_first_not_of(" \n") == std::string::npos) {
    const std::string text = value_or_end(model_of(checkpoint));
    if (text.empty()) end_unless(check_readable(file, ExitCode::kData));
    invocation.console().err(
        fmt::format("warning: `{}` is {}; it is written again as `{}` has it\n", safe_text(file),
                    there ? "empty" : "missing", safe_text(checkpoint)));
    end_unless(write_file_atomically(file, text));
  }
  return load_model(invocation, file);
}

std::unique_ptr<LoadedModel> load(Invocation& invocation) {
  if (!invocation.has("resume"))
    return load_model(invocation, invocation.only_word("a model file"));
  invocation.expect_words(0, 1, "");
  if (!invocation.words.empty()) return load_model(invocation, invocation.words[0]);
  return load_resumed(invocation, invocation.text("resume"));
}

// Shows the layers once nothing stands against training them.
class LayerTable final : public Observer {
 public:
  LayerTable(Console& console, const Program& program) : console_(console), program_(program) {}
  void on_start(const RunFacts&) override {
    const TrainSettings& train = program_.train;
    console_.out(summary_table(program_.graph, train.batch_size, train.precision) + "\n");
  }

 private:
  Console& console_;
  const Program& program_;
};

// Lets the last words of a crash say how the run goes on.
class ResumeAdvice final : public Observer {
 public:
  ~ResumeAdvice() override { set_run_of_last_words(""); }
  void on_start(const RunFacts& facts) override { set_run_of_last_words(facts.folder); }
};

ExitCode run(Invocation& invocation) {
  const InterruptGuard interrupt("finishing the step and saving", /*saves=*/true);
  for (const auto& [a, b] :
       {std::pair("resume", "init"), {"resume", "run"}, {"resume", "runs"}, {"run", "runs"}}) {
    if (invocation.has(a) && invocation.has(b))
      usage_failure(fmt::format("`--{}` and `--{}` exclude each other", a, b));
  }
  for (const char* option : {"run", "runs", "init", "resume"}) {
    if (invocation.has(option) && invocation.text(option).empty()) {
      usage_failure(fmt::format("`--{}` needs a path, and got an empty one", option));
    }
  }
  TrainOptions options;
  options.threads = invocation.threads();
  options.runs_folder = invocation.text("runs", options.runs_folder);
  options.run_folder = invocation.text("run");
  options.init_file = invocation.text("init");
  options.resume = invocation.text("resume");
  options.fuse = executor_options(invocation).fuse;

  const auto loaded = load(invocation);
  const Program& program = loaded->program;
  Console& console = invocation.console();
  const bool quiet = invocation.has("quiet");
  LayerTable layers(console, program);
  ProgressDisplay display(console, quiet);
  if (!quiet) options.observers.push_back(&layers);
  options.observers.push_back(&display);
  ResumeAdvice advice;
  options.observers.push_back(&advice);
  options.stop = &interrupt.flag();
  options.save = &interrupt.save();
  const TrainOutcome outcome = value_or_end(train(program, options));

  if (!outcome.already_done && !outcome.unsaved) {
    const Status page = report::write_run_page(outcome.folder);
    if (!page) console.err(fmt::format("warning: no report: {}\n", page.error().message));
  }
  std::string text = verdict(outcome, console.paint());
  console.out(quiet ? text.substr(1) : text);
  if (outcome.end.status == "done") return ExitCode::kDone;
  if (outcome.end.status == "interrupted") return ExitCode::kInterrupted;
  Error error{outcome.end.code, outcome.end.message, outcome.end.hint};
  if (error.hint.empty() && error.code == ExitCode::kDiverged) {
    error.hint =
        "a lower train.optimizer.lr is the usual cure; also look for inputs that are not "
        "normalized";
  }
  throw Failure{error};
}

}  // namespace

const Command kTrainCommand = {
    .name = "train",
    .summary = "train the model of a file",
    .usage = "FILE [path=value …]",
    .about =
        "Checks the file, trains its model on its data and writes a run folder, runs/MODEL/NUMBER: "
        "the resolved model,\n"
        "a log of figures (metrics.jsonl) and checkpoints. A path=value overrides any setting or "
        "param of the file.\n"
        "Ctrl-C finishes the step, saves, and says how to go on; the exit code is then 130. "
        "SIGUSR1 "
        "(kill -USR1 PID) saves\n"
        "and goes on. A resumed run takes overrides of train.epochs, train.steps, train.patience, "
        "train.min_delta and\n"
        "train.checkpoint_*; with others it would not go on the same way, and says so.\n",
    .examples =
        "train models/mnist_mlp_bn.model\n"
        "train models/mnist_mlp_bn.model train.epochs=3 train.optimizer.lr=0.01 --threads 4\n"
        "train --resume runs/mnist_mlp_bn/1\n"
        "train --resume runs/mnist_mlp_bn/1 train.epochs=20\n",
    .overrides = true,
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
