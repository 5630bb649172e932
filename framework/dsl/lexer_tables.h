// The words and signs of the language, and those of others that are read for what they mean here.
// Included by lexer.cc alone.
#pragma once

#include <string_view>

#include "framework/dsl/lexer.h"

namespace strata::dsl {
namespace {

struct Keyword {
  std::string_view text;
  Tok kind;
};
constexpr Keyword kKeywords[] = {
    {"if", Tok::kIf},         {"then", Tok::kThen}, {"else", Tok::kElse}, {"for", Tok::kFor},
    {"repeat", Tok::kRepeat}, {"as", Tok::kAs},     {"in", Tok::kIn},     {"and", Tok::kAnd},
    {"or", Tok::kOr},         {"not", Tok::kNot},   {"true", Tok::kTrue}, {"false", Tok::kFalse},
    {"none", Tok::kNone}};

struct SoftWord {
  std::string_view text;
  Word word;
};
constexpr SoftWord kWords[] = {
    {"format", Word::kFormat}, {"include", Word::kInclude}, {"require", Word::kRequire},
    {"let", Word::kLet},       {"param", Word::kParam},     {"block", Word::kBlock},
    {"model", Word::kModel},   {"data", Word::kData},       {"train", Word::kTrain},
    {"study", Word::kStudy},   {"grid", Word::kGrid},       {"zip", Word::kZip},
    {"where", Word::kWhere},   {"report", Word::kReport}};

// Constants of other languages.
struct Foreign {
  std::string_view text, native;
  Tok kind;
};
constexpr Foreign kForeignWords[] = {
    {"True", "true", Tok::kTrue},    {"TRUE", "true", Tok::kTrue}, {"False", "false", Tok::kFalse},
    {"FALSE", "false", Tok::kFalse}, {"None", "none", Tok::kNone}, {"null", "none", Tok::kNone},
    {"NULL", "none", Tok::kNone},    {"nil", "none", Tok::kNone},  {"nullptr", "none", Tok::kNone}};

// Signs of other languages, longest first, with what they stand for here.
enum class Sign { kArrow, kOperator, kBinding, kStray };
struct ForeignSign {
  std::string_view text, native;
  Tok kind;
  Sign sign;
};
constexpr ForeignSign kForeignSigns[] = {{"===", "==", Tok::kEqualEqual, Sign::kOperator},
                                         {"!==", "!=", Tok::kNotEqual, Sign::kOperator},
                                         {"-->", "->", Tok::kArrow, Sign::kArrow},
                                         {"...", "..", Tok::kRange, Sign::kOperator},
                                         {"**=", "=", Tok::kEqual, Sign::kBinding},
                                         {"//=", "=", Tok::kEqual, Sign::kBinding},
                                         {"..=", "..", Tok::kRange, Sign::kOperator},
                                         {"=>", "->", Tok::kArrow, Sign::kArrow},
                                         {">>", "->", Tok::kArrow, Sign::kArrow},
                                         {"|>", "->", Tok::kArrow, Sign::kArrow},
                                         {"~>", "->", Tok::kArrow, Sign::kArrow},
                                         {"&&", "and", Tok::kAnd, Sign::kOperator},
                                         {"||", "or", Tok::kOr, Sign::kOperator},
                                         {"<>", "!=", Tok::kNotEqual, Sign::kOperator},
                                         {":=", "=", Tok::kEqual, Sign::kBinding},
                                         {"+=", "=", Tok::kEqual, Sign::kBinding},
                                         {"-=", "=", Tok::kEqual, Sign::kBinding},
                                         {"*=", "=", Tok::kEqual, Sign::kBinding},
                                         {"/=", "=", Tok::kEqual, Sign::kBinding},
                                         {"→", "->", Tok::kArrow, Sign::kArrow},
                                         {"⇒", "->", Tok::kArrow, Sign::kArrow},
                                         {"≤", "<=", Tok::kLessEqual, Sign::kOperator},
                                         {"≥", ">=", Tok::kGreaterEqual, Sign::kOperator},
                                         {"≠", "!=", Tok::kNotEqual, Sign::kOperator},
                                         {"×", "*", Tok::kStar, Sign::kOperator},
                                         {"÷", "/", Tok::kSlash, Sign::kOperator},
                                         {"−", "-", Tok::kMinus, Sign::kOperator},
                                         {"–", "-", Tok::kMinus, Sign::kOperator},
                                         {"…", "..", Tok::kRange, Sign::kOperator},
                                         {"|", "->", Tok::kArrow, Sign::kArrow},
                                         {"&", "and", Tok::kAnd, Sign::kOperator},
                                         {"!", "not", Tok::kNot, Sign::kOperator},
                                         {"^", "**", Tok::kPower, Sign::kOperator}};

struct Punctuation {
  std::string_view text;
  Tok kind;
};
constexpr Punctuation kPunctuation[] = {
    {"->", Tok::kArrow},      {"..", Tok::kRange},        {"**", Tok::kPower},
    {"//", Tok::kSlashSlash}, {"==", Tok::kEqualEqual},   {"!=", Tok::kNotEqual},
    {"<=", Tok::kLessEqual},  {">=", Tok::kGreaterEqual}, {"(", Tok::kLeftParen},
    {")", Tok::kRightParen},  {"[", Tok::kLeftBracket},   {"]", Tok::kRightBracket},
    {"{", Tok::kLeftBrace},   {"}", Tok::kRightBrace},    {",", Tok::kComma},
    {";", Tok::kSemicolon},   {":", Tok::kColon},         {"=", Tok::kEqual},
    {".", Tok::kDot},         {"+", Tok::kPlus},          {"-", Tok::kMinus},
    {"*", Tok::kStar},        {"/", Tok::kSlash},         {"%", Tok::kPercent},
    {"<", Tok::kLess},        {">", Tok::kGreater}};

}  // namespace
}  // namespace strata::dsl
