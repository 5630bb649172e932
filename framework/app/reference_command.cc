// trainer reference: docs/reference.md, made from what is registered.
#include "framework/app/command.h"
#include "framework/app/reference.h"

namespace strata::app {
namespace {

ExitCode run(Invocation& invocation) {
  invocation.expect_words(0, 0, "");
  invocation.console().out(reference_page(invocation.registry()));
  return ExitCode::kDone;
}

}  // namespace

const Command kReferenceCommand = {
    .name = "reference",
    .summary = "print the reference of everything registered, as Markdown",
    .usage = "",
    .about =
        "Prints what docs/reference.md holds: every registered thing with its options, the "
        "settings of the train\n"
        "section, and all errors and warnings.\n",
    .examples = "reference > docs/reference.md\n",
    .run = &run,
};

}  // namespace strata::app
