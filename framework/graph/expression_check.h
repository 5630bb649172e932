// The check of names in expressions: values, functions, plugins and their options.
#pragma once

#include <string>
#include <vector>

#include "framework/graph/scope_check.h"

namespace strata::graph {

class ExpressionCheck : public ScopeNames {
 public:
  using ScopeNames::ScopeNames;

 protected:
  // `option` is what the value is for, where that is known.
  void expression(const dsl::Expr& expr, const strata_option* option = nullptr);
  // The arguments of a call from `first` on, by the options of what is called.
  void options(const Entry& entry, Span callee, const std::vector<dsl::Argument>& arguments,
               std::size_t first);
  // Names in what makes no sense anyway count as used, and are not complained about.
  void mark_used(const dsl::Expr& expr);

 private:
  void call_expression(const dsl::CallExpr& call, const strata_option* option);
};

}  // namespace strata::graph
