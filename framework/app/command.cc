#include "framework/app/command.h"

#include <algorithm>
#include <boost/program_options/cmdline.hpp>
#include <charconv>

#include "framework/base/text.h"
#include "framework/base/utf8.h"
#include "framework/plugin/loader.h"

namespace strata::app {
namespace po = boost::program_options;

const std::vector<const Command*>& commands() {
  static const std::vector<const Command*> all = {
      &kTrainCommand,     &kCheckCommand,      &kSummaryCommand, &kGraphCommand,   &kTimeCommand,
      &kLrCommand,        &kBatchCommand,      &kEvalCommand,    &kPredictCommand, &kExportCommand,
      &kImportCommand,    &kVerifyCommand,     &kStudyCommand,   &kReportCommand,  &kDiffCommand,
      &kInitCommand,      &kExplainCommand,    &kFmtCommand,     &kPluginsCommand, &kPluginCommand,
      &kReferenceCommand, &kCompletionCommand, &kManCommand,     &kVersionCommand, &kHelpCommand,
  };
  return all;
}

const Command* find_command(std::string_view name) {
  for (const Command* command : commands()) {
    if (command->name == name) return command;
  }
  return nullptr;
}

po::options_description options_of(const Command& command) {
  po::options_description options;
  if (command.options) command.options(options.add_options());
  options.add_options()("color", po::value<std::string>()->value_name("auto|always|never"),
                        "auto, the default, colours on a terminal unless NO_COLOR is set");
  options.add_options()("plugin-dir",
                        po::value<std::vector<std::string>>()->composing()->value_name("DIR"),
                        "load the plugins (*.so) of this folder, too; may be given several times");
  options.add_options()("help,h", po::bool_switch(), "what this command does, with examples");
  return options;
}

std::vector<OptionForms> option_forms(const Command& command) {
  std::vector<OptionForms> all;
  const po::options_description options = options_of(command);
  for (const auto& option : options.options()) {
    OptionForms forms;
    const std::string shorter =
        option->canonical_display_name(po::command_line_style::allow_dash_for_short);
    if (shorter.size() == 2 && shorter[0] == '-') forms.names.push_back(shorter);
    forms.names.push_back("--" + option->long_name());
    forms.value = option->format_parameter();
    forms.description = option->description();
    all.push_back(std::move(forms));
  }
  return all;
}

std::vector<OptionForms> common_options() { return option_forms(Command{}); }

void usage_failure(std::string message, std::string hint) {
  throw Failure{Error{ExitCode::kUsage, std::move(message), std::move(hint)}};
}

const Registry& Invocation::registry_in_silence() {
  if (registry_) return *registry_;
  registry_ = Registry::builtin();
  std::vector<std::string> folders;
  if (const auto at = flags.find("plugin-dir"); at != flags.end())
    folders = at->second.as<std::vector<std::string>>();
  console_.keep_output_to_itself();
  load_plugins(plugin_folders(folders), *registry_);
  return *registry_;
}

const Registry& Invocation::registry() {
  if (registry_) return *registry_;
  constexpr std::size_t kMostNotes = 5;  // a folder may be full of other things
  const std::vector<RefusedLibrary>& refused = registry_in_silence().refused();
  for (const RefusedLibrary& one : refused) {
    if (one.asked_for) throw Failure{one.error};
  }
  for (std::size_t i = 0; i < std::min(refused.size(), kMostNotes); ++i)
    console_.note("a plugin is left out: " + refused[i].error.message);
  if (refused.size() > kMostNotes) {
    const auto more = static_cast<std::int64_t>(refused.size() - kMostNotes);
    console_.note(fmt::format("{} more {} left out: `{} plugins` lists them", grouped(more),
                              more == 1 ? "plugin is" : "plugins are", program_name()));
  }
  for (const auto& library : registry_->libraries()) {
    for (const std::string& note : library->notes)
      console_.note(fmt::format("plugin `{}`: {}", library->name, note));
  }
  return *registry_;
}

bool Invocation::has(const char* flag) const {
  const auto at = flags.find(flag);
  if (at == flags.end()) return false;
  const bool* on = boost::any_cast<bool>(&at->second.value());
  return on ? *on : !at->second.defaulted();
}

std::string Invocation::text(const char* flag, std::string fallback) const {
  return has(flag) ? flags[flag].as<std::string>() : std::move(fallback);
}

std::int64_t Invocation::integer(const char* flag, std::int64_t fallback, std::int64_t least,
                                 std::int64_t most) const {
  if (!has(flag)) return fallback;
  const std::string& value = flags[flag].as<std::string>();
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (failure != std::errc() || end != value.data() + value.size() || number < least ||
      number > most) {
    const std::string allowed = most == std::numeric_limits<std::int64_t>::max()
                                    ? fmt::format("{} or more", least)
                                    : fmt::format("{} to {}", least, most);
    usage_failure(fmt::format("`--{}` takes a whole number, {}; found `{}`", flag, allowed,
                              safe_text(value)));
  }
  return number;
}

int Invocation::threads() const { return static_cast<int>(integer("threads", 0, 1, 1024)); }

const std::string& Invocation::only_word(std::string_view what) const {
  expect_words(1, 1, what);
  return words[0];
}

void Invocation::expect_words(std::size_t least, std::size_t most, std::string_view what) const {
  const std::string usage = fmt::format("usage: {} {} {}", program_name(), command_.name,
                                        command_.usage.empty() ? "[options]" : command_.usage);
  if (words.size() < least) {
    usage_failure(what.empty() ? fmt::format("`{}` needs more words", command_.name)
                               : fmt::format("`{}` needs {}", command_.name, what),
                  usage);
  }
  if (words.size() > most) {
    const std::string extra = safe_text(words[most]);
    // `train x.model epochs = 3` is how the file itself writes it.
    if (!extra.empty() && (extra.front() == '=' || extra.back() == '=')) {
      usage_failure(fmt::format("unexpected `{}`", extra),
                    "an override is one word, without spaces around `=`: train.epochs=3");
    }
    usage_failure(fmt::format("unexpected `{}`", extra), usage);
  }
}

}  // namespace strata::app
