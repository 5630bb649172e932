// trainer completion: a script that completes command lines in the user's shell.
#include "framework/app/completion.h"
#include "framework/base/utf8.h"

namespace strata::app {
namespace {

ExitCode run(Invocation& invocation) {
  const std::string& shell = invocation.only_word("the name of a shell, bash or zsh");
  if (shell == "bash") {
    invocation.console().out(bash_completion(invocation.registry()));
  } else if (shell == "zsh") {
    invocation.console().out(zsh_completion(invocation.registry()));
  } else {
    usage_failure(fmt::format("`completion` takes bash or zsh; found `{}`", safe_text(shell)));
  }
  return ExitCode::kDone;
}

}  // namespace

const Command kCompletionCommand = {
    .name = "completion",
    .summary = "print a script that completes command lines in bash or zsh",
    .usage = "bash|zsh",
    .about =
        "Completes commands, options and what they take, model files, runs, settings of the train "
        "section, and the names\n"
        "that `explain` knows, for a program called trainer. In ~/.bashrc the line\n"
        "`source <(trainer completion bash)` keeps it up to date, in ~/.zshrc the same with zsh; "
        "the files of the\n"
        "examples are read when they are first needed. Takes bash from 5.1 on.\n",
    .examples =
        "completion bash > ~/.local/share/bash-completion/completions/trainer\n"
        "completion zsh > ~/.zfunc/_trainer\n",
    .run = &run,
};

}  // namespace strata::app
