// Expressions and flows on one line.
#include "framework/dsl/layout_flat.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "framework/base/text.h"
#include "framework/base/utf8.h"
#include "framework/dsl/dump.h"
#include "framework/dsl/printer.h"

namespace strata::dsl {
namespace {

Level level_of(BinaryOp op) {
  switch (op) {
    case BinaryOp::kOr:
      return kOr;
    case BinaryOp::kAnd:
      return kAnd;
    case BinaryOp::kAdd:
    case BinaryOp::kSubtract:
      return kSum;
    case BinaryOp::kMultiply:
    case BinaryOp::kDivide:
    case BinaryOp::kFloorDivide:
    case BinaryOp::kModulo:
      return kProduct;
    case BinaryOp::kPower:
      return kPower;
    default:
      return kComparison;
  }
}

}  // namespace

Level level_of(const Expr& expr) {
  if (expr.parenthesized) return kPrimary;
  if (std::holds_alternative<ConditionalExpr>(expr.node)) return kConditional;
  if (std::holds_alternative<RangeExpr>(expr.node)) return kRange;
  if (const auto* chain = std::get_if<ChainExpr>(&expr.node))
    return level_of(chain->rest.front().op);
  if (const auto* unary = std::get_if<UnaryExpr>(&expr.node))
    return unary->op == UnaryOp::kNot ? kNot : kSign;
  const auto* integer = std::get_if<IntLiteral>(&expr.node);
  const auto* real = std::get_if<FloatLiteral>(&expr.node);
  return (integer && integer->value < 0) || (real && std::signbit(real->value)) ? kSign : kPrimary;
}

Level operand_level(const ChainExpr& chain, const Expr* operand) {
  const Level level = level_of(chain.rest.front().op);
  if (level != kPower) return static_cast<Level>(level + 1);
  // A sign in the middle of a power would take all that follows.
  return operand == chain.rest.back().operand.get() ? kSign : kPrimary;
}

bool has_comments(const std::unique_ptr<Expr>& expr) { return expr && has_comments(*expr); }
bool has_comments(const Trivia& trivia) { return !trivia.before.empty() || !trivia.after.empty(); }
bool has_comments(const std::vector<Argument>& items) {
  return std::any_of(items.begin(), items.end(), [](const Argument& item) {
    return has_comments(item.trivia) || has_comments(item.value);
  });
}

namespace {

struct CommentsInside {
  template <class Node>
  bool operator()(const Node&) const {
    return false;
  }
  bool operator()(const ListExpr& list) const {
    return !list.closing.empty() || has_comments(list.items);
  }
  bool operator()(const CallExpr& call) const {
    return !call.closing.empty() || has_comments(call.arguments);
  }
  bool operator()(const UnaryExpr& unary) const { return has_comments(unary.operand); }
  bool operator()(const RangeExpr& range) const {
    return has_comments(range.first) || has_comments(range.last);
  }
  bool operator()(const ChainExpr& chain) const {
    return has_comments(chain.first) ||
           std::any_of(chain.rest.begin(), chain.rest.end(),
                       [](const auto& link) { return has_comments(link.operand); });
  }
  bool operator()(const ConditionalExpr& conditional) const {
    return has_comments(conditional.otherwise) ||
           std::any_of(conditional.branches.begin(), conditional.branches.end(),
                       [](const auto& branch) {
                         return has_comments(branch.condition) || has_comments(branch.value);
                       });
  }
};

}  // namespace

bool has_comments(const Expr& expr) { return std::visit(CommentsInside{}, expr.node); }

namespace {

void flat(std::string& out, const Expr& expr);
void flat_operand(std::string& out, const Expr& expr, int level) {
  const bool parentheses = level_of(expr) < level;
  if (parentheses) out += '(';
  flat(out, expr);
  if (parentheses) out += ')';
}
void flat_items(std::string& out, const std::vector<Argument>& items) {
  for (const Argument& item : items) {
    if (&item != &items.front()) out += ", ";
    if (item.name) out += item.name->text + " = ";
    if (item.value) flat(out, *item.value);
  }
}

struct FlatNode {
  std::string& out;
  bool parenthesized;

  void operator()(const ErrorExpr&) const { out += "none"; }
  void operator()(const NoneLiteral&) const { out += "none"; }
  void operator()(const BoolLiteral& literal) const { out += literal.value ? "true" : "false"; }
  void operator()(const IntLiteral& literal) const {
    out += literal.spelling.empty() ? fmt::format("{}", literal.value) : literal.spelling;
  }
  void operator()(const FloatLiteral& literal) const {
    out += literal.spelling.empty() ? print_float(literal.value) : literal.spelling;
  }
  void operator()(const StringLiteral& literal) const { out += print_string(literal.value); }
  void operator()(const ListExpr& list) const {
    out += parenthesized ? '(' : '[';
    flat_items(out, list.items);
    if (parenthesized && list.items.size() == 1) out += ',';
    out += parenthesized ? ')' : ']';
  }
  void operator()(const RangeExpr& range) const {
    flat_operand(out, *range.first, kSum);
    out += "..";
    flat_operand(out, *range.last, kSum);
  }
  void operator()(const Reference& reference) const { out += reference.path.text(); }
  void operator()(const CallExpr& call) const {
    out += call.callee.text + "(";
    flat_items(out, call.arguments);
    out += ')';
  }
  void operator()(const UnaryExpr& unary) const {
    out += unary.op == UnaryOp::kNot ? "not " : unary.op == UnaryOp::kNegate ? "-" : "+";
    flat_operand(out, *unary.operand, unary.op == UnaryOp::kNot ? kNot : kSign);
  }
  void operator()(const ChainExpr& chain) const {
    flat_operand(out, *chain.first, operand_level(chain, chain.first.get()));
    for (const ChainExpr::Link& link : chain.rest) {
      out += std::string(" ") + operator_text(link.op) + " ";
      flat_operand(out, *link.operand, operand_level(chain, link.operand.get()));
    }
  }
  void operator()(const ConditionalExpr& conditional) const {
    for (const auto& branch : conditional.branches) {
      out += &branch == &conditional.branches.front() ? "if " : " else if ";
      flat(out, *branch.condition);
      out += " then ";
      flat(out, *branch.value);
    }
    out += " else ";
    // An `if` behind `else` would become a branch of this one.
    flat_operand(out, *conditional.otherwise, kOr);
  }
};

void flat(std::string& out, const Expr& expr) {
  const bool parentheses = expr.parenthesized && !std::holds_alternative<ListExpr>(expr.node);
  if (parentheses) out += '(';
  std::visit(FlatNode{out, expr.parenthesized}, expr.node);
  if (parentheses) out += ')';
}

}  // namespace

std::string flat_flow(const Flow& flow) {
  std::string out;
  for (const Stage& stage : flow.stages)
    out += (&stage == &flow.stages.front() ? "" : " -> ") + flat_stage(stage);
  return out;
}

std::string for_head(const ForStage& stage) {
  return "for " + (stage.index ? stage.index->text + ", " : "") + stage.variable.text + " in ";
}

namespace {

std::string flat_body(const Flow& flow) { return "{ " + flat_flow(flow) + " }"; }

struct FlatStage {
  std::string operator()(const ErrorStage&) const { return "none"; }
  std::string operator()(const CallStage& stage) const {
    if (!stage.has_parentheses) return stage.callee.text;
    std::string out = stage.callee.text + "(";
    flat_items(out, stage.arguments);
    return out + ")";
  }
  std::string operator()(const IfStage& stage) const {
    std::string out;
    for (const auto& branch : stage.branches) {
      out += (out.empty() ? "if " : " else if ") + print(*branch.condition) + " " +
             flat_body(*branch.body);
    }
    if (stage.otherwise) out += " else " + flat_body(*stage.otherwise);
    return out;
  }
  std::string operator()(const ForStage& stage) const {
    return for_head(stage) + print(*stage.values) + " " + flat_body(*stage.body);
  }
  std::string operator()(const RepeatStage& stage) const {
    return "repeat " + print(*stage.count) + " " + flat_body(*stage.body);
  }
};

}  // namespace

std::string flat_stage(const Stage& stage) {
  return std::visit(FlatStage{}, stage.node) + (stage.alias ? " as " + stage.alias->text : "");
}

std::string print(const Expr& expr) {
  std::string out;
  flat(out, expr);
  return out;
}

std::string print(const Flow& flow) { return flat_flow(flow); }

std::string print_operand(const Expr& expr, int level) {
  std::string out;
  flat_operand(out, expr, level);
  return out;
}

std::string print_float(double value) {
  char buffer[64];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  std::string text(buffer, end);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

std::string print_string(const std::string& value) { return strata::print_string(value); }

}  // namespace strata::dsl
