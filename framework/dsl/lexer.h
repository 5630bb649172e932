// Text to tokens with their place, comments aside. What is wrong with a single token (a number, a
// string, a stray or foreign sign) is reported here and mended where the meaning is clear: `=>`
// becomes an arrow, `True` becomes `true`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/diagnostic.h"
#include "framework/base/source.h"

namespace strata::dsl {

enum class Tok : std::uint8_t {
  kEnd,
  kName,
  kInteger,
  kFloat,
  kVersion,
  kString,
  kBroken,  // a literal that was reported: stands where a value stands
  kStray,   // a sign that was reported and means nothing: no second message where it stands
  kLeftParen,
  kRightParen,
  kLeftBracket,
  kRightBracket,
  kLeftBrace,
  kRightBrace,
  kComma,
  kSemicolon,
  kColon,
  kEqual,
  kDot,
  kRange,
  kArrow,
  kPlus,
  kMinus,
  kStar,
  kSlash,
  kSlashSlash,
  kPercent,
  kPower,
  kEqualEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIf,
  kThen,
  kElse,
  kFor,
  kRepeat,
  kAs,
  kIn,
  kAnd,
  kOr,
  kNot,
  kTrue,
  kFalse,
  kNone
};

// Words that mean something in one place only and are names everywhere else.
enum class Word : std::uint8_t {
  kNone,
  kFormat,
  kInclude,
  kRequire,
  kLet,
  kParam,
  kBlock,
  kModel,
  kData,
  kTrain,
  kStudy,
  kGrid,
  kZip,
  kWhere,
  kReport
};

constexpr std::uint32_t kNoPartner = 0xFFFFFFFFu;

struct Token {
  Tok kind = Tok::kEnd;
  Word word = Word::kNone;
  bool first_on_line = false;
  bool after_stray =
      false;              // behind a kStray on its line: what is wrong here is not another mistake
  bool inserted = false;  // a bracket that the author forgot (brackets.h)
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint32_t partner = kNoPartner;  // of a bracket: the index of the other one (brackets.h)
  std::int64_t integer = 0;
  double real = 0;
  std::string text;  // of a string: its value
};

struct Comment {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::string text;  // as in Trivia
};

struct Tokens {
  std::vector<Token> tokens;  // the last one is kEnd
  std::vector<Comment> comments;
};

Tokens tokenize(const SourceFile& source, Diagnostics& diagnostics);

inline bool is_keyword(Tok kind) { return kind >= Tok::kIf; }
inline bool is_section_word(Word word) { return word >= Word::kFormat && word <= Word::kStudy; }

}  // namespace strata::dsl
