// Changes to inputs that know what a token and a line are, so that more of them get past the
// parser: words of the registry and of the text, numbers at the edges of their types, stages,
// arguments, lines moved and copied. Half of all mutations; the other half are libFuzzer's own, of
// bytes.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "framework/plugin/registry.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace strata {
namespace {

using Random = std::minstd_rand;
using Pieces = std::vector<std::string>;

std::size_t below(Random& random, std::size_t bound) { return bound == 0 ? 0 : random() % bound; }

template <class Range>
const auto& any_of(Random& random, const Range& range) {
  return range[below(random, std::size(range))];
}

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_number(const std::string& token) { return token[0] >= '0' && token[0] <= '9'; }

Pieces tokens_of(std::string_view text) {
  Pieces tokens;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    if (is_word(text[i])) {
      while (end < text.size() && is_word(text[end])) ++end;
    } else if (text[i] == ' ') {
      while (end < text.size() && text[end] == ' ') ++end;
    } else if (text[i] == '"') {
      while (end < text.size() && text[end] != '"' && text[end] != '\n') ++end;
      end = std::min(end + 1, text.size());
    } else if (end < text.size() &&
               std::string_view("->..//**==!=<=>=").find(text.substr(i, 2)) % 2 == 0) {
      ++end;
    }
    tokens.emplace_back(text.substr(i, end - i));
    i = end;
  }
  return tokens;
}

Pieces lines_of(std::string_view text) {
  Pieces lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

std::string joined(const Pieces& pieces) {
  std::string text;
  for (const std::string& piece : pieces) text += piece;
  return text;
}

// Names of everything that is registered, and of its options, as `name` or `name = default-like`.
struct Vocabulary {
  Pieces layers, plugins, options, texts;
};

const Vocabulary& vocabulary() {
  static const Vocabulary words = [] {
    Vocabulary made;
    const Registry registry = Registry::builtin();
    for (const Entry* entry : registry.all()) {
      made.plugins.push_back(entry->name());
      if (entry->kind() == STRATA_LAYER) made.layers.push_back(entry->name());
      const strata_schema& schema = entry->schema();
      if (schema.example && *schema.example) made.texts.emplace_back(schema.example);
      for (std::int64_t i = 0; i < schema.option_count; ++i) {
        made.options.emplace_back(schema.options[i].name);
        for (std::int64_t c = 0; c < schema.options[i].choice_count; ++c) {
          made.texts.push_back("\"" + std::string(schema.options[i].choices[c]) + "\"");
        }
      }
    }
    return made;
  }();
  return words;
}

constexpr std::string_view kNumbers[] = {"0",          "1",          "2",
                                         "3",          "7",          "10",
                                         "16",         "28",         "100",
                                         "1000",       "65536",      "1_000_000",
                                         "2147483647", "2147483648", "9223372036854775807",
                                         "0.0",        "0.5",        "1.0",
                                         "1e-3",       "1e-300",     "1e300",
                                         "5e-324",     "1e15",       "9007199254740993"};
constexpr std::string_view kExpressions[] = {"x.shape",
                                             "x.size",
                                             "x.rank",
                                             "x.features",
                                             "[1, 2]",
                                             "1..3",
                                             "0..0",
                                             "none",
                                             "true",
                                             "false",
                                             "not true",
                                             "-1",
                                             "(1, 2)",
                                             "[]",
                                             "min(1, 2)",
                                             "max([1])",
                                             "sum([])",
                                             "range(3)",
                                             "len([1])",
                                             "sqrt(2)",
                                             "log2(8)",
                                             "round(0.5)",
                                             "if true then 1 else 2",
                                             "1 / 2",
                                             "1 // 0",
                                             "2 ** 62",
                                             "5 % -3",
                                             "1 in [1]",
                                             "\"\" + \"a\"",
                                             "[1] * 3",
                                             "1 == 1.0"};
constexpr std::string_view kStages[] = {"if true { ReLU }",
                                        "if x.rank == 1 { Flatten } else { ReLU }",
                                        "repeat 2 { ReLU }",
                                        "for i in 1..3 { Dense(i) }",
                                        "for i, v in [1, 2] { Dense(v) as r }",
                                        "Dense(3) as z",
                                        "Add(x, x)"};
constexpr std::string_view kLines[] = {
    "let a = 1\n",
    "param p: int = 1 in 1..9\n",
    "param s: str = \"a\" in [\"a\", \"b\"]\n",
    "block b(x, n = 2) -> y { y = x -> Dense(n) }\n",
    "model n(x: [2]) -> y { y = x -> Dense(3) }\n",
    "data d = Synthetic\n",
    "train { loss = CrossEntropy(y, label) optimizer = SGD(lr = 0.1) }\n",
    "study s { grid p = [1, 2] }\n",
    "seeds = 3\n",
    "where p == 1\n",
    "report val.loss\n",
    "# comment\n",
    "\n",
    "zip (p, train.seed) = [(1, 2)]\n",
    "\x1Etrain.batch_size=2",
    "\x1Ep=3",
    "\x1E"
    "data.d.samples=5"};

std::string any_value(Random& random) {
  switch (below(random, 4)) {
    case 0:
      return std::string(any_of(random, kNumbers));
    case 1:
      return std::string(any_of(random, kExpressions));
    case 2:
      return any_of(random, vocabulary().texts);
    default:
      return any_of(random, vocabulary().plugins);
  }
}

void change_token(Pieces& tokens, Random& random) {
  if (tokens.empty()) return;
  const std::size_t at = below(random, tokens.size());
  std::string& token = tokens[at];
  switch (below(random, 10)) {
    case 0:
      token.clear();
      break;
    case 1:
      token += token;
      break;
    case 2:
      std::swap(token, tokens[below(random, tokens.size())]);
      break;
    case 3:
      token = std::string(any_of(random, tokens));
      break;
    case 4:
      token += " -> " + any_of(random, vocabulary().layers);
      break;
    case 5:
      token += " -> " + std::string(any_of(random, kStages));
      break;
    case 6:
      token += (token == "(" ? "" : ", ") + any_of(random, vocabulary().options) + " = " +
               any_value(random);
      break;
    case 7:
      token += " + " + any_value(random);
      break;
    default:  // another of its sort, near it
      for (std::size_t i = at; i < tokens.size(); ++i) {
        if (!is_word(tokens[i][0])) continue;
        if (is_number(tokens[i]) || below(random, 3) == 0) {
          tokens[i] = any_value(random);
        } else {
          const std::string& other = any_of(random, tokens);
          tokens[i] = is_word(other[0]) ? std::string(other) : any_of(random, vocabulary().plugins);
        }
        break;
      }
  }
  std::erase(tokens, "");
}

void change_line(Pieces& lines, Random& random) {
  const std::size_t at = below(random, lines.size() + 1);
  const auto place = lines.begin() + static_cast<std::ptrdiff_t>(at);
  switch (below(random, 4)) {
    case 0:
      lines.insert(place, std::string(any_of(random, kLines)));
      break;
    case 1:
      if (at < lines.size()) lines.erase(place);
      break;
    case 2:
      if (!lines.empty()) lines.insert(place, std::string(any_of(random, lines)));
      break;
    default:
      if (at < lines.size()) std::swap(lines[at], lines[below(random, lines.size())]);
  }
}

std::size_t give(const std::string& text, std::uint8_t* out, std::size_t max_size) {
  const std::size_t size = std::min(text.size(), max_size);
  std::memcpy(out, text.data(), size);
  return size;
}

}  // namespace
}  // namespace strata

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  using namespace strata;  // NOLINT: the entry
  Random random(seed);
  if (below(random, 2) == 0) return LLVMFuzzerMutate(data, size, max_size);
  std::string text(reinterpret_cast<const char*>(data), size);
  for (std::size_t times = 1 + below(random, 3); times > 0; --times) {
    const bool of_lines = below(random, 4) == 0;
    Pieces pieces = of_lines ? lines_of(text) : tokens_of(text);
    of_lines ? change_line(pieces, random) : change_token(pieces, random);
    text = joined(pieces);
  }
  return give(text, data, max_size);
}

// Lines of the one with some of the other among them.
extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* first, std::size_t first_size,
                                                 const std::uint8_t* second,
                                                 std::size_t second_size, std::uint8_t* out,
                                                 std::size_t max_size, unsigned seed) {
  using namespace strata;  // NOLINT: the entry
  Random random(seed);
  Pieces lines = lines_of({reinterpret_cast<const char*>(first), first_size});
  const Pieces other = lines_of({reinterpret_cast<const char*>(second), second_size});
  const std::size_t begin = below(random, other.size()),
                    count = below(random, other.size() - begin) + 1;
  for (std::size_t i = begin; i < std::min(begin + count, other.size()); ++i) {
    const auto place = lines.begin() + static_cast<std::ptrdiff_t>(below(random, lines.size() + 1));
    lines.insert(place, other[i]);
  }
  return give(joined(lines), out, max_size);
}
