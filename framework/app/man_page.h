// The manual page, trainer(1), from the table of commands.
#pragma once

#include <string>

namespace strata::app {

// Roff, with the macros of man(7); plain ASCII.
std::string man_page();

}  // namespace strata::app
