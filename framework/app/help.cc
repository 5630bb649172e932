#include "framework/app/help.h"

#include <unistd.h>

#include <algorithm>

#include "framework/app/format.h"
#include "framework/base/utf8.h"
#include "framework/base/version.h"
#include "framework/plugin/abi.h"

namespace strata::app {
namespace {

struct Row {
  std::string left;
  std::string_view right;
};

std::string two_columns(const std::vector<Row>& rows) {
  std::size_t widest = 0;
  for (const Row& row : rows) widest = std::max(widest, static_cast<std::size_t>(cells(row.left)));
  std::string out;
  for (const Row& row : rows) out += fmt::format("  {:<{}}  {}\n", row.left, widest, row.right);
  return out;
}

std::string option_label(const OptionForms& option) {
  const std::string names = fmt::format("{}", fmt::join(option.names, ", "));
  return option.value.empty() ? names : names + " " + option.value;
}

}  // namespace

const std::vector<std::pair<int, std::string_view>>& exit_codes() {
  static const std::vector<std::pair<int, std::string_view>> codes = {
      {0, "done"},
      {1, "internal error, or standard output could not be written"},
      {2, "wrong command line"},
      {3, "wrong model file"},
      {4, "data missing or damaged"},
      {5, "plugin missing or refused"},
      {6, "the run diverged: a value became NaN or infinite"},
      {130, "interrupted, after everything was saved"},
  };
  return codes;
}

std::string overview(const Paint& paint) {
  std::string out = paint.bold("trainer") +
                    " trains models that are described in .model files.\n\n" +
                    paint.bold("usage:") + fmt::format(" {} COMMAND …\n\n", program_name()) +
                    paint.bold("commands:") + "\n";
  std::vector<Row> rows;
  for (const Command* command : commands())
    rows.push_back({std::string(command->name), command->summary});
  out += two_columns(rows) + "\n" + paint.bold("exit codes:") + "\n";
  rows.clear();
  for (const auto& [code, meaning] : exit_codes()) rows.push_back({std::to_string(code), meaning});
  out += two_columns(rows);
  return out + fmt::format("\n`{} help COMMAND` says more of one.\n", program_name());
}

std::string help_text(const Command& command, const Paint& paint) {
  std::string out = paint.bold("usage:") + fmt::format(" {} {}", program_name(), command.name);
  if (!command.usage.empty()) out += " " + std::string(command.usage);
  out += fmt::format("\n\n{}\n{}", command.about, paint.bold("options:")) + "\n";
  const auto options = option_forms(command);
  std::vector<Row> rows;
  for (const OptionForms& option : options)
    rows.push_back({option_label(option), option.description});
  out += two_columns(rows);
  if (command.examples.empty()) return out;
  out += "\n" +
         paint.bold(std::count(command.examples.begin(), command.examples.end(), '\n') > 1
                        ? "examples:"
                        : "example:") +
         "\n";
  for (std::string_view rest = command.examples; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    out += fmt::format("  {} {}\n", program_name(), rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return out;
}

std::string version_text() {
  return fmt::format("strata {}\nplugin interface {}.{}\ncompiled by {} {}\n", kVersion,
                     STRATA_ABI_MAJOR, STRATA_ABI_MINOR,
#if defined(__clang__)
                     "Clang",
#else
                     "GCC",
#endif
                     __VERSION__);
}

void unknown_command(const std::string& name) {
  std::vector<std::string> names;
  for (const Command* command : commands()) names.emplace_back(command->name);
  const std::string nearest = nearest_name(name, names);
  std::string hint;
  if (!nearest.empty()) {
    hint = fmt::format("did you mean `{}`?", nearest);
  } else if (::access(name.c_str(), F_OK) == 0) {
    hint = fmt::format("a command comes before the file: {} train {}", program_name(),
                       shell_quoted(name));
  } else {
    hint = "there are";
    for (const std::string& known : names)
      hint += (known == names.front() ? " `" : ", `") + known + "`";
  }
  usage_failure(fmt::format("there is no command `{}`", safe_text(name)), hint);
}

namespace {

ExitCode run_version(Invocation& invocation) {
  invocation.expect_words(0, 0, "");
  invocation.console().out(version_text());
  return ExitCode::kDone;
}

ExitCode run_help(Invocation& invocation) {
  invocation.expect_words(0, 1, "");
  const Paint paint = invocation.console().paint();
  if (invocation.words.empty()) return invocation.console().out(overview(paint)), ExitCode::kDone;
  const Command* command = find_command(invocation.words[0]);
  if (!command) unknown_command(invocation.words[0]);
  invocation.console().out(help_text(*command, paint));
  return ExitCode::kDone;
}

}  // namespace

const Command kVersionCommand = {
    .name = "version",
    .summary = "print versions",
    .usage = "",
    .about = "Prints the version of Strata and of the interface that plugins are built against.\n",
    .examples = "",
    .run = &run_version,
};

const Command kHelpCommand = {
    .name = "help",
    .summary = "explain a command",
    .usage = "[COMMAND]",
    .about =
        "Prints what a command does, its options and examples; without a name, the list of "
        "commands.\n",
    .examples = "help train\n",
    .run = &run_help,
};

}  // namespace strata::app
