// trainer check: everything that can be wrong with model files, said without training.
#include <boost/program_options/value_semantic.hpp>
#include <filesystem>
#include <limits>
#include <memory>
#include <set>
#include <vector>

#include "framework/app/files.h"
#include "framework/app/format.h"
#include "framework/app/model_files.h"
#include "framework/base/utf8.h"

namespace strata::app {
namespace {

void options(boost::program_options::options_description_easy_init add) {
  add_strict_option(add);
  add_json_option(add);
}

std::string success_line(const std::string& path, const Program& program, int warnings) {
  std::string facts =
      fmt::format("{}: {} layers, {} parameters", program.graph.name, program.graph.nodes.size(),
                  grouped(program.graph.parameter_count()));
  if (!program.has_train) facts += ", nothing to train it with";
  return fmt::format("{}: ok ({}{})\n", path, facts,
                     warnings > 0 ? ", " + counted(warnings, "warning") : "");
}

// Where several files are checked, each one gets a line on standard output.
std::string failure_line(const std::string& path, const Diagnostics& diagnostics) {
  return fmt::format(
      "{}: {}{}\n", safe_text(path), counted(diagnostics.errors(), "error"),
      diagnostics.warnings() > 0 ? ", " + counted(diagnostics.warnings(), "warning") : "");
}

// The words without those that name a file again.
std::vector<std::string> distinct_files(const std::vector<std::string>& words) {
  std::vector<std::string> files;
  std::set<std::string> seen;
  for (const std::string& word : words) {
    std::error_code error;
    const std::filesystem::path whole = std::filesystem::weakly_canonical(word, error);
    if (seen.insert(error ? word : whole.string()).second) files.push_back(word);
  }
  return files;
}

ExitCode run(Invocation& invocation) {
  invocation.expect_words(1, std::numeric_limits<std::size_t>::max(), "a model file");
  Console& console = invocation.console();
  Sources sources;
  // All files together: one list, sorted, with one closing line.
  Diagnostics all(std::numeric_limits<int>::max());
  ExitCode unreadable = ExitCode::kDone, wrong = ExitCode::kDone;
  const bool json = invocation.has("json");
  const std::vector<std::string> files = distinct_files(invocation.words);
  std::string lines;
  for (const std::string& path : files) {
    Diagnostics diagnostics;
    ElaborateOptions elaborate;
    elaborate.overrides = invocation.overrides;
    elaborate.strict = invocation.has("strict");
    Status readable;
    const auto program = load_input(path, invocation.registry(), sources, diagnostics, elaborate);
    if (!program.ok()) {
      readable = program.error();
    } else if (*program) {
      lines +=
          success_line(path == "-" ? "standard input" : path, **program, diagnostics.warnings());
    }
    if (diagnostics.has_errors() && wrong != ExitCode::kPlugin) wrong = exit_code_of(diagnostics);
    if (!readable.ok()) {
      unreadable = readable.error().code;  // the others are checked all the same
      if (json) {
        diagnostics
            .error("unreadable-file", {&sources.add(path, ""), 0, 0}, readable.error().message)
            .help = readable.error().hint;
      } else {
        console.error(readable.error());
      }
    }
    if (files.size() > 1) {
      if (!readable.ok()) {
        lines += fmt::format("{}: not read\n", safe_text(path));
      } else if (diagnostics.has_errors()) {
        lines += failure_line(path, diagnostics);
      }
    }
    if (diagnostics.cut()) all.set_cut();
    for (Diagnostic& diagnostic : diagnostics.sorted()) all.add(std::move(diagnostic));
  }
  const ExitCode code = wrong == ExitCode::kDone ? unreadable : wrong;
  if (json) {
    console.out(render_json(all) + "\n");
    return code;
  }
  console.show(all);
  console.out(lines);
  return code;
}

}  // namespace

const Command kCheckCommand = {
    .name = "check",
    .summary = "find all mistakes in model files, without training",
    .usage = "FILE… [path=value …]",
    .about =
        "Checks names, types, ranges and shapes through the whole model and prints every mistake "
        "with its place,\n"
        "what is allowed and the nearest name. Reads no data. The exit code is 3 where any file is "
        "wrong,\n"
        "5 where one requires a plugin that is missing, 2 where one cannot be read.\n",
    .examples =
        "check models/mnist_mlp.model\n"
        "check models/*.model --strict\n"
        "check models/mnist_mlp.model train.batch_size=1 --json\n",
    .overrides = true,
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
