// The commands of `trainer`: a table that parsing, help and dispatch share, and what a command gets
// to run with.
//
// To add a command: one file `NAME_command.cc` that defines its row, declared below, and its line
// in commands().
#pragma once

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/app/console.h"
#include "framework/base/error.h"
#include "framework/plugin/registry.h"

namespace strata::app {

class Invocation;

struct Command {
  std::string_view name;
  std::string_view summary;  // one line for the list of commands
  std::string_view
      usage;  // what follows the name: "FILE [path=value …]"; completion.h says what completes FILE
  std::string_view about;     // a paragraph or two for `trainer help NAME`; ends with a line end
  std::string_view examples;  // lines without the program's name: "train models/mnist_mlp.model\n"
  bool overrides = false;     // whether path=value words are settings of the model file
  void (*options)(boost::program_options::options_description_easy_init add) =
      nullptr;  // null: only the common ones
  ExitCode (*run)(Invocation& invocation) = nullptr;
};

// All of them, in the order of the list that help prints.
const std::vector<const Command*>& commands();
const Command* find_command(std::string_view name);  // null where there is none
// The options of one command, with those that all have.
boost::program_options::options_description options_of(const Command& command);

// One of them as it is typed.
struct OptionForms {
  std::vector<std::string> names;  // "-q", "--quiet"
  std::string value;               // its placeholder, "FILE"; empty for a switch
  std::string description;
};
std::vector<OptionForms> option_forms(const Command& command);
std::vector<OptionForms> common_options();  // those that all commands have

extern const Command kTrainCommand, kCheckCommand, kSummaryCommand, kGraphCommand, kTimeCommand,
    kLrCommand, kBatchCommand, kInitCommand, kEvalCommand, kPredictCommand, kExportCommand,
    kImportCommand, kVerifyCommand, kStudyCommand, kReportCommand, kDiffCommand, kExplainCommand,
    kFmtCommand, kPluginsCommand, kPluginCommand, kReferenceCommand, kCompletionCommand,
    kManCommand, kVersionCommand, kHelpCommand;

// Thrown once everything was said, to end the command with this code.
struct Stop {
  ExitCode code;
};

// Ends the command: the command line is wrong.
[[noreturn]] void usage_failure(std::string message, std::string hint = {});

// One command as it was called.
class Invocation {
 public:
  Invocation(const Command& command, Console& console) : command_(command), console_(console) {}

  const Command& command() const { return command_; }
  Console& console() { return console_; }
  // What is built in and what plugin folders hold, loaded at first use. A library that is refused
  // is a note, or the end of the command where it lies in a folder that the command line names.
  const Registry& registry();
  // The same with nothing said of what was refused: the registry knows.
  const Registry& registry_in_silence();

  std::vector<std::string> words;      // all that is neither an option nor an override
  std::vector<std::string> overrides;  // "train.epochs=1"
  boost::program_options::variables_map flags;

  bool has(const char* flag) const;  // a switch that is on, or an option with a value
  std::string text(const char* flag, std::string fallback = {}) const;
  // An option's integer in [least, most]; anything else ends the command.
  std::int64_t integer(const char* flag, std::int64_t fallback, std::int64_t least,
                       std::int64_t most = std::numeric_limits<std::int64_t>::max()) const;
  int threads() const;  // --threads, 0 where it was not given

  // The single word; `what` names it in messages: "a model file".
  const std::string& only_word(std::string_view what) const;
  // Ends the command where there are fewer or more words.
  void expect_words(std::size_t least, std::size_t most, std::string_view what) const;

 private:
  const Command& command_;
  Console& console_;
  std::optional<Registry> registry_;
};

}  // namespace strata::app
