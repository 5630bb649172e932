// What the process says where it has to end at once: a crash, abort, an exception that nobody
// catches, exit() from within, on any thread. One message names what ran and whose it was, and says
// how a run goes on; the exit code is 5 for a plugin of others and 1 for what is built in.
#pragma once

#include <string>

namespace strata::app {

// For the whole process, at its start. Sanitizers keep their own handlers of crashes.
void install_last_words();

// The program is through: exit() is meant from here on.
void expect_exit();

// In a child whose parent watches how it ends: a crash is a signal again, exit() just an end.
void leave_without_words();

// In a child: what was to be said on standard error goes to this file as one line, "!SENTENCE".
void send_last_words_to(int file);

// Where a run is being trained: its last checkpoint is said, and how it goes on. Empty: none is.
// From one thread at a time.
void set_run_of_last_words(const std::string& folder);

}  // namespace strata::app
