#include "framework/app/trainer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/parsers.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>

#include "framework/app/catalog.h"
#include "framework/app/command.h"
#include "framework/app/help.h"
#include "framework/base/utf8.h"

namespace strata::app {
namespace po = boost::program_options;

bool is_override(const std::string& word) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto inner = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '.'; };
  if (word.empty() || !letter(word[0])) return false;
  const auto end = std::find_if_not(word.begin(), word.end(), inner);
  return end != word.end() && *end == '=';
}

namespace {

// A program that was started without them would give their numbers to the next files that it opens.
// Standard output gets one that cannot be written to, so that a lost result is a failure.
void open_standard_files() {
  for (int file = 0; file <= 2; ++file) {
    if (::fcntl(file, F_GETFD) == -1 && errno == EBADF)
      // A closed standard output stays one that cannot be written to: whoever asked for results
      // and closed it is told that they went nowhere.
      (void)!::open("/dev/null", file == 2 ? O_WRONLY : O_RDONLY);
  }
}

// `bazel run` starts programs elsewhere and says where its user stands.
void enter_callers_folder() {
  const char* folder = std::getenv("BUILD_WORKING_DIRECTORY");
  if (!folder || !*folder || ::chdir(folder) == 0) return;
  throw Failure{make_error(ExitCode::kUsage,
                           "cannot enter the folder `{}` that BUILD_WORKING_DIRECTORY names: {}",
                           safe_text(folder), std::strerror(errno))};
}

// Where the command's name stands among the arguments, -1 where it is missing. Options may come
// before it, and a word behind an option may be that option's value.
int find_command_word(const std::vector<std::string>& arguments) {
  int candidate = -1;
  for (int i = 0; i < static_cast<int>(arguments.size()); ++i) {
    const std::string& word = arguments[i];
    if (word.rfind('-', 0) == 0) continue;
    if (find_command(word)) return i;
    if (candidate < 0) candidate = i;
    const bool may_be_value = i > 0 && arguments[i - 1].rfind("--", 0) == 0 &&
                              arguments[i - 1].find('=') == std::string::npos;
    if (!may_be_value) return i;
  }
  return candidate;
}

// `--epochs 3`: settings of the file are changed by their paths.
std::string override_hint(std::string option) {
  std::replace(option.begin(), option.end(), '-', '_');
  if (option == "lr" || option == "learning_rate")
    return "the learning rate is set by its path: train.optimizer.lr=0.01";
  for (const OptionText& setting : train_settings()) {
    if (setting.name != option) continue;
    const bool number = setting.type.starts_with("int");
    return fmt::format("settings of the file are set by their paths: train.{}={}", option,
                       number ? "3" : "…");
  }
  return {};
}

[[noreturn]] void unknown_option(const Command& command, const std::string& option) {
  std::vector<std::string> names;
  const po::options_description options = options_of(command);
  for (const auto& known : options.options()) names.push_back(known->long_name());
  std::size_t dashes = option.find_first_not_of('-');
  const std::string bare =
      dashes == std::string::npos ? "" : option.substr(dashes, option.find('=') - dashes);
  const std::string nearest = nearest_name(bare, names);
  std::string hint = command.overrides ? override_hint(bare) : "";
  if (hint.empty() && !nearest.empty()) hint = fmt::format("did you mean `--{}`?", nearest);
  if (hint.empty() && ::access(option.c_str(), F_OK) == 0) {
    hint = fmt::format("for the file of that name write `./{}`", safe_text(option));
  }
  if (hint.empty()) hint = fmt::format("`{} help {}` lists them", program_name(), command.name);
  usage_failure(fmt::format("`{}` has no option `{}`", command.name, safe_text(option)), hint);
}

// The library's exceptions, in our words.
po::variables_map parse_flags(const Command& command, const std::vector<std::string>& arguments,
                              std::vector<std::string>& words) {
  namespace style = po::command_line_style;
  po::variables_map flags;
  try {
    const po::options_description options = options_of(command);
    const auto parsed = po::command_line_parser(arguments)
                            .options(options)
                            .style(style::unix_style & ~style::allow_guessing)
                            .run();
    words = po::collect_unrecognized(parsed.options, po::include_positional);
    po::store(parsed, flags);
    return flags;
  } catch (const po::unknown_option& e) {
    unknown_option(command, e.get_option_name());
  } catch (const po::multiple_occurrences& e) {
    usage_failure(fmt::format("`{}` was given more than once", e.get_option_name()));
  } catch (const po::invalid_syntax& e) {
    const std::string option = safe_text(e.get_option_name());
    if (e.kind() == po::invalid_syntax::missing_parameter) {
      usage_failure(fmt::format("`{}` needs a value", option));
    }
    if (e.kind() == po::invalid_syntax::extra_parameter) {
      usage_failure(fmt::format("`{}` is a switch and takes no value", option));
    }
    usage_failure(fmt::format("cannot make sense of the option `{}`", safe_text(e.tokens())));
  } catch (const po::error_with_option_name& e) {
    usage_failure(fmt::format("`{}` cannot be used like this", safe_text(e.get_option_name())));
  } catch (const po::error&) {
    usage_failure("the options could not be read",
                  fmt::format("see `{} help {}`", program_name(), command.name));
  }
}

ColorMode color_mode(const std::string& when) {
  if (when == "always") return ColorMode::kAlways;
  if (when == "never") return ColorMode::kNever;
  if (when != "auto") {
    usage_failure(
        fmt::format("`--color` takes auto, always or never; found `{}`", safe_text(when)));
  }
  return ColorMode::kAuto;
}

ExitCode run_command(Console& console, std::vector<std::string> arguments) {
  const int at = find_command_word(arguments);
  if (at < 0) {
    const auto given = [&](const char* a, const char* b) {
      return std::any_of(arguments.begin(), arguments.end(),
                         [&](const auto& s) { return s == a || s == b; });
    };
    if (given("--version", "-V")) return console.out(version_text()), ExitCode::kDone;
    if (given("--help", "-h")) return console.out(overview(console.paint())), ExitCode::kDone;
    if (arguments.empty()) return console.err(overview(console.paint_err())), ExitCode::kUsage;
    usage_failure(fmt::format("`{}` comes without a command", safe_text(arguments[0])),
                  fmt::format("`{} help` lists the commands", program_name()));
  }
  const std::string name = arguments[at];
  const Command* command = find_command(name);
  if (!command) unknown_command(name);
  arguments.erase(arguments.begin() + at);
  // `explain "->"`: the arrow of the language is no option.
  if (std::erase(arguments, "->") > 0) arguments.insert(arguments.end(), {"--", "->"});

  Invocation invocation(*command, console);
  std::vector<std::string> words;
  invocation.flags = parse_flags(*command, arguments, words);
  console.set_color(color_mode(invocation.text("color", "auto")));
  if (invocation.has("help"))
    return console.out(help_text(*command, console.paint())), ExitCode::kDone;
  for (std::string& word : words) {
    auto& list = command->overrides && is_override(word) ? invocation.overrides : invocation.words;
    list.push_back(std::move(word));
  }
  return command->run(invocation);
}

// Bugs end here: what happened and what to do about it, never a stack trace.
ExitCode internal_error(Console& console, std::string_view what) {
  console.error({ExitCode::kInternal, fmt::format("internal error: {}", safe_text(what)),
                 "this is a bug in Strata; please report it with the command and the model file"});
  return ExitCode::kInternal;
}

ExitCode guarded(Console& console, const std::vector<std::string>& arguments) {
  try {
    return run_command(console, arguments);
  } catch (const Stop& stop) {
    return stop.code;
  } catch (const Failure& failure) {
    if (failure.error.code == ExitCode::kInternal)
      return internal_error(console, failure.error.message);
    console.error(failure.error);
    return failure.error.code;
  } catch (const std::bad_alloc&) {
    console.error(
        {ExitCode::kModel, "not enough memory", "a smaller model, batch or data set needs less"});
    return ExitCode::kModel;
  } catch (const std::exception& e) {
    return internal_error(console, e.what());
  } catch (...) {
    return internal_error(console, "an exception of an unknown type");
  }
}

}  // namespace

int run_trainer(int argc, const char* const* argv) {
  open_standard_files();
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of write()
  std::signal(SIGXFSZ, SIG_IGN);  // so is a file that has reached its limit
  set_program_name(argc > 0 ? argv[0] : nullptr);
  Console console;
  try {
    enter_callers_folder();
  } catch (const Failure& failure) {
    console.error(failure.error);
    return static_cast<int>(failure.error.code);
  }
  ExitCode code = guarded(console, std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
  if (const Status written = console.finish(); !written.ok()) {
    console.error(written.error());
    if (code == ExitCode::kDone) code = written.error().code;
  }
  return static_cast<int>(code);
}

}  // namespace strata::app
