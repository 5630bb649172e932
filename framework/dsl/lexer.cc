// The lexer: one pass over the bytes, no look back.
#include "framework/dsl/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "framework/base/utf8.h"
#include "framework/dsl/lexer_tables.h"
#include "framework/dsl/literals.h"

namespace strata::dsl {
namespace {

constexpr int kMostOpen = 10'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }

// Is the rest of a line prose ("number of epochs") and no expression? Two plain words in a row are.
bool is_prose(std::string_view line) {
  int words = 0;
  while (words < 2) {
    while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
    std::size_t size = 0;
    while (size < line.size() && is_letter(line[size])) ++size;
    const std::string_view word = line.substr(0, size);
    const bool keyword = std::any_of(std::begin(kKeywords), std::end(kKeywords),
                                     [&](const Keyword& k) { return k.text == word; });
    if (size == 0 || (keyword && words > 0)) return false;
    line.remove_prefix(size);
    ++words;
    if (words < 2 && (line.empty() || !is_space(line.front()))) return false;
  }
  return line.empty() || line.front() != '=';
}

// Signs without a shape, and those that turn the direction of writing.
bool is_invisible(char32_t c) {
  return (c >= 0x80 && c < 0xA0) || c == 0xAD || c == 0x61C || c == 0x180E ||
         (c >= 0x200C && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || (c >= 0xFE00 && c <= 0xFE0F) ||
         (c >= 0xE0000 && c <= 0xE0FFF);
}

class Lexer {
 public:
  Lexer(const SourceFile& source, Diagnostics& diagnostics)
      : source_(source), text_(source.text()), diagnostics_(diagnostics) {}

  Tokens run() {
    // Beyond what the parser refuses anyway, brackets inside brackets only cost memory.
    while (skip_space(), at_ < text_.size() && open_ < kMostOpen) next_token();
    emit(Tok::kEnd, at_);
    return std::move(result_);
  }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  std::string_view rest() const { return text_.substr(at_); }
  std::string_view rest_of_line() const {
    return rest().substr(0, std::min(rest().find('\n'), rest().size()));
  }
  Span span(std::size_t begin, std::size_t end) const {
    return {&source_, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
  }

  Token& emit(Tok kind, std::size_t begin) {
    Token& token = result_.tokens.emplace_back();
    token.kind = kind;
    token.begin = static_cast<std::uint32_t>(begin);
    token.end = static_cast<std::uint32_t>(at_);
    token.first_on_line = first_on_line_ || kind == Tok::kEnd;
    token.after_stray = stray_on_line_;
    first_on_line_ = false;
    if (kind == Tok::kStray) stray_on_line_ = true;
    return token;
  }

  void skip_space() {
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') {
        first_on_line_ = true;
        stray_on_line_ = false;
      } else if (!is_space(text_[at_])) {
        return;
      }
    }
  }

  void next_token() {
    const char c = peek();
    if (c == '#') return comment();
    if (is_letter(c)) return word();
    if (is_digit(c) || (c == '.' && is_digit(peek(1)) && !after_value())) return number();
    if (c == '"' || c == '\'') return string(c);
    if (foreign_comment()) return;
    punctuation();
  }

  // In `x.5` and `f(x).5` the dot belongs to what stands before it.
  bool after_value() const {
    if (result_.tokens.empty() || result_.tokens.back().end != at_) return false;
    const Tok last = result_.tokens.back().kind;
    return last == Tok::kName || last == Tok::kRightParen || last == Tok::kRightBracket ||
           last == Tok::kRange;
  }

  void comment() {
    const std::string_view line = rest_of_line();
    std::string_view text = line.substr(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    Comment& entry = result_.comments.emplace_back();
    entry.begin = static_cast<std::uint32_t>(at_);
    at_ += line.size();
    entry.end = static_cast<std::uint32_t>(at_);
    check_utf8(entry.begin, at_);
    if (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    entry.text = text.empty() ? " " : std::string(text);
  }

  // `//` is the integer division, so it is taken for a comment only where no division can stand.
  bool foreign_comment() {
    const std::size_t begin = at_;
    if (rest().starts_with("/*")) {
      const std::size_t close = text_.find("*/", at_ + 2);
      at_ = close == std::string_view::npos ? text_.size() : close + 2;
      diagnostics_.error("wrong-comment", span(begin, begin + 2), "`/*` does not begin a comment")
          .help = "begin each line of the comment with `#`";
      first_on_line_ =
          first_on_line_ || text_.substr(begin, at_ - begin).find('\n') != std::string_view::npos;
      return true;
    }
    if (!rest().starts_with("//") || rest().starts_with("//=")) return false;
    const std::string_view line = rest_of_line();
    if (!(first_on_line_ && depth_ == 0) && !is_prose(line.substr(2))) return false;
    at_ += line.size();
    diagnostics_.error("wrong-comment", span(begin, begin + 2), "`//` does not begin a comment")
        .help = "begin the comment with `#`";
    return true;
  }

  void word() {
    const std::size_t begin = at_;
    while (is_letter(peek()) || is_digit(peek())) ++at_;
    const std::string_view text = text_.substr(begin, at_ - begin);
    for (const Keyword& keyword : kKeywords) {
      if (keyword.text == text) return void(emit(keyword.kind, begin));
    }
    const char next = peek();
    const bool declared = next == '=' && peek(1) != '=';
    for (const Foreign& word : kForeignWords) {
      if (word.text != text || next == '(' || next == '.' || declared) continue;
      // The batch axis of other frameworks, `image: [None, 28, 28]`: who reads the shape tells.
      if (word.kind == Tok::kNone && begins_shape()) return void(emit(word.kind, begin));
      diagnostics_
          .error("wrong-constant", span(begin, at_),
                 fmt::format("`{}` is not a constant of this language", text))
          .help = word.kind == Tok::kNone
                      ? "where an option may have no value, that is written `none`"
                      : fmt::format("write `{}`", word.native);
      return void(emit(word.kind, begin));
    }
    if (text == "elif" || text == "elseif" || text == "elsif") {
      diagnostics_.error("wrong-keyword", span(begin, at_), fmt::format("there is no `{}`", text))
          .help = "write `else if`";
      emit(Tok::kElse, begin);
      return void(emit(Tok::kIf, begin));
    }
    Token& token = emit(Tok::kName, begin);
    for (const SoftWord& soft : kWords) {
      if (soft.text == text) token.word = soft.word;
    }
  }

  bool begins_shape() const {
    const std::vector<Token>& before = result_.tokens;
    return before.size() >= 2 && before[before.size() - 2].kind == Tok::kColon &&
           (before.back().kind == Tok::kLeftBracket || before.back().kind == Tok::kLeftParen);
  }

  void number() {
    const std::size_t begin = at_;
    NumberLiteral literal = scan_number(rest());
    at_ += literal.size;
    if (literal.kind == NumberLiteral::kWrong) {
      if (stray_on_line_) return void(emit(Tok::kBroken, begin));  // debris of what was reported
      Diagnostic& d =
          diagnostics_.error(literal.code, span(begin, at_), std::move(literal.message));
      d.help = std::move(literal.help);
      return void(emit(Tok::kBroken, begin));
    }
    const Tok kind = literal.kind == NumberLiteral::kInteger ? Tok::kInteger
                     : literal.kind == NumberLiteral::kFloat ? Tok::kFloat
                                                             : Tok::kVersion;
    Token& token = emit(kind, begin);
    token.integer = literal.integer;
    token.real = literal.real;
  }

  void string(char quote) {
    const std::size_t begin = at_;
    if (rest().starts_with("\"\"\"") || rest().starts_with("'''")) return triple_quoted();
    StringScan scan = scan_string(rest_of_line(), quote);
    at_ += scan.size;
    for (const StringProblem& problem : scan.problems) {
      const std::size_t from = begin + problem.begin;
      Diagnostic& d =
          diagnostics_.error(problem.code, span(from, begin + problem.end), problem.message);
      d.help = problem.help;
    }
    if (quote == '\'' && scan.closed) {
      const std::string_view inside = text_.substr(begin + 1, at_ - begin - 2);
      diagnostics_.error("wrong-quotes", span(begin, at_), "a string stands in double quotes")
          .help = inside.find('"') == std::string_view::npos && inside.size() < 60
                      ? fmt::format("write `\"{}\"`", inside)
                      : "write it as `\"…\"`";
    }
    // A quote that is never closed swallowed what followed it: brackets missing there are no other
    // mistake.
    if (!scan.closed) stray_on_line_ = true;
    emit(scan.closed ? Tok::kString : Tok::kBroken, begin).text = std::move(scan.value);
  }

  void triple_quoted() {
    const std::size_t begin = at_;
    const std::string_view quotes = rest().substr(0, 3);
    const std::size_t close = text_.find(quotes, at_ + 3);
    at_ = close == std::string_view::npos ? text_.size() : close + 3;
    diagnostics_
        .error("wrong-quotes", span(begin, begin + 3),
               "a string stands in double quotes, on one line")
        .help =
        "write `\"…\"`, with `\\n` for a line end; a remark is a comment and begins with `#`";
    // At a line's start it is a Python comment in disguise.
    if (!first_on_line_) emit(Tok::kBroken, begin);
  }

  void punctuation() {
    const std::size_t begin = at_;
    for (const ForeignSign& sign : kForeignSigns) {
      if (!rest().starts_with(sign.text)) continue;
      if (sign.text == "!" && peek(1) == '=') continue;
      at_ += sign.text.size();
      return foreign_sign(sign, begin);
    }
    for (const Punctuation& sign : kPunctuation) {
      if (!rest().starts_with(sign.text)) continue;
      at_ += sign.text.size();
      if (sign.kind == Tok::kLeftParen || sign.kind == Tok::kLeftBracket) ++depth_;
      if (sign.kind == Tok::kRightParen || sign.kind == Tok::kRightBracket)
        depth_ = std::max(0, depth_ - 1);
      if (sign.kind == Tok::kLeftBrace || sign.kind == Tok::kRightBrace) depth_ = 0;
      if (sign.kind >= Tok::kLeftParen && sign.kind <= Tok::kRightBrace) {
        const bool opens =
            (static_cast<int>(sign.kind) - static_cast<int>(Tok::kLeftParen)) % 2 == 0;
        open_ = std::max(0, open_ + (opens ? 1 : -1));
      }
      return void(emit(sign.kind, begin));
    }
    stray();
  }

  void foreign_sign(const ForeignSign& sign, std::size_t begin) {
    const std::string quoted = fmt::format("`{}`", sign.text);
    const bool bar = sign.text == "|" && depth_ > 0;
    if (sign.sign == Sign::kArrow && !bar) {
      diagnostics_.error("wrong-arrow", span(begin, at_), quoted + " does not join stages").help =
          "write `->`";
    } else if (sign.sign == Sign::kBinding) {
      diagnostics_
          .error("wrong-operator", span(begin, at_),
                 quoted + " is not an operator of this language")
          .help = "a name is bound once, with `=`";
    } else {
      const std::string_view native = bar ? "or" : sign.native;
      diagnostics_
          .error("wrong-operator", span(begin, at_),
                 quoted + " is not an operator of this language")
          .help = fmt::format("write `{}`", native);
    }
    emit(bar ? Tok::kOr : sign.kind, begin);
  }

  // A run of characters that begin no token is one mistake.
  void stray() {
    const std::size_t begin = at_;
    const Utf8Char first = decode_utf8(rest());
    at_ += first.size;
    if (!first.valid) {
      while (at_ < text_.size() && !decode_utf8(rest()).valid) ++at_;
      diagnostics_.error("invalid-utf8", span(begin, at_), "these bytes are not UTF-8").help =
          "save the file in the encoding UTF-8";
    } else if (first.code_point >= 0x2018 && first.code_point <= 0x201F) {
      const std::string_view line = rest_of_line();
      std::size_t close = 0;
      for (; close < line.size(); close += decode_utf8(line.substr(close)).size) {
        const char32_t c = decode_utf8(line.substr(close)).code_point;
        if (c >= 0x2018 && c <= 0x201F) break;
      }
      const bool closed = close < line.size();
      const std::size_t inside = at_;
      at_ += closed ? close + 3 : 0;
      diagnostics_
          .error("wrong-quotes", span(begin, at_), "typographic quotes do not make a string")
          .help = "write plain double quotes: `\"…\"`";
      if (closed)
        return void(emit(Tok::kString, begin).text = std::string(text_.substr(inside, close)));
    } else if (first.code_point == 0xA0 || first.code_point == 0x3000 ||
               first.code_point == 0xFEFF ||
               (first.code_point >= 0x2000 && first.code_point <= 0x200B)) {
      diagnostics_
          .error("stray-character", span(begin, at_),
                 fmt::format("a space of an unusual kind (U+{:04X})",
                             static_cast<unsigned>(first.code_point)))
          .help = "replace it by a plain space";
      return;  // separates tokens as a plain one would
    } else {
      stray_sign(begin, first);
      if (in_word(begin, first)) return;
    }
    emit(Tok::kStray, begin);
  }

  // A letter of another script or a control character inside a name: the name as a whole is what
  // cannot be read.
  bool in_word(std::size_t begin, const Utf8Char& first) {
    const bool joins =
        first.code_point >= 0x80 || first.code_point < 0x20 || first.code_point == 0x7F;
    if (!joins || result_.tokens.empty()) return false;
    Token& last = result_.tokens.back();
    if (last.kind != Tok::kName || last.end != begin) return false;
    while (is_letter(peek()) || is_digit(peek())) ++at_;
    last.kind = Tok::kStray;
    last.word = Word::kNone;
    last.end = static_cast<std::uint32_t>(at_);
    stray_on_line_ = true;
    return true;
  }

  void stray_sign(std::size_t begin, const Utf8Char& first) {
    if (is_invisible(first.code_point)) {
      diagnostics_
          .error("stray-character", span(begin, at_),
                 fmt::format("an invisible character (U+{:04X})",
                             static_cast<unsigned>(first.code_point)))
          .help = "remove it";
      return;
    }
    const bool letters = first.code_point >= 0x80;
    if (letters) {
      while (at_ < text_.size() &&
             (is_letter(peek()) || is_digit(peek()) || decode_utf8(rest()).code_point >= 0x80)) {
        const Utf8Char next = decode_utf8(rest());
        if (!next.valid) break;
        at_ += next.size;
      }
    }
    const std::string seen = safe_text(text_.substr(begin, at_ - begin));
    Diagnostic& d = diagnostics_.error("stray-character", span(begin, at_),
                                       fmt::format("`{}` means nothing here", seen));
    if (letters) {
      d.help =
          "names are made of the letters a-z and A-Z, digits and `_`; other letters go in strings "
          "and comments";
    } else if (first.code_point == '?') {
      d.help = "a choice is written `if condition then a else b`";
    } else if (first.code_point == '\\') {
      d.help = "a line needs no sign to go on in the next one";
    } else if (first.code_point == '@') {
      d.help =
          "there are no decorators and no matrix products; a layer is called by its name: "
          "`Dense(10)`";
    } else if (first.code_point == '$') {
      d.help = "a file cannot read the environment; a value is used by its name: `width`";
    } else if (first.code_point < 0x20 || first.code_point == 0x7F) {
      d.message =
          fmt::format("a control character (U+{:04X})", static_cast<unsigned>(first.code_point));
      d.help = "remove it; is this a text file?";
    }
  }

  void check_utf8(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end;) {
      const Utf8Char next = decode_utf8(text_.substr(i, end - i));
      if (!next.valid) {
        diagnostics_.error("invalid-utf8", span(i, i + 1), "this byte is not UTF-8").help =
            "save the file in the encoding UTF-8";
        return;
      }
      i += next.size;
    }
  }

  const SourceFile& source_;
  const std::string_view text_;
  Diagnostics& diagnostics_;
  Tokens result_;
  std::size_t at_ = 0;
  int open_ = 0;   // brackets and braces that are not closed yet
  int depth_ = 0;  // of round and square brackets
  bool first_on_line_ = true;
  bool stray_on_line_ = false;
};

}  // namespace

Tokens tokenize(const SourceFile& source, Diagnostics& diagnostics) {
  return Lexer(source, diagnostics).run();
}

}  // namespace strata::dsl
