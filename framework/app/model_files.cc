#include "framework/app/model_files.h"

#include <algorithm>
#include <boost/program_options/value_semantic.hpp>
#include <filesystem>

#include "framework/app/files.h"
#include "framework/base/utf8.h"
#include "framework/train/checkpoint.h"

namespace strata::app {
namespace fs = std::filesystem;
namespace po = boost::program_options;
namespace {

ElaborateOptions elaborate_options(const Invocation& invocation) {
  ElaborateOptions options;
  options.overrides = invocation.overrides;
  options.strict = invocation.has("strict");
  return options;
}

std::unique_ptr<LoadedModel> finish(Invocation& invocation, std::unique_ptr<LoadedModel> loaded,
                                    Result<std::optional<Program>> program,
                                    const Diagnostics& diagnostics, bool warnings = true) {
  if (warnings || diagnostics.has_errors()) invocation.console().show(diagnostics);
  if (!program.ok()) throw Failure{program.error()};
  if (!*program) throw Stop{exit_code_of(diagnostics)};
  loaded->program = std::move(**program);
  return loaded;
}

// What messages call the model that a run folder or checkpoint holds; paths in it are relative to
// that place.
std::string name_of_model(const std::string& weights) {
  std::error_code ignored;
  const fs::path path(weights);
  if (fs::is_directory(path, ignored)) return (path / "model.model").string();
  const fs::path beside = path.parent_path().parent_path() / "model.model";
  if (path.parent_path().filename() == "checkpoints" && fs::exists(beside, ignored))
    return beside.string();
  return weights;
}

}  // namespace

ExitCode exit_code_of(const Diagnostics& diagnostics) {
  if (!diagnostics.has_errors()) return ExitCode::kDone;
  const std::vector<Diagnostic>& all = diagnostics.all();
  const bool plugin = std::any_of(all.begin(), all.end(), [](const Diagnostic& d) {
    return d.severity == Severity::kError &&
           (d.code == "missing-plugin" || d.code == "plugin-failed");
  });
  return plugin ? ExitCode::kPlugin : ExitCode::kModel;
}

Result<std::optional<Program>> load_input(const std::string& path, const Registry& registry,
                                          Sources& sources, Diagnostics& diagnostics,
                                          const ElaborateOptions& options) {
  std::error_code ignored;
  const bool stream = path == "-";
  if (!stream) {
    if (const Status readable = check_readable(path); !readable.ok()) return readable.error();
    if (fs::is_regular_file(path, ignored))
      return load_program(path, registry, sources, diagnostics, options);
  }
  Result<std::string> text = read_input(path);
  if (!text.ok()) return text.error();
  return elaborate_text(stream ? "standard input" : path, std::move(*text), registry, sources,
                        diagnostics, options);
}

std::unique_ptr<LoadedModel> load_model(Invocation& invocation, const std::string& path) {
  auto loaded = std::make_unique<LoadedModel>();
  Diagnostics diagnostics;
  auto program = load_input(path, invocation.registry(), loaded->sources, diagnostics,
                            elaborate_options(invocation));
  return finish(invocation, std::move(loaded), std::move(program), diagnostics);
}

std::unique_ptr<LoadedModel> load_model_of(Invocation& invocation, const std::string& weights) {
  if (weights.ends_with(".model")) {
    usage_failure(fmt::format("`{}` is a model file; `{}` wants a run folder or a weights file",
                              safe_text(weights), invocation.command().name),
                  fmt::format("`{} train {}` makes a run", program_name(), shell_quoted(weights)));
  }
  std::error_code ignored;
  if (!fs::is_directory(weights, ignored)) end_unless(check_readable(weights, ExitCode::kData));
  if (invocation.has("file")) return load_model(invocation, invocation.text("file"));
  // A run without a sound checkpoint has nothing to use; that is said before anything else.
  const std::string checkpoint_file = value_or_end(find_checkpoint(weights));
  std::string text = value_or_end(model_of(weights));
  if (text.empty()) {
    throw Failure{
        Error{ExitCode::kUsage,
              fmt::format("`{}` holds weights, but not the model that they belong to", weights),
              "say which it is: --file models/NAME.model"}};
  }
  auto loaded = std::make_unique<LoadedModel>();
  Diagnostics diagnostics;
  ElaborateOptions options = elaborate_options(invocation);
  if (options.overrides.empty()) {
    if (const auto checkpoint = open_checkpoint(checkpoint_file))
      options.trained_on = checkpoint->progress.source;
  }
  auto program = elaborate_text(name_of_model(weights), std::move(text), invocation.registry(),
                                loaded->sources, diagnostics, options);
  // Its warnings were shown when it was trained.
  return finish(invocation, std::move(loaded), std::move(program), diagnostics, /*warnings=*/false);
}

void add_threads_option(po::options_description_easy_init& add) {
  add("threads", po::value<std::string>()->value_name("N"),
      "how many threads work; all cores by default");
}

void add_strict_option(po::options_description_easy_init& add) {
  add("strict", po::bool_switch(), "warnings are errors");
}

void add_file_option(po::options_description_easy_init& add) {
  add("file", po::value<std::string>()->value_name("MODEL"),
      "use this model file instead of the one in the run");
}

void add_json_option(po::options_description_easy_init& add) {
  add("json", po::bool_switch(), "results as JSON, for programs");
}

}  // namespace strata::app
