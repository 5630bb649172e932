// trainer man: the manual page.
#include "framework/app/command.h"
#include "framework/app/man_page.h"

namespace strata::app {
namespace {

ExitCode run(Invocation& invocation) {
  invocation.expect_words(0, 0, "");
  invocation.console().out(man_page());
  return ExitCode::kDone;
}

}  // namespace

const Command kManCommand = {
    .name = "man",
    .summary = "print the manual page",
    .usage = "",
    .about =
        "Prints what help says of every command as one page for man, to be shown or to be "
        "installed.\n",
    .examples =
        "man | man -l -\n"
        "man > ~/.local/share/man/man1/trainer.1\n",
    .run = &run,
};

}  // namespace strata::app
