// The command line of `trainer`, from its arguments to an exit code.
#pragma once

#include <string>
#include <vector>

namespace strata::app {

// Runs one command; returns the process's exit code. Throws nothing.
int run_trainer(int argc, const char* const* argv);

// Whether a word sets something in the model file: "train.epochs=3".
bool is_override(const std::string& word);

}  // namespace strata::app
