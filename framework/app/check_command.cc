// trainer check: everything that can be wrong with model files, said without training.
#include <boost/program_options/value_semantic.hpp>
#include <limits>
#include <memory>
#include <vector>

#include "framework/app/files.h"
#include "framework/app/format.h"
#include "framework/app/model_files.h"

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

ExitCode run(Invocation& invocation) {
  invocation.expect_words(1, std::numeric_limits<std::size_t>::max(), "a model file");
  Console& console = invocation.console();
  Sources sources;
  // All files together: one list, sorted, with one closing line.
  Diagnostics all(std::numeric_limits<int>::max());
  ExitCode code = ExitCode::kDone;
  std::string successes;
  for (const std::string& path : invocation.words) {
    Diagnostics diagnostics;
    ElaborateOptions elaborate;
    elaborate.overrides = invocation.overrides;
    elaborate.strict = invocation.has("strict");
    Status readable = check_readable(path);
    if (readable.ok()) {
      const auto program =
          load_program(path, invocation.registry(), sources, diagnostics, elaborate);
      if (!program.ok()) {
        readable = program.error();
      } else if (*program) {
        successes += success_line(path, **program, diagnostics.warnings());
      }
    }
    for (Diagnostic& diagnostic : diagnostics.sorted()) all.add(std::move(diagnostic));
    if (readable.ok()) continue;
    console.error(readable.error());
    code = readable.error().code;  // the others are checked all the same
  }
  if (all.has_errors()) code = ExitCode::kModel;
  if (invocation.has("json")) {
    console.out(render_json(all) + "\n");
    return code;
  }
  console.show(all);
  console.out(successes);
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
        "wrong.\n",
    .examples =
        "check models/mnist_mlp.model\n"
        "check models/*.model --strict\n"
        "check models/mnist_mlp.model train.batch_size=1 --json\n",
    .overrides = true,
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
