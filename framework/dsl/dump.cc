// The dump: lists in parentheses, headed by the kind of node.
#include "framework/dsl/dump.h"

#include <type_traits>

#include "framework/dsl/printer.h"

namespace strata::dsl {
namespace {

class Dumper {
 public:
  std::string take() { return std::move(out_); }

  void write(const File& file) {
    for (const Section& section : file.sections) {
      std::visit([&](const auto& node) { write(node); }, section.node);
      write(section.trivia);
      out_ += '\n';
    }
    comments("closing", file.closing);
  }

  void write(const Expr& expr) {
    if (expr.parenthesized) out_ += "paren ";
    std::visit([&](const auto& node) { write(node); }, expr.node);
  }

  void write(const Flow& flow) {
    out_ += "(flow";
    if (!flow.opening.empty()) out_ += " #" + print_string(flow.opening);
    for (const Stage& stage : flow.stages) {
      out_ += ' ';
      std::visit([&](const auto& node) { write(node); }, stage.node);
      if (stage.alias) out_ += " as " + stage.alias->text;
      write(stage.trivia);
    }
    comments("closing", flow.closing);
    out_ += ')';
  }

 private:
  void write(const Trivia& trivia) {
    if (trivia.blank_before) out_ += " blank";
    comments("before", trivia.before);
    if (!trivia.after.empty()) out_ += " after " + print_string(trivia.after);
    if (!trivia.opening.empty()) out_ += " opening " + print_string(trivia.opening);
  }

  void comments(const char* label, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    out_ += std::string(" ") + label;
    for (const std::string& text : texts) out_ += " #" + print_string(text);
  }

  template <class T>
  void write(const std::unique_ptr<T>& pointer) {
    if (pointer)
      write(*pointer);
    else
      out_ += "null";
  }
  void write(const Name& name) { out_ += name.text.empty() ? "?" : name.text; }
  void write(const Path& path) { out_ += path.text(); }
  template <class T>
  void write(const std::vector<T>& items) {
    out_ += '[';
    for (const T& item : items) {
      if (&item != &items.front()) out_ += ' ';
      write(item);
    }
    out_ += ']';
  }
  template <class T>
  void write(const std::optional<T>& item) {
    if (item)
      write(*item);
    else
      out_ += '-';
  }
  void write(const std::string& text) { out_ += print_string(text); }

  // (head part part …)
  template <class... Parts>
  void node(const char* head, const Parts&... parts) {
    out_ += '(';
    out_ += head;
    ((out_ += ' ', write(parts)), ...);
    out_ += ')';
  }

  void write(const Argument& argument) {
    if (argument.name) out_ += argument.name->text + "=";
    write(argument.value);
    write(argument.trivia);
  }
  void write(const ErrorExpr&) { out_ += "error"; }
  void write(const NoneLiteral&) { out_ += "none"; }
  void write(const BoolLiteral& literal) { out_ += literal.value ? "true" : "false"; }
  void write(const IntLiteral& literal) {
    out_ += literal.spelling.empty() ? std::to_string(literal.value) : literal.spelling;
  }
  void write(const FloatLiteral& literal) {
    out_ += literal.spelling.empty() ? print_float(literal.value) : literal.spelling;
  }
  void write(const StringLiteral& literal) { write(literal.value); }
  void write(const ListExpr& list) {
    out_ += "(list ";
    write(list.items);
    comments("closing", list.closing);
    out_ += ')';
  }
  void write(const RangeExpr& range) { node("..", range.first, range.last); }
  void write(const Reference& reference) { write(reference.path); }
  void write(const CallExpr& call) {
    out_ += "(call " + call.callee.text + " ";
    write(call.arguments);
    comments("closing", call.closing);
    out_ += ')';
  }
  void write(const UnaryExpr& unary) {
    node(unary.op == UnaryOp::kNot      ? "not"
         : unary.op == UnaryOp::kNegate ? "neg"
                                        : "pos",
         unary.operand);
  }
  void write(const ChainExpr& chain) {
    out_ += '(';
    write(chain.first);
    for (const ChainExpr::Link& link : chain.rest) {
      out_ += std::string(" ") + operator_text(link.op) + " ";
      write(link.operand);
    }
    out_ += ')';
  }
  void write(const ConditionalExpr& conditional) {
    out_ += "(if";
    for (const auto& branch : conditional.branches) {
      out_ += ' ';
      write(branch.condition);
      out_ += " then ";
      write(branch.value);
    }
    out_ += " else ";
    write(conditional.otherwise);
    out_ += ')';
  }

  void write(const ErrorStage&) { out_ += "error"; }
  void write(const CallStage& stage) {
    out_ += stage.callee.text;
    if (!stage.has_parentheses) return;
    write(stage.arguments);
    comments("closing", stage.closing);
  }
  void write(const IfStage& stage) {
    out_ += "(if";
    for (const auto& branch : stage.branches) {
      out_ += ' ';
      write(branch.condition);
      out_ += ' ';
      write(branch.body);
    }
    out_ += " else ";
    write(stage.otherwise);
    out_ += ')';
  }
  void write(const ForStage& stage) {
    node("for", stage.index, stage.variable, stage.values, stage.body);
  }
  void write(const RepeatStage& stage) { node("repeat", stage.count, stage.body); }

  void write(const LetStatement& let) { node("let", let.name, let.value); }
  void write(const FlowStatement& statement) { node("do", statement.targets, statement.flow); }
  void write(const BodyStatement& statement) {
    std::visit([&](const auto& node) { write(node); }, statement.node);
    write(statement.trivia);
  }

  void write(const BlockParameter& parameter) {
    write(parameter.name);
    if (parameter.default_value) {
      out_ += '=';
      write(*parameter.default_value);
    }
    write(parameter.trivia);
  }
  void write(const ModelInput& input) {
    write(input.name);
    out_ += ':';
    write(input.shape);
    write(input.trivia);
  }
  void write(const FormatSection& section) { node("format", section.version); }
  void write(const IncludeSection& section) { node("include", section.path.value); }
  void write(const RequireSection& section) {
    node("require", section.plugin.value, section.comparison, section.version);
  }
  void write(const LetSection& section) { node("let", section.name, section.value); }
  void write(const ParamSection& section) {
    node("param", section.name, section.type, section.value, section.domain);
  }
  void write(const BlockSection& section) {
    node("block", section.name, section.parameters, section.outputs, section.body);
    comments("closing", section.closing);
  }
  void write(const ModelSection& section) {
    node("model", section.name, section.inputs, section.outputs, section.body);
    comments("closing", section.closing);
  }
  void write(const DataSection& section) { node("data", section.name, section.flow); }
  void write(const Setting& setting) {
    node("=", setting.key, setting.value);
    write(setting.trivia);
  }
  void write(const TrainSection& section) {
    node("train", section.name, section.settings);
    comments("closing", section.closing);
  }
  void write(const GridStatement& grid) { node("grid", grid.path, grid.values); }
  void write(const ZipStatement& zip) { node("zip", zip.paths, zip.values); }
  void write(const WhereStatement& where) { node("where", where.condition); }
  void write(const ReportStatement& report) { node("report", report.paths); }
  void write(const StudySetting& setting) { node("=", setting.key, setting.value); }
  void write(const StudyStatement& statement) {
    std::visit([&](const auto& node) { write(node); }, statement.node);
    write(statement.trivia);
  }
  void write(const StudySection& section) {
    node("study", section.name, section.statements);
    comments("closing", section.closing);
  }

  std::string out_;
};

template <class T>
std::string dumped(const T& tree) {
  Dumper dumper;
  dumper.write(tree);
  return dumper.take();
}

}  // namespace

std::string dump(const File& file) { return dumped(file); }
std::string dump(const Expr& expr) { return dumped(expr); }
std::string dump(const Flow& flow) { return dumped(flow); }

const char* operator_text(BinaryOp op) {
  constexpr const char* kTexts[] = {"or", "and", "in", "not in", "==", "!=", "<", "<=", ">",
                                    ">=", "+",   "-",  "*",      "/",  "//", "%", "**"};
  return kTexts[static_cast<int>(op)];
}

bool equal(const File& left, const File& right) { return dump(left) == dump(right); }

std::string Path::text() const {
  std::string joined;
  for (const Name& part : parts) joined += (joined.empty() ? "" : ".") + part.text;
  return joined;
}

}  // namespace strata::dsl
