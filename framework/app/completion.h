// Scripts that complete a command line of `trainer`, made from the table of commands.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/app/command.h"

namespace strata::app {

// What may stand in one place of a command line, read from its placeholder.
struct Slot {
  enum Kind {
    kNothing,  // only the user knows: a number
    kModel,    // a model file
    kRun,      // a run folder, or a file of weights
    kFolder,
    kFile,
    kName,  // what `explain` knows
    kCommand,
    kUnknown,  // a placeholder that completion has not heard of; its table is beside slot_of()
  };
  Kind kind = kNothing;
  std::vector<std::string> choices;  // words as they are typed
  bool repeated = false;             // any number of them
};

// "FILE…", "RUN|WEIGHTS", "svg|dot", "train|val|…": lower case is typed as it is, upper case stands
// for something. FILE is a model file among words, any file as the value of an option.
enum class Place { kWord, kOptionValue };
Slot slot_of(std::string_view placeholder, Place place);
// The words of a command, in order, from its usage; options and overrides are left out.
std::vector<Slot> word_slots(const Command& command);

// For bash from 5.1 on. `registry` has the names that `explain` is asked for.
std::string bash_completion(const Registry& registry);
// For zsh: to be sourced, or a file `_trainer` in a folder of $fpath.
std::string zsh_completion(const Registry& registry);

}  // namespace strata::app
