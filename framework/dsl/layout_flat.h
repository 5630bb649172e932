// Expressions and flows on one line, and what decides whether one line will do. Included by the
// layout_*.cc and layout.cc alone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/dsl/layout.h"
#include "framework/dsl/syntax.h"

namespace strata::dsl {

// Precedence, as in operators.h.
enum Level {
  kConditional,
  kOr,
  kAnd,
  kNot,
  kComparison,
  kRange,
  kSum,
  kProduct,
  kSign,
  kPower,
  kPrimary
};
static_assert(kRange == kRangeLevel);

Level level_of(const Expr& expr);
// What an operand of a chain must bind at least.
Level operand_level(const ChainExpr& chain, const Expr* operand);

// A comment inside needs lines of its own.
bool has_comments(const Expr& expr);
bool has_comments(const std::unique_ptr<Expr>& expr);
bool has_comments(const Trivia& trivia);
bool has_comments(const std::vector<Argument>& items);

std::string flat_flow(const Flow& flow);
std::string flat_stage(const Stage& stage);
std::string for_head(const ForStage& stage);  // "for i, v in "

}  // namespace strata::dsl
