// Trees at random, for the properties of the printer. Included by round_trip_test.cc alone.
#pragma once

#include <rapidcheck.h>

#include <algorithm>

#include "framework/dsl/printer.h"
#include "framework/dsl/syntax.h"

namespace strata::dsl {
namespace {

int below(int count) { return *rc::gen::inRange(0, count); }
bool chance(int percent) { return below(100) < percent; }
template <class T, std::size_t n>
const T& any_of(const T (&choices)[n]) {
  return choices[static_cast<std::size_t>(below(static_cast<int>(n)))];
}

// Draws trees in the form in which the parser makes them: parentheses where they are needed,
// comments where a node can hold them.
class Draw {
 public:
  File file() {
    File result;
    add({}, FormatSection{Expr{{}, false, IntLiteral{1, "1"}}}, result);
    for (int i = below(6); i > 0; --i) section(result);
    for (int i = below(3); i > 0; --i) result.closing.push_back(comment());
    return result;
  }

  Expr expr(int depth, int level) {
    Expr result = any_expr(depth);
    if (level_of(result) < level) result.parenthesized = true;
    return result;
  }

 private:
  static std::string word() {
    constexpr const char* kWords[] = {
        "x", "units", "width", "Dense", "data", "train", "lr", "a_longer_name_than_most", "grid"};
    return any_of(kWords);
  }
  static Name name() { return {word(), {}}; }
  static std::string comment() {
    constexpr const char* kComments[] = {
        "why", "  indented", "# a title", " ", "größer → besser", "-> Dense(10)", "\"{("};
    return any_of(kComments);
  }

  Trivia trivia(bool line, bool first) {
    Trivia result;
    result.blank_before = line && !first && chance(20);
    if (chance(10)) {
      for (int i = 1 + below(3); i > 0; --i) {
        result.before.push_back(comment());
        if (line && chance(30)) result.before.push_back("");
      }
    }
    if (chance(10)) result.after = comment();
    return result;
  }

  std::unique_ptr<Expr> owned(int depth, int level) {
    return std::make_unique<Expr>(expr(depth, level));
  }

  static int level_of(const Expr& e) {
    if (e.parenthesized) return 10;
    if (std::holds_alternative<ConditionalExpr>(e.node)) return 0;
    if (std::holds_alternative<RangeExpr>(e.node)) return 5;
    if (const auto* unary = std::get_if<UnaryExpr>(&e.node))
      return unary->op == UnaryOp::kNot ? 3 : 8;
    if (const auto* chain = std::get_if<ChainExpr>(&e.node)) return chain_level(chain->rest[0].op);
    return 10;
  }
  static int chain_level(BinaryOp op) {
    if (op == BinaryOp::kOr) return 1;
    if (op == BinaryOp::kAnd) return 2;
    if (op <= BinaryOp::kGreaterEqual) return 4;
    if (op <= BinaryOp::kSubtract) return 6;
    return op == BinaryOp::kPower ? 9 : 7;
  }

  std::vector<Argument> arguments(int depth, bool named, int least) {
    std::vector<Argument> result;
    for (int i = least + below(4); i > 0; --i) {
      Argument argument;
      if (named && chance(50)) argument.name = name();
      argument.value = owned(depth - 1, 0);
      argument.trivia = trivia(false, false);
      if (!comments_) argument.trivia = {};
      result.push_back(std::move(argument));
    }
    return result;
  }

  Expr any_expr(int depth) {
    Expr result;
    const int kind = below(depth > 0 ? 13 : 6);
    if (kind == 0) result.node = NoneLiteral{};
    if (kind == 1) result.node = BoolLiteral{chance(50)};
    if (kind == 2) {
      const std::int64_t value = *rc::gen::nonNegative<std::int64_t>();
      result.node = IntLiteral{value, std::to_string(value)};
    }
    if (kind == 3) {
      const double value = static_cast<double>(*rc::gen::nonNegative<std::int64_t>()) / 1e9;
      result.node = FloatLiteral{value, print_float(value)};
    }
    if (kind == 4) {
      constexpr const char* kStrings[] = {"",         "batch",        "a\"b\\c\n\t", "größer",
                                          "\x01\x7F", "# no comment", "{u}"};
      result.node = StringLiteral{any_of(kStrings)};
    }
    if (kind == 5) {
      Reference reference;
      for (int i = below(3); i >= 0; --i) reference.path.parts.push_back(name());
      result.node = std::move(reference);
    }
    if (kind == 6) {
      result.node = ListExpr{arguments(depth, false, 0), {}};
      if (comments_ && chance(10)) std::get<ListExpr>(result.node).closing.push_back(comment());
    }
    if (kind == 7) {
      result.node = ListExpr{arguments(depth, false, 1), {}};
      result.parenthesized = true;
    }
    if (kind == 8) result.node = RangeExpr{owned(depth - 1, 6), owned(depth - 1, 6)};
    if (kind == 9) {
      result.node = CallExpr{name(), arguments(depth, true, 0), {}};
      if (comments_ && chance(10)) std::get<CallExpr>(result.node).closing.push_back(comment());
    }
    if (kind == 10) {
      const UnaryOp op = static_cast<UnaryOp>(below(3));
      result.node = UnaryExpr{op, owned(depth - 1, op == UnaryOp::kNot ? 3 : 8)};
    }
    if (kind == 11) result.node = chain(depth);
    if (kind == 12) {
      ConditionalExpr conditional;
      for (int i = below(2); i >= 0; --i)
        conditional.branches.push_back({owned(depth - 1, 0), owned(depth - 1, 0)});
      conditional.otherwise = owned(depth - 1, 1);
      result.node = std::move(conditional);
    }
    const bool list = std::holds_alternative<ListExpr>(result.node);
    if (!list && chance(10)) result.parenthesized = true;
    return result;
  }

  ChainExpr chain(int depth) {
    const BinaryOp op = static_cast<BinaryOp>(below(17));
    const int level = chain_level(op);
    const int count = level == 4 ? 1 : 1 + below(3);
    ChainExpr result;
    result.first = owned(depth - 1, level == 9 ? 10 : level + 1);
    for (int i = 0; i < count; ++i) {
      const bool last = i + 1 == count;
      BinaryOp next = op;
      if (level == 6) next = chance(50) ? BinaryOp::kAdd : BinaryOp::kSubtract;
      result.rest.push_back({next, {}, owned(depth - 1, level == 9 ? (last ? 8 : 10) : level + 1)});
    }
    return result;
  }

  std::unique_ptr<Flow> body(int depth) {
    auto result = std::make_unique<Flow>(flow(depth, true));
    result->broken = chance(30);
    if (chance(5)) result->opening = comment();
    if (chance(5)) result->closing.push_back(comment());
    return result;
  }

  Flow flow(int depth, bool in_braces) {
    Flow result;
    const int count = 1 + below(4);
    for (int i = 0; i < count; ++i) {
      Stage stage = any_stage(depth);
      if (chance(10)) stage.alias = name();
      stage.trivia = trivia(false, false);
      if (i == 0 && !in_braces) stage.trivia.before.clear();
      if (i + 1 == count && !in_braces) stage.trivia.after.clear();
      stage.starts_line = i > 0 && chance(30);
      result.stages.push_back(std::move(stage));
    }
    return result;
  }

  Stage any_stage(int depth) {
    Stage result;
    const int kind = below(depth > 0 ? 6 : 3);
    if (kind < 3) {
      CallStage call;
      call.callee = name();
      call.has_parentheses = chance(60);
      if (call.has_parentheses) call.arguments = arguments(depth, true, 0);
      if (call.has_parentheses && chance(5)) call.closing.push_back(comment());
      result.node = std::move(call);
    }
    if (kind == 3) {
      IfStage choice;
      for (int i = below(2); i >= 0; --i)
        choice.branches.push_back({owned(depth - 1, 0), body(depth - 1)});
      if (chance(50)) choice.otherwise = body(depth - 1);
      result.node = std::move(choice);
    }
    if (kind == 4) {
      ForStage loop;
      if (chance(30)) loop.index = name();
      loop.variable = name();
      loop.values = owned(depth - 1, 0);
      loop.body = body(depth - 1);
      result.node = std::move(loop);
    }
    if (kind == 5) result.node = RepeatStage{owned(depth - 1, 0), body(depth - 1)};
    return result;
  }

  template <class Node>
  void add(Trivia around, Node node, File& file) {
    Section result;
    result.trivia = std::move(around);
    result.node = std::move(node);
    file.sections.push_back(std::move(result));
  }

  std::vector<BodyStatement> statements() {
    std::vector<BodyStatement> result;
    for (int i = below(5); i > 0; --i) {
      BodyStatement statement;
      statement.trivia = trivia(true, result.empty());
      if (chance(20)) {
        statement.node = LetStatement{name(), expr(2, 0)};
      } else {
        FlowStatement bound;
        for (int j = below(3); j > 0; --j) bound.targets.push_back(name());
        bound.flow = flow(2, false);
        statement.node = std::move(bound);
      }
      result.push_back(std::move(statement));
    }
    return result;
  }

  Path path() {
    Path result;
    for (int i = below(3); i >= 0; --i) result.parts.push_back(name());
    return result;
  }

  // Without comments inside, where the printer writes on one line.
  Expr plain(int depth, int level) {
    comments_ = false;
    Expr result = expr(depth, level);
    comments_ = true;
    return result;
  }

  std::vector<std::string> closing() {
    return chance(10) ? std::vector<std::string>{comment()} : std::vector<std::string>{};
  }

  void section(File& file) {
    Trivia around = trivia(true, false);
    const int kind = below(9);
    if (kind >= 5 && kind != 7 && chance(10)) around.opening = comment();
    if (kind == 0) add(around, IncludeSection{{"common/blocks.model"}, {}}, file);
    if (kind == 1)
      add(around,
          chance(50) ? RequireSection{{"acme"}, {}, ">=", "1.2.3", {}}
                     : RequireSection{{"acme"}, {}, "", "", {}},
          file);
    if (kind == 2) add(around, LetSection{name(), expr(3, 0)}, file);
    if (kind == 3) add(around, ParamSection{name(), {"int", {}}, plain(2, 5), expr(2, 5)}, file);
    if (kind == 4) {
      Expr value = expr(2, 0);
      if (std::holds_alternative<ChainExpr>(value.node))
        value.parenthesized = true;  // `in` would be its domain
      add(around, ParamSection{name(), {"str", {}}, std::move(value), {}}, file);
    }
    if (kind == 5) {
      BlockSection block;
      block.name = name();
      for (int i = 1 + below(3); i > 0; --i) {
        BlockParameter parameter;
        parameter.name = name();
        if (chance(40)) parameter.default_value = plain(1, 0);
        parameter.trivia = trivia(false, false);
        block.parameters.push_back(std::move(parameter));
      }
      block.outputs.push_back(name());
      block.body = statements();
      block.closing = closing();
      add(around, std::move(block), file);
    }
    if (kind == 6) {
      ModelSection model;
      model.name = name();
      for (int i = 1 + below(2); i > 0; --i)
        model.inputs.push_back({name(), plain(1, 0), trivia(false, false)});
      for (int i = 1 + below(2); i > 0; --i) model.outputs.push_back(name());
      model.body = statements();
      model.closing = closing();
      add(around, std::move(model), file);
    }
    if (kind == 7) add(around, DataSection{name(), flow(2, false)}, file);
    if (kind == 8 && chance(50)) {
      TrainSection train;
      if (chance(50)) train.name = name();
      for (int i = below(5); i > 0; --i) {
        train.settings.push_back({name(), expr(2, 0), {}, trivia(true, train.settings.empty())});
      }
      train.closing = closing();
      add(around, std::move(train), file);
    } else if (kind == 8) {
      add(around, study(), file);
    }
  }

  StudySection study() {
    StudySection result;
    result.name = name();
    for (int i = below(6); i > 0; --i) {
      StudyStatement statement;
      statement.trivia = trivia(true, result.statements.empty());
      const int kind = below(5);
      if (kind == 0) statement.node = GridStatement{path(), expr(2, 0)};
      if (kind == 1) {
        ZipStatement zip;
        for (int j = 1 + below(3); j > 0; --j) zip.paths.push_back(path());
        zip.values = expr(2, 0);
        statement.node = std::move(zip);
      }
      if (kind == 2) statement.node = WhereStatement{expr(3, 0)};
      if (kind == 3) {
        ReportStatement report;
        for (int j = 1 + below(12); j > 0; --j) report.paths.push_back(path());
        statement.node = std::move(report);
      }
      if (kind == 4) statement.node = StudySetting{{"seeds", {}}, expr(1, 0)};
      result.statements.push_back(std::move(statement));
    }
    result.closing = closing();
    return result;
  }

  bool comments_ = true;
};

// "" where both are the same, else the pieces where they begin to differ.

}  // namespace
}  // namespace strata::dsl
