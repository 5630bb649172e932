// What the process says where it has to end at once, from any thread.
#pragma once

namespace strata::app {

// Makes std::terminate print a sentence in place of a core dump: the thread pool ends the process
// that way where the system refuses it a thread.
void install_last_words();

}  // namespace strata::app
