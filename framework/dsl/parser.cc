// The grammar of the whole language in Boost Spirit X3, over tokens. It knows no layer and no
// setting; every rule is decided by the next token or two, so nothing is parsed twice. Where only
// one thing can follow, `must` says what was expected (syntax_errors.cc has the words) and throws;
// `guarded` catches that where its construct ends, so that one mistake costs one statement,
// argument or stage and the rest is still checked.
#include "framework/dsl/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "framework/dsl/brackets.h"
#include "framework/dsl/grammar_sections.h"
#include "framework/dsl/lexer.h"
#include "framework/dsl/syntax_errors.h"
#include "framework/dsl/trivia.h"

namespace strata::dsl {
namespace {

BOOST_SPIRIT_DEFINE(expression, conditional, operation, primary, path, call_arguments, list_items,
                    tuple_items, argument, list_item, flow, body_flow, stage, required_stage,
                    call_stage, if_branch, if_stage, for_stage, repeat_stage, targets, statement,
                    statements, bound_value, quoted_value, let_value, input_shape, setting,
                    study_statement, path_list, block_parameter, model_input, outputs, block_header,
                    model_header, name_header, section)

template <class Rule, class Value>
bool parse_at(State& s, const Rule& rule, At& first, Value& value) {
  return x3::with<state_tag>(s)[rule].parse(first, s.end, x3::unused, x3::unused, value);
}

// The rules look at most three tokens ahead without asking whether they are there.
void pad_end(std::vector<Token>& tokens) {
  tokens.insert(tokens.end(), kLookahead, Token(tokens.back()));
}

// The name that a section which is kept out of the tree would have declared; an empty one where it
// has none, since something is missing all the same.
void note_incomplete(State& s, At keyword, File& file) {
  const bool has_name = (keyword + 1)->kind == Tok::kName && !(keyword + 1)->first_on_line;
  file.incomplete.push_back(has_name ? s.name(keyword + 1) : Name{"", s.span(keyword)});
}

bool has_header(const Section& parsed) {
  return std::visit(
      [](const auto& node) {
        using Node = std::decay_t<decltype(node)>;
        if constexpr (std::is_same_v<Node, BlockSection> || std::is_same_v<Node, ModelSection> ||
                      std::is_same_v<Node, StudySection>) {
          return !node.name.text.empty();
        }
        return true;
      },
      parsed.node);
}

void check_format(State& s, const File& file) {
  const At first = s.tokens.data();
  if (first->kind == Tok::kEnd) {
    s.errors.report("missing-format", first, "the file says nothing",
                    "a model file begins with `format 1`");
  } else if (first->word != Word::kFormat && !s.errors.reported_at(first)) {
    s.errors.report("missing-format", first, "the file does not begin with its format",
                    "write `format 1` first");
  }
  for (std::size_t i = 0; i < file.sections.size(); ++i) {
    const auto* format = std::get_if<FormatSection>(&file.sections[i].node);
    if (!format) continue;
    const auto* version = std::get_if<IntLiteral>(&format->version.node);
    if (version && version->value != 1) {
      s.diagnostics
          .error("unknown-format", format->version.span,
                 fmt::format("this program does not know format {}", version->value))
          .help = "it reads `format 1`";
    }
    if (i > 0) {
      s.diagnostics
          .error("misplaced-format", file.sections[i].span,
                 "`format` stands once, first in the file")
          .help = "remove this line";
    }
  }
}

At next_section(const State& s, At at) {
  for (; at->kind != Tok::kEnd; ++at) {
    if (s.errors.misspelt_section(at)) return at;
    if (at->first_on_line && is_section_word(at->word) &&
        (s.starts_section(at) || ((at + 1)->kind != Tok::kEqual && (at + 1)->kind != Tok::kArrow) ||
         ((at + 1)->kind == Tok::kEqual && s.errors.at_margin(at)))) {
      return at;
    }
    if (State::is_open(at->kind)) at = s.tokens.data() + at->partner;
  }
  return at;
}

void parse_sections(State& s, File& file) {
  At first = s.tokens.data();
  bool quiet = false;  // what lies between a mistake and the next section is no mistake of its own
  while (first->kind != Tok::kEnd && !s.diagnostics.full()) {
    if (first->kind == Tok::kSemicolon ||
        (first->kind == Tok::kComma && !file.sections.empty() && !first->first_on_line)) {
      ++first;
      continue;
    }
    const At start = first;
    if (!is_section_word(first->word)) {
      if (!quiet || s.errors.misspelt_section(first)) s.errors.missing(Expected::kSection, first);
      note_incomplete(s, first, file);
      first = next_section(s, first + 1);
      quiet = true;
      continue;
    }
    const int errors = s.diagnostics.errors();
    Section parsed;
    try {
      s.depth = 0;
      if (parse_at(s, section, first, parsed) && has_header(parsed)) {
        file.sections.push_back(std::move(parsed));
      } else {
        note_incomplete(s, start, file);
      }
    } catch (const SyntaxError& error) {
      note_incomplete(s, start, file);
      first = next_section(s, std::max(start + 1, error.at));
    }
    if (first == start) ++first;
    quiet = s.diagnostics.errors() > errors;
  }
}

}  // namespace

namespace {

// With a byte order mark, or with a zero in every other byte of its first letters.
bool is_utf16(std::string_view text) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) return true;
  return text.size() >= 4 && ((text[0] == 0) != (text[1] == 0)) &&
         (text[0] == 0) == (text[2] == 0) && (text[1] == 0) == (text[3] == 0);
}

// The name of the format of a text that is another tool's; empty for what may be a model file.
std::string_view foreign_format(std::string_view text) {
  const auto skip = [&] {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    text.remove_prefix(begin == std::string_view::npos ? text.size() : begin);
  };
  skip();
  while (text.starts_with("#")) {
    text.remove_prefix(std::min(text.find('\n'), text.size()));
    skip();
  }
  if (text.starts_with("{") || text.starts_with("[")) {
    const bool object = text[0] == '{';
    text.remove_prefix(1);
    skip();
    if (text.starts_with("\"") || (!object && (text.starts_with("{") || text.starts_with("["))))
      return "JSON";
    return {};
  }
  if (text.starts_with("name:")) {
    const bool layers = text.find("\nlayer {") != std::string_view::npos ||
                        text.find("\nlayers {") != std::string_view::npos ||
                        text.find("\ninput:") != std::string_view::npos;
    if (layers) return "Caffe's prototxt";
  }
  return text.starts_with("<?xml") ? "XML" : "";
}

// `seed=99999999999999999999` is a number that does not fit, and no text.
bool is_number_too_large(const Diagnostics& said, std::size_t begin, std::size_t end) {
  return said.all().size() == 1 && said.all()[0].code == "number-out-of-range" &&
         said.all()[0].span.begin <= begin + 1 && said.all()[0].span.end == end;
}

}  // namespace

File parse_file(const SourceFile& source, Diagnostics& diagnostics, const ParseLimits& limits) {
  File file;
  file.source = &source;
  if (source.text().size() > limits.file_bytes) {
    diagnostics
        .error("file-too-large", Span{&source, 0, 0},
               fmt::format("the file has {} bytes; {} are the most", source.text().size(),
                           limits.file_bytes))
        .help = "split it and `include` the parts, or write what repeats as a loop";
    return file;
  }
  if (is_utf16(source.text())) {
    diagnostics.error("invalid-utf8", Span{&source, 0, 0}, "the file is UTF-16").help =
        "save it as UTF-8";
    file.incomplete.push_back({"", Span{&source, 0, 0}});
    return file;
  }
  if (const std::string_view format = foreign_format(source.text()); !format.empty()) {
    const auto at = static_cast<std::uint32_t>(source.text().find_first_not_of(" \t\r\n"));
    diagnostics
        .error("foreign-format", Span{&source, at, at + 1},
               fmt::format("this is {}, and no model file", format))
        .help =
        "a model file is written like `format 1` and then `model name(image: [28, 28]) -> logits { "
        "image -> Flatten -> Dense(10) as logits }`";
    file.incomplete.push_back({"", Span{&source, at, at}});
    return file;
  }
  Tokens tokens = tokenize(source, diagnostics);
  balance_brackets(source, tokens.tokens, diagnostics);
  pad_end(tokens.tokens);
  State s{source, tokens.tokens, diagnostics, limits,
          SyntaxErrors(source, tokens.tokens, diagnostics)};
  parse_sections(s, file);
  check_format(s, file);
  if (s.tokens.front().kind == Tok::kEnd) note_incomplete(s, s.tokens.data(), file);
  attach_trivia(source, tokens, file);
  return file;
}

Override parse_override(const SourceFile& source, Diagnostics& diagnostics,
                        const ParseLimits& limits) {
  Override result;
  result.span = {&source, 0, static_cast<std::uint32_t>(source.text().size())};
  const std::size_t equal = source.text().find('=');
  if (equal == std::string_view::npos) {
    diagnostics.error("bad-override", result.span, "an override has no `=`").help =
        "write `path=value`, as in `train.batch_size=256`";
    return result;
  }
  result.raw_value = source.text().substr(equal + 1);
  // A value that is no expression is text: `data.path=/tmp/mnist`. What opens a quote or a bracket
  // means an expression.
  Diagnostics mine;
  Tokens tokens = tokenize(source, mine);
  balance_brackets(source, tokens.tokens, mine);
  pad_end(tokens.tokens);
  State s{source, tokens.tokens, mine, limits, SyntaxErrors(source, tokens.tokens, mine)};
  At first = s.tokens.data();
  bool path_ok = false;
  try {
    path_ok = parse_at(s, path, first, result.path) && first->kind == Tok::kEqual &&
              first->begin == equal;
    if (path_ok) {
      ++first;
      if (!parse_at(s, expression, first, result.value) || first->kind != Tok::kEnd)
        throw SyntaxError{first};
    }
  } catch (const SyntaxError& error) {
    if (path_ok && !mine.has_errors()) s.errors.missing(Expected::kValue, error.at);
    result.value = Expr{};
  }
  if (!path_ok) {
    result.path = Path{};
    diagnostics
        .error("bad-override", Span{&source, 0, static_cast<std::uint32_t>(equal)},
               "what stands before `=` is not a path of names")
        .help = "write `path=value`, as in `train.batch_size=256`";
    return result;
  }
  const std::string_view raw = result.raw_value;
  const std::size_t begin = raw.find_first_not_of(" \t");
  const bool expression_meant =
      begin != std::string_view::npos &&
      (std::string_view("\"[(").find(raw[begin]) != std::string_view::npos ||
       is_number_too_large(mine, equal + 1 + begin, source.text().size()));
  const bool failed = mine.has_errors() || std::holds_alternative<ErrorExpr>(result.value.node);
  if (begin == std::string_view::npos) {
    diagnostics.error("bad-override", result.span, "an override without a value").help =
        "write `path=value`; the empty string is `path='\"\"'` in a shell";
  } else if (failed && expression_meant) {
    for (const Diagnostic& d : mine.all()) diagnostics.add(d);
  } else if (failed) {
    result.value = Expr{{&source, static_cast<std::uint32_t>(equal + 1), result.span.end},
                        false,
                        StringLiteral{std::string(raw)}};
  }
  return result;
}

}  // namespace strata::dsl
