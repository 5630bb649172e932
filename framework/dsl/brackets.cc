// Bracket matching with repair.
#include "framework/dsl/brackets.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace strata::dsl {
namespace {

constexpr std::size_t kReported = 3;  // of brackets that one place leaves open

bool opens(Tok kind) {
  return kind == Tok::kLeftParen || kind == Tok::kLeftBracket || kind == Tok::kLeftBrace;
}
bool closes(Tok kind) {
  return kind == Tok::kRightParen || kind == Tok::kRightBracket || kind == Tok::kRightBrace;
}
Tok closer_of(Tok open) { return static_cast<Tok>(static_cast<int>(open) + 1); }

// May an expression go on in the next line behind this token?
bool wants_more(Tok kind) {
  return kind == Tok::kComma || opens(kind) ||
         (kind >= Tok::kColon && kind <= Tok::kGreaterEqual) ||
         (is_keyword(kind) && kind < Tok::kTrue);
}
// May it stand first in a line inside an expression, going on with what is above?
bool continues(Tok kind) {
  return kind == Tok::kComma || closes(kind) ||
         (kind >= Tok::kRange && kind <= Tok::kGreaterEqual) ||
         (is_keyword(kind) && kind < Tok::kTrue && kind != Tok::kIf && kind != Tok::kNot);
}

class Balancer {
 public:
  Balancer(const SourceFile& source, std::vector<Token>& tokens, Diagnostics& diagnostics)
      : source_(source), tokens_(tokens), diagnostics_(diagnostics) {}

  void run() {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const Tok kind = tokens_[i].kind;
      if (kind == Tok::kEnd || at_next_section(i)) close_all(i);
      if (tokens_[i].first_on_line) line_first_ = i;
      if (stack_.empty() && tokens_[i].first_on_line) section_indent_ = indent(i);
      if (at_next_setting(i)) close_before(i);
      if (opens(kind)) {
        stack_.push_back(i);
        stack_lines_.push_back(line_first_);
      }
      if (closes(kind)) close(i);
    }
    rebuild();
  }

 private:
  struct Insertion {
    std::size_t before;
    Tok kind;
  };

  std::size_t indent(std::size_t i) const { return indentation(source_, tokens_[i].begin); }
  Span span(std::size_t i) const { return {&source_, tokens_[i].begin, tokens_[i].end}; }

  // Inside brackets, a section's beginning no deeper than the section it is in shows that a brace
  // is missing.
  bool at_next_section(std::size_t i) const {
    if (stack_.empty() || !begins_section(tokens_, i) || indent(i) > section_indent_) return false;
    return !(tokens_[i].word == Word::kLet && tokens_[stack_.front()].kind == Tok::kLeftBrace);
  }

  // Inside round or square brackets, a line `key = …` no deeper than the line they opened on,
  // behind a value that needs nothing more, shows that they should have been closed above it.
  bool at_next_setting(std::size_t i) const {
    if (i == 0 || stack_.empty() || tokens_[stack_.back()].kind == Tok::kLeftBrace) return false;
    if (!tokens_[i].first_on_line || tokens_[i].kind != Tok::kName || i + 1 >= tokens_.size() ||
        tokens_[i + 1].kind != Tok::kEqual || wants_more(tokens_[i - 1].kind))
      return false;
    const std::size_t keep = kept_braces();
    return keep > 0 && indent(i) <= indent(stack_lines_[keep]);
  }

  // How many open brackets there are up to the innermost brace.
  std::size_t kept_braces() const {
    std::size_t keep = stack_.size();
    while (keep > 0 && tokens_[stack_[keep - 1]].kind != Tok::kLeftBrace) --keep;
    return keep;
  }

  void close_before(std::size_t i) {
    const std::size_t keep = kept_braces();
    late_ += stack_.size() - keep;
    leave_open(keep, i);
  }

  void close(std::size_t i) {
    const Tok kind = tokens_[i].kind;
    if (stack_.empty()) return stray(i);
    if (closer_of(tokens_[stack_.back()].kind) == kind) return match(i);
    // What is open inside the bracket that this one closes was forgotten.
    std::size_t depth = stack_.size();
    while (depth > 0) {
      const Tok open = tokens_[stack_[depth - 1]].kind;
      if (closer_of(open) == kind) break;
      if (open == Tok::kLeftBrace)
        depth = 1;  // round and square brackets never reach out of braces
      --depth;
    }
    if (depth + 1 == stack_.size() && swapped(i)) return;
    if (depth > 0) {
      leave_open(depth, i);
      return match(i);
    }
    if (tokens_[stack_.back()].kind == Tok::kLeftBrace || kind == Tok::kRightBrace) return stray(i);
    const Tok wanted = closer_of(tokens_[stack_.back()].kind);
    Diagnostic& d = diagnostics_.error("mismatched-bracket", span(i),
                                       fmt::format("`{}` closes a `{}`", bracket_text(kind),
                                                   bracket_text(tokens_[stack_.back()].kind)));
    d.notes.push_back({span(stack_.back()), "opened here"});
    d.help = fmt::format("write `{}`", bracket_text(wanted));
    tokens_[i].kind = wanted;
    match(i);
  }

  // `[f(a])`: two closing brackets in the wrong order are one mistake.
  bool swapped(std::size_t i) {
    Token &first = tokens_[i], &second = tokens_[i + 1];
    if (second.kind != closer_of(tokens_[stack_.back()].kind) || first.end != second.begin)
      return false;
    diagnostics_
        .error("mismatched-bracket", {&source_, first.begin, second.end},
               fmt::format("`{}{}` closes in the wrong order", bracket_text(first.kind),
                           bracket_text(second.kind)))
        .help = fmt::format("write `{}{}`", bracket_text(second.kind), bracket_text(first.kind));
    std::swap(first.kind, second.kind);
    match(i);
    return true;
  }

  void match(std::size_t i) {
    const std::size_t open = stack_.back(), line = stack_lines_.back();
    stack_.pop_back();
    stack_lines_.pop_back();
    tokens_[open].partner = static_cast<std::uint32_t>(i);
    const bool brace = tokens_[i].kind == Tok::kRightBrace && tokens_[i].first_on_line;
    if (brace && odd_brace_ == 0 && indent(i) != line_indent(line)) {
      odd_brace_ = i;
      odd_open_ = open;
    }
    if (tokens_[i].kind == Tok::kRightBrace) late_ = 0;
    if (stack_.empty()) odd_brace_ = 0;
  }

  std::size_t line_indent(std::size_t i) const {
    // A line that goes on with an arrow has its stage, not its arrow, above the closing brace.
    return tokens_[i].kind == Tok::kArrow && i + 1 < tokens_.size()
               ? indent(i) + (tokens_[i + 1].begin - tokens_[i].begin)
               : indent(i);
  }

  void stray(std::size_t i) {
    if (tokens_[i].kind == Tok::kRightBrace && stack_.empty()) return;  // the parser's to tell
    dropped_.push_back(i);
    if (tokens_[i].after_stray) return;
    if (tokens_[i].kind != Tok::kRightBrace && late_ > 0) {
      --late_;  // stands here in place of where it is missing
      return;
    }
    diagnostics_
        .error("unmatched-bracket", span(i),
               fmt::format("`{}` closes nothing", bracket_text(tokens_[i].kind)))
        .help = "remove it, or open it where it should begin";
  }

  void close_all(std::size_t at) {
    leave_open(0, at);
    odd_brace_ = 0;
  }

  // Takes all but `keep` open brackets as forgotten, noticed at token `at`.
  void leave_open(std::size_t keep, std::size_t at) {
    std::size_t place = 0;
    std::size_t reported = 0, found = 0;
    // So deep that the lexer stopped: the parser says so, and what is closed was not looked at.
    const bool too_deep = stack_.size() >= 10'000;
    while (stack_.size() > keep) {
      const std::size_t open = stack_.back();
      stack_.pop_back();
      stack_lines_.pop_back();
      const bool brace = tokens_[open].kind == Tok::kLeftBrace;
      // Long runs of open brackets are all noticed where the first of them is.
      if (place < at)
        place = brace || ++found > kReported ? at : std::max(place, likely_end(open, at));
      insertions_.push_back({place, closer_of(tokens_[open].kind)});
      if (!too_deep && !muted(open, place) && ++reported <= kReported) report_open(open, place, at);
    }
  }

  bool muted(std::size_t open, std::size_t place) const {
    const std::size_t last = std::min(place, open + 200);
    for (std::size_t i = open; i < last; ++i) {
      if (tokens_[i].after_stray || tokens_[i].kind == Tok::kStray) return true;
    }
    return false;
  }

  // Where a forgotten round or square bracket should have been: before what cannot stand inside it.
  std::size_t likely_end(std::size_t open, std::size_t limit) const {
    int conditions = 0;
    for (std::size_t i = open + 1; i < limit; ++i) {
      const Token& token = tokens_[i];
      if (token.kind == Tok::kIf) ++conditions;
      if (token.kind == Tok::kThen && --conditions < 0) return i;
      if (token.kind == Tok::kArrow || token.kind == Tok::kLeftBrace ||
          token.kind == Tok::kSemicolon || token.kind == Tok::kAs || token.kind == Tok::kFor ||
          token.kind == Tok::kRepeat) {
        return i;
      }
      if (token.first_on_line && !wants_more(tokens_[i - 1].kind) && !continues(token.kind))
        return i;
      if (token.partner != kNoPartner) i = token.partner;
    }
    return limit;
  }

  void report_open(std::size_t open, std::size_t place, std::size_t at) {
    const Tok kind = tokens_[open].kind;
    Diagnostic& d =
        diagnostics_.error("unclosed-bracket", span(open),
                           fmt::format("this `{}` is never closed", bracket_text(kind)));
    const std::string closer = bracket_text(closer_of(kind));
    if (kind != Tok::kLeftBrace) {
      const std::uint32_t end = tokens_[place - 1].end;
      d.notes.push_back({{&source_, end, end}, fmt::format("`{}` is missing here", closer)});
      return;
    }
    if (odd_brace_ > open && stack_.size() < 8) {
      d.notes.push_back(
          {span(odd_brace_),
           fmt::format("this `}}` closes the `{{` of line {}, but is indented otherwise",
                       source_.position(tokens_[odd_open_].begin).line)});
    } else if (tokens_[at].kind == Tok::kEnd) {
      d.notes.push_back({{}, "the file ends before it"});
    } else {
      d.notes.push_back({span(at), "a new section begins here"});
    }
    d.help = "add `" + closer + "` where it should end";
  }

  // Writes the insertions and removals into the tokens, then pairs what is now balanced.
  void rebuild() {
    if (!insertions_.empty() || !dropped_.empty()) {
      std::stable_sort(insertions_.begin(), insertions_.end(),
                       [](const Insertion& a, const Insertion& b) { return a.before < b.before; });
      std::sort(dropped_.begin(), dropped_.end());
      std::vector<Token> result;
      result.reserve(tokens_.size() + insertions_.size());
      auto insertion = insertions_.begin();
      auto dropped = dropped_.begin();
      for (std::size_t i = 0; i < tokens_.size(); ++i) {
        for (; insertion != insertions_.end() && insertion->before == i; ++insertion) {
          Token& token = result.emplace_back();
          token.kind = insertion->kind;
          token.inserted = true;
          token.begin = token.end = result.size() > 1 ? result[result.size() - 2].end : 0;
        }
        if (dropped != dropped_.end() && *dropped == i) {
          ++dropped;
          if (i + 1 < tokens_.size()) tokens_[i + 1].first_on_line |= tokens_[i].first_on_line;
        } else {
          result.push_back(std::move(tokens_[i]));
        }
      }
      tokens_ = std::move(result);
    }
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      tokens_[i].partner = kNoPartner;
      if (opens(tokens_[i].kind)) open.push_back(i);
      if (!closes(tokens_[i].kind) || open.empty()) continue;
      tokens_[i].partner = static_cast<std::uint32_t>(open.back());
      tokens_[open.back()].partner = static_cast<std::uint32_t>(i);
      open.pop_back();
    }
  }

  const SourceFile& source_;
  std::vector<Token>& tokens_;
  Diagnostics& diagnostics_;
  std::vector<std::size_t> stack_;        // of open brackets
  std::vector<std::size_t> stack_lines_;  // the first token of the line of each
  std::size_t line_first_ = 0;
  std::size_t late_ = 0;  // closing brackets that may follow for those taken as forgotten
  std::vector<Insertion> insertions_;
  std::vector<std::size_t> dropped_;
  std::size_t section_indent_ = 0;
  std::size_t odd_brace_ =
      0;  // the first `}` of the section whose indentation is not that of its `{`; 0 for none
  std::size_t odd_open_ = 0;
};

}  // namespace

void balance_brackets(const SourceFile& source, std::vector<Token>& tokens,
                      Diagnostics& diagnostics) {
  Balancer(source, tokens, diagnostics).run();
}

bool begins_section(const std::vector<Token>& tokens, std::size_t index) {
  const Token& token = tokens[index];
  if (!token.first_on_line || !is_section_word(token.word) || index + 2 >= tokens.size())
    return false;
  const Token& next = tokens[index + 1];
  if (next.first_on_line) return false;
  switch (token.word) {
    case Word::kFormat:
      return next.kind == Tok::kInteger || next.kind == Tok::kFloat || next.kind == Tok::kBroken;
    case Word::kInclude:
    case Word::kRequire:
      return next.kind == Tok::kString;
    case Word::kTrain:
      if (next.kind == Tok::kLeftBrace) return true;
      [[fallthrough]];
    default:
      return next.kind == Tok::kName;
  }
}

const char* bracket_text(Tok kind) {
  switch (kind) {
    case Tok::kLeftParen:
      return "(";
    case Tok::kRightParen:
      return ")";
    case Tok::kLeftBracket:
      return "[";
    case Tok::kRightBracket:
      return "]";
    case Tok::kLeftBrace:
      return "{";
    default:
      return "}";
  }
}

std::size_t indentation(const SourceFile& source, std::size_t offset) {
  const std::string_view text = source.text();
  std::size_t width = 0;
  while (offset > 0 && (text[offset - 1] == ' ' || text[offset - 1] == '\t')) {
    width += text[--offset] == '\t' ? 4 : 1;
  }
  return width;
}

}  // namespace strata::dsl
