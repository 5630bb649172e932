// The completion script for zsh: what each command takes, in the words of zsh's _arguments.
#include <set>

#include "framework/app/catalog.h"
#include "framework/app/completion.h"
#include "framework/train/training.h"

namespace strata::app {
namespace {

// Between single quotes.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) c == '\'' ? out += "'\\''" : out += c;
  return out + "'";
}

// With a backslash before each of `marks`, and before a backslash.
std::string escaped(std::string_view text, std::string_view marks) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || marks.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// What completes a word there; `overrides` where a setting may stand in its place.
std::string action(const Slot& slot, bool overrides) {
  if (!slot.choices.empty()) return fmt::format("({})", fmt::join(slot.choices, " "));
  switch (slot.kind) {
    case Slot::kModel:
      return overrides ? "_trainer_model_or_setting" : "_trainer_model";
    case Slot::kRun:
      return "_trainer_run";
    case Slot::kFolder:
      return "_files -/";
    case Slot::kFile:
      return "_files";
    case Slot::kName:
      return "_trainer_name";
    case Slot::kCommand:
      return "_trainer_command";
    case Slot::kNothing:
    case Slot::kUnknown:
      break;
  }
  return " ";
}

// '(-q --quiet)'{-q,--quiet}'[print the verdict alone]'
std::string option_spec(const OptionForms& option) {
  std::string rest = "[" + escaped(option.description, "[]:") + "]";
  if (!option.value.empty()) {
    rest += ":" + escaped(option.value, ":") + ":" +
            action(slot_of(option.value, Place::kOptionValue), false);
  }
  const auto name = [&](const std::string& form) {
    if (option.value.empty()) return form;
    return form + (form.starts_with("--") ? "=" : "+");
  };
  if (option.names.size() == 1) return quoted(name(option.names[0]) + rest);
  std::vector<std::string> names;
  for (const std::string& form : option.names) names.push_back(name(form));
  return fmt::format("'({})'{{{}}}{}", fmt::join(option.names, " "), fmt::join(names, ","),
                     quoted(rest));
}

std::string arguments(const std::vector<std::string>& specs, std::string_view indent) {
  std::string out = std::string(indent) + "_arguments -s -S";
  for (const std::string& spec : specs) out += fmt::format(" \\\n{}  {}", indent, spec);
  return out;
}

std::string command_arm(const Command& command) {
  std::vector<std::string> specs;
  for (const OptionForms& option : option_forms(command)) specs.push_back(option_spec(option));
  bool repeated = false;
  for (const Slot& slot : word_slots(command)) {
    repeated |= slot.repeated;
    specs.push_back(
        quoted(std::string(slot.repeated ? "*: :" : ": :") + action(slot, command.overrides)));
  }
  if (command.overrides && !repeated) specs.push_back("'*: :_trainer_setting'");
  return fmt::format("        {})\n{}\n          ;;\n", command.name,
                     arguments(specs, "          "));
}

// The items of an array for _describe: 'name:what it is'.
std::string described(std::string_view name, std::string_view text) {
  return "    " + quoted(escaped(name, ":") + ":" + std::string(text)) + "\n";
}

constexpr const char* kHead = R"sh(#compdef trainer
# Completes the command line of trainer in zsh; `trainer completion zsh` wrote it.
_trainer_model() { _files -g '*.model' }

_trainer_model_or_setting() { _trainer_model || _trainer_setting }

)sh";

// After the tables.
constexpr const char* kRegister = R"sh(
# Sourced, or called by the completion system as a file of $fpath.
if [[ $funcstack[1] == _trainer ]]; then
  _trainer "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i -D }
  compdef _trainer trainer
fi
)sh";

std::string tables(const Registry& registry) {
  std::string out = "_trainer_command() {\n  local -a all=(\n";
  for (const Command* command : commands()) out += described(command->name, command->summary);
  out += "  )\n  _describe command all\n}\n\n_trainer_setting() {\n  local -a all=(\n";
  for (const OptionText& setting : train_settings())
    out += described("train." + setting.name, setting.doc);
  out += "  )\n  _describe setting all -S =\n}\n\n_trainer_name() {\n  local -a all=(\n";
  const auto known = known_names(registry);
  for (const std::string& name : std::set<std::string>(known.begin(), known.end()))
    out += "    " + quoted(name) + "\n";
  out += "  )\n  compadd -a all\n}\n\n_trainer_run() {\n";
  const std::string runs = TrainOptions().runs_folder;
  return out + fmt::format(
                   "  local -a all=({}/*/*(N/))\n  compadd -f -a all || _files -g "
                   "'*.safetensors'\n}}\n\n",
                   runs);
}

}  // namespace

std::string zsh_completion(const Registry& registry) {
  std::vector<std::string> specs;
  for (const OptionForms& option : common_options()) specs.push_back(option_spec(option));
  specs.push_back("'--version[print versions]'");
  specs.push_back("'1: :_trainer_command'");
  specs.push_back("'*:: :->words'");
  std::string out =
      kHead + tables(registry) +
      "_trainer() {\n  local state line curcontext=$curcontext\n  typeset -A opt_args\n";
  std::string first = arguments(specs, "  ");
  first.replace(first.find(" -s"), 3, " -C -s");
  out += first + " && return\n  case $state in\n    words)\n      case $words[1] in\n";
  for (const Command* command : commands()) out += command_arm(*command);
  return out + "      esac\n      ;;\n  esac\n}\n" + kRegister;
}

}  // namespace strata::app
