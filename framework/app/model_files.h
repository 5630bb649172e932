// Model files as commands name them, and the models that trained weights carry with them.
#pragma once

#include <memory>
#include <string>

#include "framework/app/command.h"
#include "framework/graph/program.h"

namespace strata::app {

// A program with the texts that its spans point into.
struct LoadedModel {
  Sources sources;
  Program program;
};

// As load_program, and reads standard input (`-`) and pipes.
Result<std::optional<Program>> load_input(const std::string& path, const Registry& registry,
                                          Sources& sources, Diagnostics& diagnostics,
                                          const ElaborateOptions& options);

// Loads FILE with the invocation's overrides (and --strict where the command has it). Prints all
// diagnostics; a wrong model ends the command.
std::unique_ptr<LoadedModel> load_model(Invocation& invocation, const std::string& path);

// Loads the model of trained weights: --file where it was given, else what the run folder or
// checkpoint holds.
std::unique_ptr<LoadedModel> load_model_of(Invocation& invocation, const std::string& weights);

// What a command ends with after these diagnostics: kDone, kModel, or kPlugin where a plugin that a
// file requires is missing (what else is wrong may follow from that).
ExitCode exit_code_of(const Diagnostics& diagnostics);

// The value, or the end of the command with the error.
template <class T>
T value_or_end(Result<T> result) {
  if (!result.ok()) throw Failure{result.error()};
  return std::move(result).value();
}
inline void end_unless(const Status& status) {
  if (!status.ok()) throw Failure{status.error()};
}

// Options that several commands have.
void add_threads_option(boost::program_options::options_description_easy_init& add);
void add_strict_option(boost::program_options::options_description_easy_init& add);
void add_file_option(boost::program_options::options_description_easy_init& add);
void add_json_option(boost::program_options::options_description_easy_init& add);

}  // namespace strata::app
