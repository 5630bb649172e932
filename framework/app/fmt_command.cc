// trainer fmt: model files in canonical form.
#include <algorithm>
#include <boost/program_options/value_semantic.hpp>
#include <limits>

#include "framework/app/files.h"
#include "framework/app/model_files.h"
#include "framework/base/utf8.h"
#include "framework/dsl/parser.h"
#include "framework/dsl/printer.h"

namespace strata::app {
namespace {

void options(boost::program_options::options_description_easy_init add) {
  add("check", boost::program_options::bool_switch(),
      "write nothing; list the files that would change and exit with 3");
}

// What became of one file.
enum class Outcome { kSame, kChanges, kFailed };

Outcome format_file(Invocation& invocation, const std::string& path, bool check, ExitCode& code) {
  Console& console = invocation.console();
  const bool stream = path == "-";
  const auto failed = [&](const Error& error) {
    console.error(error);
    code = error.code;
    return Outcome::kFailed;
  };
  const auto text = read_input(path);
  if (!text.ok()) return failed(text.error());
  const SourceFile source(stream ? "standard input" : path, *text);
  Diagnostics diagnostics;
  const dsl::File file = dsl::parse_file(source, diagnostics);
  if (diagnostics.has_errors()) {
    console.show(diagnostics);
    code = ExitCode::kModel;
    return Outcome::kFailed;
  }
  const std::string canonical = dsl::print(file);
  if (stream && !check) console.out(canonical);
  if (canonical == *text) return Outcome::kSame;
  if (check) {
    console.out(fmt::format("{}\n", stream ? "standard input" : path));
  } else if (!stream) {
    if (const Status written = write_output(path, canonical); !written.ok())
      return failed(written.error());
    console.err(fmt::format("formatted {}\n", safe_text(path)));
  }
  return Outcome::kChanges;
}

ExitCode run(Invocation& invocation) {
  invocation.expect_words(1, std::numeric_limits<std::size_t>::max(),
                          "a model file, or - for standard input");
  if (std::count(invocation.words.begin(), invocation.words.end(), "-") > 1)
    usage_failure("`-` is given twice, and standard input is read once");
  const bool check = invocation.has("check");
  ExitCode code = ExitCode::kDone;
  bool changes = false;
  for (const std::string& path : invocation.words) {
    changes |= format_file(invocation, path, check, code) == Outcome::kChanges;
  }
  return check && changes && code == ExitCode::kDone ? ExitCode::kModel : code;
}

}  // namespace

const Command kFmtCommand = {
    .name = "fmt",
    .summary = "write model files in the canonical form",
    .usage = "FILE…",
    .about =
        "Lays out model files in the one canonical form; comments and groups of lines are kept. A "
        "file is rewritten in\n"
        "one step and only where something changes; one with mistakes in its syntax is left alone. "
        "- reads standard\n"
        "input and prints the result.\n",
    .examples =
        "fmt models/mnist_mlp.model\n"
        "fmt --check models/*.model\n"
        "fmt - < draft.model\n",
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
