// Two resolved texts, section by section; train settings key by key.
#include "framework/train/differences.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <regex>
#include <sstream>

#include "framework/graph/train_settings.h"

namespace strata {
namespace {

// One section of a resolved file: its lines, from the one that begins at the margin, without
// comments.
using Section = std::vector<std::string>;

std::string without_comment(std::string line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quoted && line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == '#' && !quoted) {
      line.resize(i);
    }
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::vector<Section> sections_of(const std::string& text) {
  std::vector<Section> sections;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    line = without_comment(std::move(line));
    if (line.empty()) continue;
    const bool inside = line[0] == ' ' || line[0] == '}' || line[0] == ']' || line[0] == ')';
    if (!inside || sections.empty()) sections.emplace_back();
    sections.back().push_back(std::move(line));
  }
  return sections;
}

bool is_train(const Section& section) {
  return section[0].starts_with("train ") || section[0].starts_with("train{");
}

// "model digits", "data mnist", "let width": what a section is called.
std::string heading(const Section& section) {
  const std::string& line = section[0];
  const std::size_t word = line.find(' ');
  if (word == std::string::npos) return line;
  const std::size_t end = line.find_first_of(" (:=", word + 1);
  return line.substr(0, end);
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// Settings of a train section; a value that takes several lines becomes one.
std::map<std::string, std::string> settings_of(const std::vector<Section>& sections) {
  std::map<std::string, std::string> settings;
  std::string key;
  for (const Section& section : sections) {
    if (!is_train(section)) continue;
    for (std::size_t i = 1; i < section.size(); ++i) {
      const std::string& line = section[i];
      const std::size_t equals = line.find('=');
      if (line.size() > 2 && line[2] != ' ' && line[2] != ']' && line[2] != ')' &&
          equals != std::string::npos) {
        key = trimmed(line.substr(0, equals));
        settings[key] = trimmed(line.substr(equals + 1));
      } else if (!key.empty() && line != "}") {
        std::string& value = settings[key];
        const std::string more = trimmed(line);
        if ((more[0] == ']' || more[0] == ')') && value.ends_with(",")) value.pop_back();
        const bool close =
            value.ends_with("[") || value.ends_with("(") || more[0] == ']' || more[0] == ')';
        value += (close ? "" : " ") + more;
      }
    }
  }
  return settings;
}

// "Adam(lr = 0.001, eps = 1e-08)" into its name and its options; false where it is no such call.
bool parse_call(const std::string& value, std::string& name,
                std::vector<std::pair<std::string, std::string>>& options) {
  const std::size_t open = value.find('(');
  name = value.substr(0, open);
  if (name.empty() || name.find_first_of(" *[\"") != std::string::npos) return false;
  if (open == std::string::npos) return true;
  if (value.back() != ')') return false;
  int depth = 0;
  std::string part;
  for (std::size_t i = open + 1; i < value.size(); ++i) {
    const char c = value[i];
    if ((c == ',' && depth == 0) || i + 1 == value.size()) {
      const std::size_t equals = part.find(" = ");
      if (equals == std::string::npos) return false;
      options.emplace_back(trimmed(part.substr(0, equals)), trimmed(part.substr(equals + 3)));
      part.clear();
      continue;
    }
    depth += (c == '(' || c == '[') - (c == ')' || c == ']');
    part += c;
  }
  return depth == 0;
}

std::string default_of(const std::string& setting) {
  for (const TrainSettingDoc& doc : train_setting_docs()) {
    if (doc.name == setting) return doc.default_value.substr(0, doc.default_value.find(':'));
  }
  return {};
}

bool may_change(const std::string& setting) {
  static const std::vector<std::string> kFree = {"epochs",
                                                 "steps",
                                                 "patience",
                                                 "min_delta",
                                                 "allow",
                                                 "checkpoint_steps",
                                                 "checkpoint_minutes",
                                                 "log_steps",
                                                 "statistics",
                                                 "log"};
  return std::find(kFree.begin(), kFree.end(), setting) != kFree.end();
}

void compare_settings(const std::vector<Section>& before, const std::vector<Section>& now,
                      std::vector<Difference>& found) {
  std::map<std::string, std::string> old_settings = settings_of(before);
  std::map<std::string, std::string> new_settings = settings_of(now);
  for (const TrainSettingDoc& doc : train_setting_docs()) {
    const bool length = doc.name == "epochs" || doc.name == "steps";
    const auto value = [&](const std::map<std::string, std::string>& settings) {
      const auto at = settings.find(doc.name);
      return at != settings.end() ? at->second : length ? "none" : default_of(doc.name);
    };
    const std::string a = value(old_settings), b = value(new_settings);
    if (a == b) continue;
    std::string a_name, b_name;
    std::vector<std::pair<std::string, std::string>> a_options, b_options;
    const bool calls = parse_call(a, a_name, a_options) && parse_call(b, b_name, b_options) &&
                       a_name == b_name && a_options.size() == b_options.size() &&
                       !a_options.empty();
    if (!calls) {
      found.push_back(
          {fmt::format("train.{}: {} -> {}", doc.name, a, b), doc.name, may_change(doc.name)});
      continue;
    }
    for (std::size_t i = 0; i < a_options.size(); ++i) {
      if (a_options[i] == b_options[i]) continue;
      found.push_back({fmt::format("train.{}.{}: {} -> {}", doc.name, b_options[i].first,
                                   a_options[i].second, b_options[i].second),
                       doc.name, false});
    }
  }
}

// Lines that one of two sections has alone, by their longest common subsequence.
std::vector<std::string> changed_lines(const Section& a, const Section& b) {
  std::vector<std::vector<int>> common(a.size() + 1, std::vector<int>(b.size() + 1, 0));
  for (std::size_t i = a.size(); i-- > 0;) {
    for (std::size_t j = b.size(); j-- > 0;) {
      common[i][j] =
          a[i] == b[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  std::vector<std::string> lines;
  std::size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      ++i, ++j;
    } else if (j == b.size() || (i < a.size() && common[i + 1][j] >= common[i][j + 1])) {
      lines.push_back("- " + a[i++]);
    } else {
      lines.push_back("+ " + b[j++]);
    }
  }
  return lines;
}

// The section as one line, without the paths of its data, which may lie elsewhere now.
std::string without_paths(const Section& section, const Program& program) {
  std::string text;
  for (const std::string& line : section) text += trimmed(line) + " ";
  if (!program.has_data || !text.starts_with("data ")) return text;
  const Entry& entry = program.data.dataset->entry();
  for (std::int64_t i = 0; i < entry.schema().option_count; ++i) {
    const strata_option& option = entry.schema().options[i];
    if (!(option.flags & STRATA_OPTION_PATH)) continue;
    const std::regex path(std::string("\\b") + option.name + R"( = ("([^"\\]|\\.)*"|none))");
    text = std::regex_replace(text, path, option.name);
  }
  // What is too long for a line is laid out with a comma at its end.
  return std::regex_replace(text, std::regex(R"((\() | ?,? (?=\)))"), "$1");
}

void compare_section(const std::string& name, const Section& a, const Section& b,
                     const Program& now, std::vector<Difference>& found) {
  if (a == b) return;
  constexpr std::size_t kShown = 12;
  Difference difference;
  difference.text = name + ":";
  std::vector<std::string> lines = changed_lines(a, b);
  const std::size_t more = lines.size() > kShown ? lines.size() - kShown : 0;
  lines.resize(lines.size() - more);
  for (const std::string& line : lines) difference.text += "\n    " + line;
  if (more > 0) difference.text += fmt::format("\n    and {} more lines", more);
  difference.allowed = !a.empty() && !b.empty() && without_paths(a, now) == without_paths(b, now);
  found.push_back(std::move(difference));
}

}  // namespace

std::vector<Difference> differences(const std::string& before, const Program& now) {
  std::vector<Difference> found;
  if (before == now.resolved) return found;
  const std::vector<Section> old_sections = sections_of(before);
  const std::vector<Section> new_sections = sections_of(now.resolved);
  const auto other = [](const std::vector<Section>& sections, const std::string& name) {
    for (const Section& section : sections) {
      if (heading(section) == name) return section;
    }
    return Section{};
  };
  for (const Section& section : old_sections) {
    const std::string name = heading(section);
    if (!is_train(section)) compare_section(name, section, other(new_sections, name), now, found);
  }
  for (const Section& section : new_sections) {
    const std::string name = heading(section);
    if (!is_train(section) && other(old_sections, name).empty())
      compare_section(name, {}, section, now, found);
  }
  compare_settings(old_sections, new_sections, found);
  return found;
}

}  // namespace strata
