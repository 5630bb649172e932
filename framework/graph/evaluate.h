// Expressions to values, by the contract's rules, with every error at the smallest guilty
// expression.
//
//   /    of two ints that divides evenly is an int, otherwise a float        //, %   floor, sign of
//   the divisor
//   **   of ints with an exponent from 0 on is an int                        overflow of ints is an
//   error and, or, not and conditions want bools; nothing is true by being non-zero
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/dsl/syntax.h"
#include "framework/graph/session.h"
#include "framework/graph/value.h"

namespace strata::graph {

// The names that an expression can read.
class Names {
 public:
  virtual ~Names() = default;
  // Nullopt where there is no such name.
  virtual std::optional<Value> find(std::string_view name, Span use) = 0;
  // A path with dots that stands for one value (`train.batch_size` in a study's `where`).
  virtual std::optional<Value> find_path(const dsl::Path&) { return std::nullopt; }
  // Adds all names, for suggestions.
  virtual void list(std::vector<std::string>& names) const = 0;
  // Whether a syntax error kept the declaration of this name from being read: nobody complains
  // about it again.
  virtual bool is_incomplete(std::string_view) const { return false; }
};

// Unknown where an error was reported.
Value evaluate(const dsl::Expr& expr, Names& names, Session& session);

// The same for what must be true or false; nullopt where it is not known. `what` names it in the
// message: "a condition".
std::optional<bool> evaluate_condition(const dsl::Expr& expr, Names& names, Session& session,
                                       std::string_view what = "a condition");

// min, max, abs, …; an expression's call of any other name is a plugin's.
bool is_function(std::string_view name);
const std::vector<std::string>& function_names();

// "no … is called", with what it may have meant.
Diagnostic& report_unknown_name(const dsl::Name& name, const Names& names, Session& session);
void report_unknown_callee(const dsl::Name& name, Session& session);

// Parts of the evaluator, in operators.cc and functions.cc.
Value apply_unary(dsl::UnaryOp op, const Value& operand, Span span, Session& session);
Value apply_binary(dsl::BinaryOp op, const Value& left, Span left_span, const Value& right,
                   Span right_span, Span op_span, Session& session);
Value apply_function(const dsl::CallExpr& call, Span span, const std::vector<Value>& arguments,
                     Session& session);

}  // namespace strata::graph
