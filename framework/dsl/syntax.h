// The syntax tree of a model file: what was written, with spans for everything, and nothing about what names mean.
//
// Goals: printing a tree and parsing it again gives an equal tree (comments and blank-line groups kept); chains are
// flat (a flow, a sum, an else-if ladder is one vector), so the tree is never deeper than the parser's nesting limit
// and recursive code over it is safe. Non-goals: types, values, which layers exist (framework/graph).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "framework/base/source.h"

namespace strata::dsl {

// Comments around a node, for the printer. Texts are without `#` and trailing space; a comment without text is " ".
struct Trivia {
  bool blank_before = false;        // at least one empty line stood before it (or before its first comment)
  std::vector<std::string> before;  // whole-line comments above it; "" for a blank line behind a comment
  std::string after;                // the comment on the same line, behind it
  std::string opening;              // of a section with braces: the comment behind `{`
};

struct Name {
  std::string text;
  Span span;
};

// a.b.c
struct Path {
  std::vector<Name> parts;
  Span span;
  std::string text() const;  // joined by dots
};

struct Expr;

struct Argument {
  std::optional<Name> name;  // none for a positional one
  std::unique_ptr<Expr> value;
  Span span;
  Trivia trivia;
};

struct NoneLiteral {};
struct BoolLiteral { bool value; };
struct IntLiteral { std::int64_t value; std::string spelling; };   // spelling as written: 60_000
struct FloatLiteral { double value; std::string spelling; };
struct StringLiteral { std::string value; };                       // unescaped, UTF-8
struct ListExpr {
  std::vector<Argument> items;       // without names; Argument carries the trivia
  std::vector<std::string> closing;  // comments before the closing bracket
};
struct RangeExpr { std::unique_ptr<Expr> first, last; };           // first..last, both included
struct Reference { Path path; };                                    // a name, or value.attribute
struct CallExpr {                                                   // Adam(lr = 1e-3), max(a, b)
  Name callee;
  std::vector<Argument> arguments;
  std::vector<std::string> closing;
};
enum class UnaryOp { kNegate, kPlus, kNot };
struct UnaryExpr { UnaryOp op; std::unique_ptr<Expr> operand; };
enum class BinaryOp {
  kOr, kAnd, kIn, kNotIn, kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual,
  kAdd, kSubtract, kMultiply, kDivide, kFloorDivide, kModulo, kPower
};
// Operators of one precedence: first op operand op operand …; left to right, kPower right to left. Comparisons have
// exactly one operator (a < b < c is a syntax error that says how to write it).
struct ChainExpr {
  struct Link { BinaryOp op; Span op_span; std::unique_ptr<Expr> operand; };
  std::unique_ptr<Expr> first;
  std::vector<Link> rest;
};
struct ConditionalExpr {                                            // if c then a [else if d then b] else z
  struct Branch { std::unique_ptr<Expr> condition, value; };
  std::vector<Branch> branches;
  std::unique_ptr<Expr> otherwise;
};
struct ErrorExpr {};  // where a syntax error was reported: later passes keep quiet about it

struct Expr {
  Span span;
  bool parenthesized = false;  // ( … ) as written; span includes them. A ListExpr with it is a tuple: (1e-3, 10)
  std::variant<ErrorExpr, NoneLiteral, BoolLiteral, IntLiteral, FloatLiteral, StringLiteral, ListExpr, RangeExpr,
               Reference, CallExpr, UnaryExpr, ChainExpr, ConditionalExpr>
      node;
};

struct Flow;

// A stage that is a name, with or without arguments: a layer, a block, a data set, or (first in a flow) a value.
struct CallStage {
  Name callee;
  bool has_parentheses = false;
  std::vector<Argument> arguments;
  std::vector<std::string> closing;
};
struct IfStage {
  struct Branch { std::unique_ptr<Expr> condition; std::unique_ptr<Flow> body; };
  std::vector<Branch> branches;
  std::unique_ptr<Flow> otherwise;  // null: the value passes through
};
struct ForStage {
  std::optional<Name> index;  // `for i, v in list`
  Name variable;
  std::unique_ptr<Expr> values;
  std::unique_ptr<Flow> body;
};
struct RepeatStage { std::unique_ptr<Expr> count; std::unique_ptr<Flow> body; };
struct ErrorStage {};

struct Stage {
  Span span;
  std::variant<ErrorStage, CallStage, IfStage, ForStage, RepeatStage> node;
  std::optional<Name> alias;  // `as name`
  Trivia trivia;
  bool starts_line = false;   // its author began a line with the arrow before it (layout: `equal` ignores it)
};

// stage -> stage -> stage. In a statement the first one is the source; in braces all of them are stages, and the span
// includes the braces.
struct Flow {
  Span span;
  std::vector<Stage> stages;         // never empty unless a syntax error was reported
  std::vector<std::string> closing;  // comments before the closing brace of a body
  std::string opening;               // of a body: the comment behind its `{`
  bool broken = false;               // of a body: its author began a line behind `{` (layout: `equal` ignores it)
};

struct LetStatement { Name name; Expr value; };
struct FlowStatement {               // flow | name = flow | a, b = flow
  std::vector<Name> targets;
  Flow flow;
};
struct BodyStatement {
  Span span;
  Trivia trivia;
  std::variant<LetStatement, FlowStatement> node;
};

struct FormatSection { Expr version; };
struct IncludeSection { StringLiteral path; Span path_span; };
struct RequireSection {
  StringLiteral plugin;
  Span plugin_span;
  std::string comparison;  // ">=", "==", ">", "<", "<=", or empty where no version is asked for
  std::string version;     // "1.2" or "1.2.3"
  Span version_span;
};
struct LetSection { Name name; Expr value; };
struct ParamSection {
  Name name;
  Name type;               // int float str bool list; checked later
  Expr value;
  std::optional<Expr> domain;  // after `in`: a range or a list
};
struct BlockParameter {
  Name name;
  std::optional<Expr> default_value;
  Trivia trivia;
};
struct BlockSection {
  Name name;
  std::vector<BlockParameter> parameters;  // the first is the value it is applied to
  std::vector<Name> outputs;
  std::vector<BodyStatement> body;
  std::vector<std::string> closing;
};
struct ModelInput {
  Name name;
  Expr shape;              // a list of ints, per sample
  Trivia trivia;
};
struct ModelSection {
  Name name;
  std::vector<ModelInput> inputs;
  std::vector<Name> outputs;
  std::vector<BodyStatement> body;
  std::vector<std::string> closing;
};
struct DataSection { Name name; Flow flow; };
struct Setting {
  Name key;
  Expr value;
  Span span;
  Trivia trivia;
};
struct TrainSection {
  std::optional<Name> name;
  std::vector<Setting> settings;
  std::vector<std::string> closing;
};
struct GridStatement { Path path; Expr values; };
struct ZipStatement { std::vector<Path> paths; Expr values; };
struct WhereStatement { Expr condition; };
struct ReportStatement { std::vector<Path> paths; };
struct StudySetting { Name key; Expr value; };  // seeds = 3
struct StudyStatement {
  Span span;
  Trivia trivia;
  std::variant<GridStatement, ZipStatement, WhereStatement, ReportStatement, StudySetting> node;
};
struct StudySection {
  Name name;
  std::vector<StudyStatement> statements;
  std::vector<std::string> closing;
};

struct Section {
  Span span;
  Trivia trivia;
  std::variant<FormatSection, IncludeSection, RequireSection, LetSection, ParamSection, BlockSection, ModelSection,
               DataSection, TrainSection, StudySection>
      node;
};

// One file.
struct File {
  const SourceFile* source = nullptr;
  std::vector<Section> sections;
  std::vector<std::string> closing;  // comments after the last section
  // Declared by sections that a syntax error kept out of the tree: a reference to one is no second mistake.
  std::vector<Name> incomplete;
};

// `path=value` from the command line; its source is named "command line".
struct Override {
  Path path;
  Expr value;
  std::string raw_value;  // the text after `=`, where a str is wanted `norm=batch` needs no quotes
  Span span;
};

}  // namespace strata::dsl
