// The names that are known at a place of a file, without their values: what the check of names
// walks with.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "framework/graph/declarations.h"
#include "framework/graph/session.h"

namespace strata::graph {

enum class What { kLet, kAssigned, kResult, kAlias, kParameter, kInput, kLoopVariable };

struct Local {
  Span defined;
  What what = What::kLet;
  bool used = false;

  bool may_flow() const { return what != What::kLet && what != What::kLoopVariable; }
};

class ScopeNames : public Names {
 public:
  ScopeNames(Declarations& declarations, Session& session)
      : declarations_(declarations), session_(session) {}

  // As Names: for suggestions only.
  std::optional<Value> find(std::string_view, Span) override { return std::nullopt; }
  void list(std::vector<std::string>& names) const override;
  bool is_incomplete(std::string_view name) const override {
    return declarations_.is_incomplete(name);
  }

 protected:
  using Frame = std::unordered_map<std::string, Local>;

  Local* lookup(std::string_view name);
  // Whether nothing registered is called so; otherwise an error.
  bool free_name(const dsl::Name& name);
  void lint_case(const dsl::Name& name, std::string_view what);
  // An error where the body has the name already.
  void define(const dsl::Name& name, What what);
  // Leaves the innermost frame; with `lints`, what was not used in it is reported.
  void close_frame(bool lints);
  // Whether a name of the body or the file is meant; it is used then.
  bool known(const dsl::Name& head);
  // Reports a name that nothing has; `option` is what its value is for, where that is known.
  Diagnostic& unknown(const dsl::Name& name, const strata_option* option);
  // The same where a flow begins.
  void unknown_value(const dsl::Name& name);

  Declarations& declarations_;
  Session& session_;
  std::vector<Frame> frames_;
  bool lint_cases_ = false;                         // in the main file
  std::unordered_map<std::string, Span> inner_;     // names of frames that are closed, in this body
  std::unordered_map<std::string, Span> upcoming_;  // names that this body defines, wherever
};

}  // namespace strata::graph
