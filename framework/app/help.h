// What `trainer help` prints, from the table of commands.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/app/command.h"

namespace strata::app {

// What each exit code says.
const std::vector<std::pair<int, std::string_view>>& exit_codes();

std::string overview(const Paint& paint);                           // all commands and exit codes
std::string help_text(const Command& command, const Paint& paint);  // usage, options, examples
std::string version_text();
// Ends the command: there is no such command; says what exists and the nearest name.
[[noreturn]] void unknown_command(const std::string& name);

}  // namespace strata::app
