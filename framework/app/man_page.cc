#include "framework/app/man_page.h"

#include <algorithm>
#include <utility>

#include "framework/app/command.h"
#include "framework/app/help.h"
#include "framework/base/version.h"

namespace strata::app {
namespace {

// Takes the first character of UTF-8 away and gives it as roff writes it.
std::string next_character(std::string_view& rest) {
  const unsigned char lead = static_cast<unsigned char>(rest[0]);
  const std::size_t bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  unsigned code = bytes == 1 ? lead : lead & (0x7Fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i)
    code = code << 6 | (static_cast<unsigned char>(rest[i]) & 0x3Fu);
  rest.remove_prefix(bytes);
  if (bytes > 1) return fmt::format("\\[u{:04X}]", code);
  return code == '\\' ? "\\e" : std::string(1, static_cast<char>(code));
}

// The same for text that must come out as it is typed: roff's hyphens and quotes are typographic.
std::string next_literal(std::string_view& rest) {
  static constexpr std::pair<char, const char*> kNames[] = {
      {'-', "\\-"}, {'\'', "\\(aq"}, {'`', "\\(ga"}, {'~', "\\(ti"}, {'^', "\\(ha"}};
  for (const auto& [character, name] : kNames) {
    if (rest[0] != character) continue;
    rest.remove_prefix(1);
    return name;
  }
  return next_character(rest);
}

std::string literal(std::string_view text) {
  std::string out;
  while (!text.empty()) out += next_literal(text);
  return out;
}

// The same without hyphens where a line ends.
std::string unbroken(std::string_view text) {
  std::string out = "\\%";
  while (!text.empty()) {
    const bool space = text[0] == ' ';
    out += next_literal(text) + (space ? "\\%" : "");
  }
  return out;
}

// A line that begins with one of roff's marks for requests is text all the same.
std::string line(std::string text) {
  if (!text.empty() && (text[0] == '.' || text[0] == '\'')) text.insert(0, "\\&");
  return text + "\n";
}

// Sentences: `code` is bold, the dashes of options are literal. Line ends are kept; roff fills
// lines anew.
std::string prose(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::string_view row = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(row.size() + 1, text.size()));
    std::string made;
    bool in_word = false;
    while (!row.empty()) {
      const char c = row[0];
      const std::size_t end = c == '`' ? row.find('`', 1) : std::string_view::npos;
      if (end != std::string_view::npos) {
        made += "\\fB" + unbroken(row.substr(1, end - 1)) + "\\fR";
        row.remove_prefix(end + 1);
      } else {
        made += c == '\'' || (c == '-' && in_word) ? next_character(row) : next_literal(row);
      }
      in_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    }
    out += line(made);
  }
  return out;
}

// "FILE [path=value …]" with what the user puts in upper case in italics.
std::string usage_text(std::string_view usage) {
  std::string out;
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  while (!usage.empty()) {
    const auto end = std::find_if_not(usage.begin(), usage.end(), upper);
    const std::size_t size = static_cast<std::size_t>(end - usage.begin());
    if (size > 0) {
      out += "\\fI" + std::string(usage.substr(0, size)) + "\\fR";
      usage.remove_prefix(size);
    } else {
      const std::size_t plain =
          static_cast<std::size_t>(std::find_if(usage.begin(), usage.end(), upper) - usage.begin());
      out += literal(usage.substr(0, plain));
      usage.remove_prefix(plain);
    }
  }
  return out;
}

std::string call(const Command& command) {
  std::string out = fmt::format("\\fBtrainer {}\\fR", literal(command.name));
  if (!command.usage.empty()) out += " " + usage_text(command.usage);
  return out + "\n";
}

std::string options_list(const std::vector<OptionForms>& options) {
  std::string out;
  for (const OptionForms& option : options) {
    std::string label;
    for (const std::string& name : option.names)
      label += (label.empty() ? "" : ", ") + ("\\fB" + literal(name) + "\\fR");
    if (!option.value.empty()) label += " " + usage_text(option.value);
    out += ".TP\n" + label + "\n" + prose(option.description);
  }
  return out;
}

std::string command_section(const Command& command) {
  std::string out = fmt::format(".SS {}\n", literal(command.name)) + call(command) + ".PP\n" +
                    prose(command.about);
  std::vector<OptionForms> own = option_forms(command);
  own.resize(own.size() - common_options().size());  // those come last
  out += options_list(own);
  if (command.examples.empty()) return out;
  out += ".PP\n.RS 4\n.nf\n";
  for (std::string_view rest = command.examples; !rest.empty();) {
    const std::string_view example = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(example.size() + 1, rest.size()));
    out += "trainer " + literal(example) + "\n";
  }
  return out + ".fi\n.RE\n";
}

constexpr std::pair<const char*, const char*> kEnvironment[] = {
    {"STRATA_DATA", "the folder where data sets without a `path` are looked up first"},
    {"XDG_CACHE_HOME",
     "they are looked up in its folder strata/datasets next; ~/.cache by default"},
    {"STRATA_PLUGIN_PATH", "folders with plugins (*.so), with colons between them"},
    {"XDG_DATA_HOME", "plugins in its folder strata/plugins are loaded; ~/.local/share by default"},
    {"NO_COLOR", "where it is set, nothing is coloured unless `--color` asks for it"},
};

}  // namespace

std::string man_page() {
  std::string out =
      ".\\\" Generated: `trainer man` writes it anew.\n" +
      fmt::format(".TH TRAINER 1 \"\" \"strata {}\" \"User Commands\"\n", kVersion) +
      ".SH NAME\ntrainer \\- train models that are described in .model files\n.SH SYNOPSIS\n.nf\n";
  for (const Command* command : commands()) out += call(*command);
  out += ".fi\n.SH DESCRIPTION\n" +
         prose(
             "A text file describes a model, the data it learns from and how it is trained; "
             "`trainer` checks the file, trains the model and uses the result.\n"
             "`path=value` words override any setting or param of the file.\n"
             "Results go to standard output, everything else to standard error.\n"
             "`trainer explain` says what a name in a file or the code of a message means.\n") +
         ".SH COMMANDS\n";
  for (const Command* command : commands()) out += command_section(*command);
  out += ".SH COMMON OPTIONS\n" + options_list(common_options()) + ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : exit_codes())
    out += fmt::format(".TP\n{}\n", code) + prose(meaning);
  out += ".SH ENVIRONMENT\n";
  for (const auto& [name, meaning] : kEnvironment)
    out += fmt::format(".TP\n\\fB{}\\fR\n", name) + prose(meaning);
  return out;
}

}  // namespace strata::app
