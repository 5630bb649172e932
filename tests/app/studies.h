// Studies of models/spirals.model, run as users run them.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/app/run_trainer.h"

namespace strata::testing {

// spirals.model with a study `s` of these lines.
std::string spirals(const std::string& study);

// The call, with --resume where its study has begun in `runs`.
std::vector<std::string> begun_or_not(std::vector<std::string> call, const std::string& runs);

// What `trainer study --json` says of a study that was run.
nlohmann::json results(const std::string& file, const std::string& runs);
// All but times and places.
nlohmann::json lasting(nlohmann::json json);

// Kills a study by this signal when so many checkpoints are saved in `runs`.
RunOptions kill_when_saved(int signal, const std::string& runs, std::size_t checkpoints);

}  // namespace strata::testing
