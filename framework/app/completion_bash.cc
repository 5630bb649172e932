// The completion script for bash: a table of each command's words and options, and one function
// that reads the command line by it.
#include <set>

#include "framework/app/catalog.h"
#include "framework/app/completion.h"
#include "framework/train/training.h"

namespace strata::app {
namespace {

// "=" and the choices, or a name that the script's last `case` knows; choices win.
std::string slot_text(const Slot& slot) {
  if (!slot.choices.empty()) return fmt::format("'={}'", fmt::join(slot.choices, " "));
  switch (slot.kind) {
    case Slot::kModel:
      return "model";
    case Slot::kRun:
      return "run";
    case Slot::kFolder:
      return "folder";
    case Slot::kFile:
      return "file";
    case Slot::kName:
      return "name";
    case Slot::kCommand:
      return "command";
    case Slot::kNothing:
    case Slot::kUnknown:
      break;
  }
  return "none";
}

std::string joined(const std::vector<std::string>& words, std::string_view divider = " ") {
  return fmt::format("{}", fmt::join(words, divider));
}

void add_options(const std::vector<OptionForms>& options, std::string& switches,
                 std::string& values) {
  for (const OptionForms& option : options) {
    for (const std::string& name : option.names) {
      if (option.value.empty()) {
        switches += " " + name;
      } else {
        values += fmt::format("{}{} {}", values.empty() ? "" : " ", name,
                              slot_text(slot_of(option.value, Place::kOptionValue)));
      }
    }
  }
}

// One arm of the `case` over commands.
std::string command_arm(const Command& command) {
  std::string switches, values, slots, rest;
  add_options(option_forms(command), switches, values);
  for (const Slot& slot : word_slots(command)) {
    if (slot.repeated) {
      rest = slot_text(slot);
    } else {
      slots += (slots.empty() ? "" : " ") + slot_text(slot);
    }
  }
  std::string arm = fmt::format("    {})\n      switches='{}'\n      values=({})\n", command.name,
                                switches.substr(1), values);
  if (!slots.empty()) arm += fmt::format("      slots=({})\n", slots);
  if (!rest.empty()) arm += fmt::format("      rest={}\n", rest);
  if (command.overrides) arm += "      overrides=yes\n";
  return arm + "      ;;\n";
}

constexpr const char* kHead =
    R"sh(# Completes the command line of trainer in bash; `trainer completion bash` wrote it.
_trainer_files() {  # the end of their names
  mapfile -t COMPREPLY < <(compgen -f -X "!*$1" -- "$cur"; compgen -d -- "$cur")
  [[ ${COMPREPLY[*]} ]] && compopt -o filenames 2>/dev/null
}

_trainer() {
  # The words as they were typed: bash also splits them at = and :.
  local words=() line=$COMP_LINE word blank i
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    blank=${line%%[![:space:]]*}
    line=${line#"$blank"}
    line=${line#"$word"}
    if [[ $i == 0 || $blank ]]; then words+=("$word"); else words[-1]+=$word; fi
  done
  local cur=${words[-1]}
  unset 'words[-1]'
  words=("${words[@]:1}")
  # What the shell replaces is $2; this much of the word stays.
  local kept=${cur%"$2"}
  [[ $kept == *[=:] ]] || kept='' cur=$2

  local command='' switches values slots=() rest=none overrides=''
)sh";

// After the tables: which slot the cursor is in, and what fits there.
constexpr const char* kTail = R"sh(
  local option='' ended='' named='' count=0 prefix=''
  for word in "${words[@]}"; do
    if [[ $option ]]; then
      option=''
    elif [[ ! $ended && $word == -- ]]; then
      ended=yes
    elif [[ ! $ended && $word == -* ]]; then
      [[ ${values["$word"]+yes} ]] && option=$word
    elif [[ ! $named && $word == "$command" ]]; then
      named=yes
    elif [[ ! ( $overrides && $word == [a-zA-Z_]*=* ) ]]; then
      ((++count))
    fi
  done
  local slot=${slots[count]:-$rest}
  if [[ ! $option && ! $ended && $cur == --*=* ]]; then
    option=${cur%%=*} prefix=${cur%%=*}=
    cur=${cur#*=}
  fi
  if [[ $option ]]; then
    slot=${values["$option"]:-none} overrides=''
  elif [[ ! $ended && $cur == -* ]]; then
    slot="=$switches ${!values[*]}" overrides=''
  fi

  COMPREPLY=()
  case $slot in
    =*) mapfile -t COMPREPLY < <(compgen -W "${slot#=}" -- "$cur") ;;
    command) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur") ;;
    name) mapfile -t COMPREPLY < <(compgen -W "$names" -- "$cur") ;;
    model) _trainer_files .model ;;
    file) _trainer_files '' ;;
    folder) _trainer_files / ;;
    run)
      while read -r word; do
        [[ ${word%/} == "$cur"* ]] && COMPREPLY+=("${word%/}")
      done < <(compgen -G "$runs/*/*/")
      [[ ${COMPREPLY[*]} ]] || _trainer_files .safetensors
      ;;
  esac
  if [[ $overrides && ! ${COMPREPLY[*]} ]]; then
    compopt -o nospace 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -W "$settings" -- "$cur")
  fi
  for i in "${!COMPREPLY[@]}"; do
    word=$prefix${COMPREPLY[i]}
    COMPREPLY[i]=${word#"$kept"}
  done
}

complete -F _trainer trainer
)sh";

}  // namespace

std::string bash_completion(const Registry& registry) {
  std::vector<std::string> names, settings;
  for (const Command* command : commands()) names.emplace_back(command->name);
  for (const OptionText& setting : train_settings())
    settings.push_back("train." + setting.name + "=");
  const auto known = known_names(registry);
  const std::set<std::string> sorted(known.begin(), known.end());

  std::string switches, values;
  add_options(common_options(), switches, values);
  std::string out = kHead;
  out += fmt::format("  local commands='{}'\n", joined(names));
  out += fmt::format("  local settings='{}'\n", joined(settings));
  out += fmt::format("  local names='{}'\n", fmt::join(sorted, " "));
  out += fmt::format("  local runs={}\n", TrainOptions().runs_folder);
  out += "  for word in \"${words[@]}\"; do\n    case $word in\n";
  out += fmt::format("      {})\n        command=$word\n        break\n        ;;\n",
                     joined(names, " | "));
  out += "    esac\n  done\n  local -A values\n  case $command in\n";
  for (const Command* command : commands()) out += command_arm(*command);
  out += fmt::format("    *)\n      switches='{} --version'\n      values=({})\n",
                     switches.substr(1), values);
  return out + "      slots=(command)\n      ;;\n  esac\n" + kTail;
}

}  // namespace strata::app
