// Tokens of the language into keys and values.
#include "framework/report/resolved_settings.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <span>

#include "framework/base/text.h"

namespace strata::report {
namespace {

struct Token {
  std::string text;
  bool at_margin = false;

  bool is(std::string_view other) const { return text == other; }
  bool is_word() const {
    return std::isalpha(static_cast<unsigned char>(text[0])) != 0 || text[0] == '_' ||
           static_cast<unsigned char>(text[0]) >= 0x80;
  }
  bool opens() const { return is("(") || is("[") || is("{"); }
  bool closes() const { return is(")") || is("]") || is("}"); }
};

using Tokens = std::span<const Token>;

bool in_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::size_t token_size(std::string_view rest) {
  const char c = rest[0];
  std::size_t size = 1;
  if (c == '"') {
    while (size < rest.size() && rest[size] != '"') size += rest[size] == '\\' ? 2 : 1;
    return std::min(size + 1, rest.size());
  }
  if (in_word(c)) {
    const bool number = std::isdigit(static_cast<unsigned char>(c)) != 0;
    while (size < rest.size() &&
           (in_word(rest[size]) || (number && (rest[size] == '-' || rest[size] == '+') &&
                                    (rest[size - 1] == 'e' || rest[size - 1] == 'E'))))
      ++size;
    return size;
  }
  for (const std::string_view pair : {"->", "==", "!=", "<=", ">=", "**", "//"})
    if (rest.starts_with(pair)) return 2;
  return 1;
}

std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> tokens;
  bool margin = true;
  while (!text.empty()) {
    const char c = text[0];
    if (c == '#') {
      text.remove_prefix(std::min(text.find('\n'), text.size()));
      continue;
    }
    if (c == '\n' || c == ' ' || c == '\t' || c == '\r') {
      margin = c == '\n';
      text.remove_prefix(1);
      continue;
    }
    const std::size_t size = token_size(text);
    tokens.push_back({std::string(text.substr(0, size)), margin});
    margin = false;
    text.remove_prefix(size);
  }
  return tokens;
}

// On one line, spaced as the canonical layout does.
std::string joined(Tokens tokens) {
  std::string out;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    if (token.is(",") && i + 1 < tokens.size() && tokens[i + 1].closes()) continue;
    const bool tight_after =
        i > 0 &&
        (tokens[i - 1].is("(") || tokens[i - 1].is("[") ||
         (tokens[i - 1].is("-") && (i == 1 || tokens[i - 2].is("(") || tokens[i - 2].is(",") ||
                                    tokens[i - 2].is("[") || tokens[i - 2].is("="))));
    const bool tight_before = token.is(")") || token.is("]") || token.is(",") || token.is(":") ||
                              (i > 0 && token.is("(") && tokens[i - 1].is_word());
    if (i > 0 && !tight_after && !tight_before) out += ' ';
    out += token.text;
  }
  return out;
}

std::vector<Tokens> split(Tokens tokens, std::string_view divider) {
  std::vector<Tokens> parts;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    depth += tokens[i].opens() - tokens[i].closes();
    if (depth != 0 || !tokens[i].is(divider)) continue;
    parts.push_back(tokens.subspan(begin, i - begin));
    begin = i + 1;
  }
  if (begin < tokens.size()) parts.push_back(tokens.subspan(begin));
  return parts;
}

// The index of the bracket that closes the one at `open`, or the size.
std::size_t closing(Tokens tokens, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < tokens.size(); ++i) {
    depth += tokens[i].opens() - tokens[i].closes();
    if (depth == 0) return i;
  }
  return tokens.size();
}

class Collector {
 public:
  std::vector<Setting> settings;

  // A value, or a call with its options as keys of their own.
  void value(const std::string& key, Tokens tokens, SettingKind kind) {
    while (!tokens.empty() && tokens.back().is(",")) tokens = tokens.first(tokens.size() - 1);
    if (tokens.size() < 2 || !tokens[0].is_word() || !tokens[1].is("(") ||
        closing(tokens, 1) + 1 != tokens.size()) {
      settings.push_back({key, joined(tokens), kind});
      return;
    }
    const std::size_t at = settings.size();
    settings.push_back({key, tokens[0].text, kind});
    std::string unnamed;
    for (const Tokens& argument : split(tokens.subspan(2, tokens.size() - 3), ",")) {
      if (argument.size() > 2 && argument[1].is("=")) {
        value(key + "." + argument[0].text, argument.subspan(2), kind);
      } else {
        unnamed += (unnamed.empty() ? "" : ", ") + joined(argument);
      }
    }
    if (!unnamed.empty()) settings[at].value += "(" + unnamed + ")";
  }

  // `first -> Second(…) -> Third(…)`: the first has the key, the others their names behind it.
  void chain(const std::string& key, Tokens tokens, SettingKind kind) {
    std::map<std::string, int> count;
    const std::vector<Tokens> stages = split(tokens, "->");
    for (std::size_t i = 0; i < stages.size(); ++i) {
      if (stages[i].empty()) continue;
      if (i == 0) {
        value(key, stages[i], kind);
        continue;
      }
      const std::string name = snake_case(stages[i][0].text);
      const int number = ++count[name];
      value(key + "." + name + (number > 1 ? std::to_string(number) : ""), stages[i], kind);
    }
  }

  void assignments(const std::string& prefix, Tokens body) {
    int depth = 0;
    std::size_t begin = body.size();
    const auto flush = [&](std::size_t end) {
      if (begin + 2 < end)
        value(prefix + body[begin].text, body.subspan(begin + 2, end - begin - 2),
              SettingKind::kTrain);
    };
    for (std::size_t i = 0; i + 1 < body.size(); ++i) {
      if (depth == 0 && body[i].is_word() && body[i + 1].is("=")) {
        flush(i);
        begin = i;
      }
      depth += body[i].opens() - body[i].closes();
    }
    flush(body.size());
  }

  // Layers by their kinds and numbers; all the rest of the body is its wiring.
  void flow(const std::string& prefix, const std::string& what, Tokens body) {
    std::map<std::string, int> count;
    std::vector<Token> rest;
    for (std::size_t i = 0; i < body.size(); ++i) {
      rest.push_back(body[i]);
      const bool layer =
          body[i].is_word() && std::isupper(static_cast<unsigned char>(body[i].text[0])) != 0;
      if (!layer) continue;
      const std::string name = snake_case(body[i].text);
      const std::string key = prefix + name + std::to_string(++count[name]);
      std::size_t size = 1;
      if (i + 1 < body.size() && body[i + 1].is("("))
        size = std::min(closing(body, i + 1) + 1, body.size()) - i;
      value(key, body.subspan(i, size), SettingKind::kModel);
      i += size - 1;
    }
    settings.push_back({what, joined(rest), SettingKind::kWiring});
  }

  void section(Tokens tokens) {
    const std::string& word = tokens[0].text;
    if (word == "format" || word == "study" || tokens.size() < 2) return;
    const auto find = [&](std::string_view text) {
      return static_cast<std::size_t>(
          std::find_if(tokens.begin(), tokens.end(),
                       [&](const Token& token) { return token.is(text); }) -
          tokens.begin());
    };
    const std::size_t equals = find("="), brace = find("{");
    if (word == "train" && brace < tokens.size()) {
      assignments("train.", tokens.subspan(brace + 1, closing(tokens, brace) - brace - 1));
    } else if ((word == "model" || word == "block") && brace < tokens.size()) {
      const std::string prefix = word == "block" ? tokens[1].text + "." : "";
      const std::string what = word == "model" ? "model" : "block " + tokens[1].text;
      settings.push_back({what, tokens[1].text, SettingKind::kModel});
      settings.push_back(
          {"signature of " + what, joined(tokens.subspan(2, brace - 2)), SettingKind::kWiring});
      flow(prefix, "wiring of " + what,
           tokens.subspan(brace + 1, closing(tokens, brace) - brace - 1));
    } else if (word == "data" && equals < tokens.size()) {
      chain("data." + tokens[1].text, tokens.subspan(equals + 1), SettingKind::kData);
    } else if ((word == "param" || word == "let") && equals < tokens.size()) {
      const Tokens right = tokens.subspan(equals + 1);
      value(tokens[1].text, split(right, "in")[0], SettingKind::kParam);
    } else {
      settings.push_back({word + " " + tokens[1].text,
                          joined(tokens.subspan(std::min<std::size_t>(2, tokens.size()))),
                          SettingKind::kPlugin});
    }
  }
};

}  // namespace

std::vector<Setting> settings_of(std::string_view resolved) {
  const std::vector<Token> tokens = tokens_of(resolved);
  Collector collector;
  std::size_t begin = 0;
  for (std::size_t i = 1; i <= tokens.size(); ++i) {
    if (i < tokens.size() && !(tokens[i].at_margin && tokens[i].is_word())) continue;
    if (begin < i) collector.section(Tokens(tokens).subspan(begin, i - begin));
    begin = i;
  }
  return std::move(collector.settings);
}

std::string short_key(const std::string& key) { return key.substr(key.rfind('.') + 1); }

}  // namespace strata::report
