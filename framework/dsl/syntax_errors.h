// What a syntax error says: from what the grammar expected and what stands there, with the slip
// that people most likely made and how to mend it. The grammar (parser.cc) only names the
// expectation.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "framework/base/diagnostic.h"
#include "framework/dsl/lexer.h"

namespace strata::dsl {

// A place in the grammar where nothing but one thing can go on.
enum class Expected {
  kSection,
  kSectionName,
  kName,
  kPath,
  kVersion,
  kFormat,
  kPluginName,
  kIncludePath,
  kValue,
  kArgument,
  kEqual,
  kColon,
  kType,
  kThen,
  kElseValue,
  kIn,
  kStage,
  kStageEnd,
  kAlias,
  kBody,
  kCount,
  kCondition,
  kValues,
  kSetting,
  kStudyStatement,
  kStudyEqual,
  kZipPaths,
  kInputs,
  kOutputs,
  kOutputName,
  kSectionBody,
  kParameter,
  kModelInput,
  kParenthesis,
  kTupleClose
};

// Thrown by the grammar after the message was given, caught where it can go on.
struct SyntaxError {
  const Token* at;
};

class SyntaxErrors {
 public:
  SyntaxErrors(const SourceFile& source, const std::vector<Token>& tokens, Diagnostics& diagnostics)
      : source_(source), tokens_(tokens), diagnostics_(diagnostics) {}

  // Reports that `expected` is not at `at`.
  void missing(Expected expected, const Token* at);
  // A mistake that the grammar reads through. Null where it follows from one that was reported.
  Diagnostic* report(const char* code, const Token* at, std::string message, std::string help = {});
  Diagnostic* report(const char* code, Span span, const Token* at, std::string message,
                     std::string help = {});

  // What stands between two elements of a list in place of a comma.
  void missing_comma(const Token* at);
  void missing_arrow(const Token* at);
  // `Dense(10)(x)`, at the second parenthesis.
  void called_twice(const Token* at);
  // An arrow behind the value of a setting, a constant or a param.
  void flow_in_value(const Token* arrow, bool in_body);
  void colon_for_equals(const Token* name, const Token* colon);

  Span span(const Token* token) const { return {&source_, token->begin, token->end}; }
  std::string_view text(const Token* token) const { return span(token).text(); }
  // "`Dense`", "the string "abc"", "the end of the file"
  std::string found(const Token* token) const;
  bool muted(const Token* at) const;
  // Does a line begin with what looks like a section's word with a slip: `modle m`, `Train {`?
  bool misspelt_section(const Token* at) const;
  // In the first column.
  bool at_margin(const Token* at) const {
    return at->begin == 0 || source_.text()[at->begin - 1] == '\n';
  }
  // Whether an error begins at this token.
  bool reported_at(const Token* at) const;

 private:
  bool value_slip(const Token* at);
  bool stage_slip(const Token* at);
  bool section_slip(const Token* at);
  bool setting_slip(const Token* at, const char* example);
  bool name_slip(const Token* at);
  bool body_slip(const Token* at);
  bool operator_slip(const Token* at);
  void plain(const char* code, const Token* at, const std::string& expected, std::string help = {});
  const Token* before(const Token* at) const { return at > tokens_.data() ? at - 1 : nullptr; }

  const SourceFile& source_;
  const std::vector<Token>& tokens_;
  Diagnostics& diagnostics_;
};

}  // namespace strata::dsl
