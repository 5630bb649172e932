// Expressions and flows in several lines. On one line: layout_flat.cc.
#include "framework/dsl/layout.h"

#include <algorithm>

#include "framework/dsl/dump.h"
#include "framework/dsl/layout_flat.h"
#include "framework/dsl/printer.h"

namespace strata::dsl {
namespace {

constexpr int kLongSource =
    24;  // arrows stand under the first one only where the source is shorter

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
  std::string operator()(const Node&) const {
    return {};  // what has no parts does not break: `layout` prints it
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
    if (stage.arguments.empty() && stage.closing.empty())
      return stage.callee.text + (stage.has_parentheses ? "()" : "");
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

template <class... Nodes>
bool is_any(const Expr& expr) {
  return (std::holds_alternative<Nodes>(expr.node) || ...);
}
bool has_parts(const Expr& expr) {
  return is_any<ListExpr, CallExpr, UnaryExpr, RangeExpr, ChainExpr, ConditionalExpr>(expr);
}

}  // namespace

std::string layout(const Expr& expr, Place place) {
  if (!has_comments(expr)) {
    std::string line = print(expr);
    if (place.column + text_width(line) + place.tail <= kLongest) return line;
  }
  if (!has_parts(expr)) return print(expr);
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
