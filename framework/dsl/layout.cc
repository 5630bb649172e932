// Layout of expressions and flows.
#include "framework/dsl/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "framework/base/utf8.h"
#include "framework/dsl/dump.h"
#include "framework/dsl/printer.h"

namespace strata::dsl {
namespace {

constexpr int kLongSource =
    24;  // arrows stand under the first one only where the source is shorter

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

// What an operand of a chain must bind at least.
Level operand_level(const ChainExpr& chain, const Expr* operand) {
  const Level level = level_of(chain.rest.front().op);
  if (level != kPower) return static_cast<Level>(level + 1);
  // A sign in the middle of a power would take all that follows.
  return operand == chain.rest.back().operand.get() ? kSign : kPrimary;
}

bool has_comments(const Expr& expr);
bool has_comments(const std::unique_ptr<Expr>& expr) { return expr && has_comments(*expr); }
bool has_comments(const Trivia& trivia) { return !trivia.before.empty() || !trivia.after.empty(); }
bool has_comments(const std::vector<Argument>& items) {
  return std::any_of(items.begin(), items.end(), [](const Argument& item) {
    return has_comments(item.trivia) || has_comments(item.value);
  });
}

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
bool has_comments(const Expr& expr) { return std::visit(CommentsInside{}, expr.node); }

// ---------------------------------------------------------------------------------------------------------------------
// On one line.

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

std::string flat_stage(const Stage& stage);
std::string flat_flow(const Flow& flow) {
  std::string out;
  for (const Stage& stage : flow.stages)
    out += (&stage == &flow.stages.front() ? "" : " -> ") + flat_stage(stage);
  return out;
}
std::string flat_body(const Flow& flow) { return "{ " + flat_flow(flow) + " }"; }

std::string for_head(const ForStage& stage) {
  return "for " + (stage.index ? stage.index->text + ", " : "") + stage.variable.text + " in ";
}

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
std::string flat_stage(const Stage& stage) {
  return std::visit(FlatStage{}, stage.node) + (stage.alias ? " as " + stage.alias->text : "");
}

// ---------------------------------------------------------------------------------------------------------------------
// In several lines.

std::string spaces(int count) {
  return std::string(static_cast<std::size_t>(std::max(0, count)), ' ');
}

// The column behind `text` that began at `column`.
int column_behind(const std::string& text, int column) {
  const std::size_t line = text.rfind('\n');
  return line == std::string::npos ? column + text_width(text)
                                   : text_width(std::string_view(text).substr(line + 1));
}

bool is_literal(const Argument& item) {
  if (item.name || has_comments(item.trivia) || !item.value) return false;
  const auto& node = item.value->node;
  const auto* unary = std::get_if<UnaryExpr>(&node);
  const auto& inner = unary ? unary->operand->node : node;
  return std::holds_alternative<IntLiteral>(inner) || std::holds_alternative<FloatLiteral>(inner) ||
         std::holds_alternative<StringLiteral>(inner) || std::holds_alternative<BoolLiteral>(inner);
}

// Behind the opening bracket: the elements and the closing bracket. Literals fill lines, all else
// has one a line.
std::string broken_items(const std::vector<Argument>& items,
                         const std::vector<std::string>& closing, char close, int indent) {
  std::string out;
  const int inner = indent + kIndent;
  if (closing.empty() && std::all_of(items.begin(), items.end(), is_literal)) {
    int column = kColumns + 1;
    for (const Argument& item : items) {
      const std::string text = print(*item.value) + ",";
      const bool fits = column + 1 + text_width(text) <= kColumns;
      out += fits ? " " + text : "\n" + spaces(inner) + text;
      column = (fits ? column + 1 : inner) + text_width(text);
    }
  } else {
    out += '\n';
    for (const Argument& item : items) {
      write_comments(out, item.trivia.before, inner);
      const std::string head = item.name ? item.name->text + " = " : "";
      out += spaces(inner) + head;
      if (item.value) out += layout(*item.value, {inner + text_width(head), inner, 1});
      out += ',';
      if (!item.trivia.after.empty()) out += "  " + comment_text(item.trivia.after);
      out += '\n';
    }
    write_comments(out, closing, inner);
    out.pop_back();
  }
  return out + "\n" + spaces(indent) + close;
}

struct BrokenNode {
  Place place;
  bool parenthesized;

  template <class Node>
  std::string operator()(const Node& node) const {
    std::string out;
    FlatNode{out, parenthesized}(node);
    return out;
  }
  std::string operator()(const ListExpr& list) const {
    return (parenthesized ? "(" : "[") +
           broken_items(list.items, list.closing, parenthesized ? ')' : ']', place.indent);
  }
  std::string operator()(const CallExpr& call) const {
    return call.callee.text + "(" + broken_items(call.arguments, call.closing, ')', place.indent);
  }
  std::string operator()(const UnaryExpr& unary) const {
    const std::string sign = unary.op == UnaryOp::kNot      ? "not "
                             : unary.op == UnaryOp::kNegate ? "-"
                                                            : "+";
    return sign + layout_operand(*unary.operand, unary.op == UnaryOp::kNot ? kNot : kSign,
                                 {place.column + text_width(sign), place.indent, place.tail});
  }
  std::string operator()(const RangeExpr& range) const {
    std::string out = layout_operand(*range.first, kSum, {place.column, place.indent, 2}) + "..";
    const int column = column_behind(out, place.column);
    return out + layout_operand(*range.last, kSum, {column, place.indent, place.tail});
  }
  // Operands fill lines; an operator begins its line.
  std::string operator()(const ChainExpr& chain) const {
    std::string out = layout_operand(*chain.first, operand_level(chain, chain.first.get()),
                                     {place.column, place.indent, place.tail});
    int column = column_behind(out, place.column);
    for (const ChainExpr::Link& link : chain.rest) {
      const int level = operand_level(chain, link.operand.get());
      const std::string op = std::string(operator_text(link.op)) + " ";
      const std::string text =
          has_comments(link.operand) ? std::string() : print_operand(*link.operand, level);
      if (!text.empty() &&
          column + 1 + text_width(op) + text_width(text) + place.tail <= kColumns) {
        out += " " + op + text;
        column += 1 + text_width(op) + text_width(text);
        continue;
      }
      // At a line's start `//` would look like the comment of another language.
      const bool ends_line = link.op == BinaryOp::kFloorDivide;
      const int begin = place.column + (ends_line ? 0 : text_width(op));
      const std::string broken =
          layout_operand(*link.operand, level, {begin, place.column, place.tail});
      out += (ends_line ? " //\n" : "\n") + spaces(place.column) + (ends_line ? "" : op) + broken;
      column = column_behind(broken, begin);
    }
    return out;
  }
  std::string operator()(const ConditionalExpr& conditional) const {
    std::string out;
    for (const auto& branch : conditional.branches) {
      if (!out.empty()) out += "\n" + spaces(place.column);
      out += out.empty() ? "if " : "else if ";
      out +=
          layout(*branch.condition, {column_behind(out, place.column), place.column, 5}) + " then ";
      out += layout(*branch.value, {column_behind(out, place.column), place.column, place.tail});
    }
    out += "\n" + spaces(place.column) + "else ";
    return out + layout_operand(*conditional.otherwise, kOr,
                                {place.column + 5, place.column, place.tail});
  }
};

bool is_broken_body(const Flow& flow);
bool is_broken(const Stage& stage) {
  const auto any_branch = [](const IfStage& node) {
    return std::any_of(node.branches.begin(), node.branches.end(),
                       [](const auto& branch) {
                         return has_comments(branch.condition) || is_broken_body(*branch.body);
                       }) ||
           (node.otherwise && is_broken_body(*node.otherwise));
  };
  if (has_comments(stage.trivia)) return true;
  if (const auto* call = std::get_if<CallStage>(&stage.node))
    return !call->closing.empty() || has_comments(call->arguments);
  if (const auto* choice = std::get_if<IfStage>(&stage.node)) return any_branch(*choice);
  if (const auto* loop = std::get_if<ForStage>(&stage.node)) {
    return has_comments(loop->values) || is_broken_body(*loop->body);
  }
  if (const auto* loop = std::get_if<RepeatStage>(&stage.node)) {
    return has_comments(loop->count) || is_broken_body(*loop->body);
  }
  return false;
}

// Do the arrows of a statement stand under its first one?
bool aligned(const Flow& flow) {
  return !flow.stages.empty() && !is_broken(flow.stages.front()) &&
         text_width(flat_stage(flow.stages.front())) <= kLongSource;
}
// The first stage whose arrow may begin a line because its author wanted it.
std::size_t first_breakable(const Flow& flow, bool body) { return !body && aligned(flow) ? 2 : 1; }

// Must its stages stand on several lines?
bool is_broken(const Flow& flow, bool body) {
  for (std::size_t i = 0; i < flow.stages.size(); ++i) {
    if ((flow.stages[i].starts_line && i >= first_breakable(flow, body)) ||
        is_broken(flow.stages[i]))
      return true;
  }
  return false;
}

// Must its braces stand on lines of their own?
bool is_broken_body(const Flow& flow) {
  return !flow.closing.empty() || !flow.opening.empty() || flow.broken || is_broken(flow, true);
}

std::string layout_stage(const Stage& stage, int column, int tail);

std::string layout_flow(const Flow& flow, int column, bool body) {
  if (!is_broken(flow, body)) {
    std::string line = flat_flow(flow);
    if (column + text_width(line) <= kLongest) return line;
  }
  const std::size_t first = first_breakable(flow, body);
  bool by_author = false;
  for (std::size_t i = first; i < flow.stages.size(); ++i)
    by_author = by_author || flow.stages[i].starts_line;
  const int arrow = first == 2 ? column + text_width(flat_stage(flow.stages.front())) + 1 : column;

  std::string out;
  int at = column;            // the column behind what is written
  bool line_is_full = false;  // behind a comment or a stage of several lines
  for (std::size_t i = 0; i < flow.stages.size(); ++i) {
    const Stage& stage = flow.stages[i];
    const Trivia& trivia = stage.trivia;
    const bool one_line = !is_broken(stage);
    const int flat_width = one_line ? text_width(flat_stage(stage)) : 0;
    if (i > 0) {
      const bool wanted = i >= first && (by_author ? stage.starts_line : true);
      const bool fits = one_line ? at + 4 + flat_width <= kLongest : i < first;
      if (wanted || line_is_full || !trivia.before.empty() || (!fits && i >= first)) {
        out += '\n';
        write_comments(out, trivia.before, arrow);
        out += spaces(arrow) + "-> ";
        at = arrow + 3;
      } else {
        out += " -> ";
        at += 4;
      }
    } else if (!trivia.before.empty()) {
      std::string comments;
      write_comments(comments, trivia.before, column);
      out += comments.substr(static_cast<std::size_t>(column)) + spaces(column);
    }
    const std::string text = layout_stage(stage, at, 0);
    out += text;
    at = column_behind(text, at);
    if (!trivia.after.empty()) out += "  " + comment_text(trivia.after);
    line_is_full = !trivia.after.empty() || text.find('\n') != std::string::npos;
  }
  return out;
}

std::string broken_body(const Flow& flow, int indent) {
  std::string out = "{";
  if (!flow.opening.empty()) out += "  " + comment_text(flow.opening);
  out += "\n" + spaces(indent + kIndent) + layout_flow(flow, indent + kIndent, true) + "\n";
  write_comments(out, flow.closing, indent + kIndent);
  return out + spaces(indent) + "}";
}

struct BrokenStage {
  int column;

  std::string operator()(const ErrorStage&) const { return "none"; }
  std::string operator()(const CallStage& stage) const {
    if (stage.arguments.empty() && stage.closing.empty()) return FlatStage{}(stage);
    return stage.callee.text + "(" + broken_items(stage.arguments, stage.closing, ')', column);
  }
  std::string operator()(const IfStage& stage) const {
    std::string out;
    for (const auto& branch : stage.branches) {
      out += out.empty() ? "if " : " else if ";
      out += layout(*branch.condition, {column_behind(out, column), column, 2}) + " " +
             broken_body(*branch.body, column);
    }
    if (stage.otherwise) out += " else " + broken_body(*stage.otherwise, column);
    return out;
  }
  std::string operator()(const ForStage& stage) const {
    const std::string head = for_head(stage);
    return head + layout(*stage.values, {column + text_width(head), column, 2}) + " " +
           broken_body(*stage.body, column);
  }
  std::string operator()(const RepeatStage& stage) const {
    return "repeat " + layout(*stage.count, {column + 7, column, 2}) + " " +
           broken_body(*stage.body, column);
  }
};

std::string layout_stage(const Stage& stage, int column, int tail) {
  const std::string alias = stage.alias ? " as " + stage.alias->text : "";
  Trivia none;
  // Comments around the stage are its flow's to write.
  bool broken = is_broken(stage);
  if (broken && has_comments(stage.trivia)) {
    if (const auto* call = std::get_if<CallStage>(&stage.node)) {
      broken = !call->closing.empty() || has_comments(call->arguments);
    }
  }
  if (!broken) {
    std::string line = flat_stage(stage);
    if (column + text_width(line) + tail <= kLongest) return line;
  }
  return std::visit(BrokenStage{column}, stage.node) + alias;
}

}  // namespace

std::string layout(const Expr& expr, Place place) {
  if (!has_comments(expr)) {
    std::string line = print(expr);
    if (place.column + text_width(line) + place.tail <= kLongest) return line;
  }
  const bool parentheses = expr.parenthesized && !std::holds_alternative<ListExpr>(expr.node);
  if (parentheses) {
    const Place inner{place.column + 1, place.indent, place.tail + 1};
    return "(" + std::visit(BrokenNode{inner, true}, expr.node) + ")";
  }
  return std::visit(BrokenNode{place, expr.parenthesized}, expr.node);
}

std::string layout_operand(const Expr& expr, int level, Place place) {
  if (level_of(expr) >= level) return layout(expr, place);
  return "(" + layout(expr, {place.column + 1, place.indent, place.tail + 1}) + ")";
}

std::string layout_statement(const Flow& flow, int column) {
  return layout_flow(flow, column, false);
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

std::string print_string(const std::string& value) {
  std::string out = "\"";
  for (std::string_view rest = value; !rest.empty();) {
    const Utf8Char next = decode_utf8(rest);
    const char32_t c = next.code_point;
    if (c == '"' || c == '\\')
      out += {'\\', static_cast<char>(c)};
    else if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (c < 0x20 || c == 0x7F || !next.valid)
      out += fmt::format("\\u{{{:x}}}", static_cast<unsigned>(c));
    else
      out += rest.substr(0, next.size);
    rest.remove_prefix(next.size);
  }
  return out + "\"";
}

int text_width(std::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string comment_text(const std::string& text) {
  if (text.empty() || text == " ") return "#";
  return (text.front() == '#' ? "#" : "# ") + text;
}

void write_comments(std::string& out, const std::vector<std::string>& texts, int indent) {
  for (const std::string& text : texts) {
    if (!text.empty()) out += spaces(indent) + comment_text(text);
    out += '\n';
  }
}

}  // namespace strata::dsl
