// Precedence climbing over a flat list; only signs nest, and they are counted.
#include "framework/dsl/operators.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace strata::dsl {
namespace {

std::optional<BinaryOp> comparison(Tok op) {
  switch (op) {
    case Tok::kIn:
      return BinaryOp::kIn;
    case Tok::kNot:
      return BinaryOp::kNotIn;
    case Tok::kEqualEqual:
      return BinaryOp::kEqual;
    case Tok::kNotEqual:
      return BinaryOp::kNotEqual;
    case Tok::kLess:
      return BinaryOp::kLess;
    case Tok::kLessEqual:
      return BinaryOp::kLessEqual;
    case Tok::kGreater:
      return BinaryOp::kGreater;
    case Tok::kGreaterEqual:
      return BinaryOp::kGreaterEqual;
    default:
      return {};
  }
}
std::optional<BinaryOp> disjunction(Tok op) {
  return op == Tok::kOr ? std::optional(BinaryOp::kOr) : std::nullopt;
}
std::optional<BinaryOp> conjunction(Tok op) {
  return op == Tok::kAnd ? std::optional(BinaryOp::kAnd) : std::nullopt;
}
std::optional<BinaryOp> sum(Tok op) {
  if (op == Tok::kPlus) return BinaryOp::kAdd;
  if (op == Tok::kMinus) return BinaryOp::kSubtract;
  return {};
}
std::optional<BinaryOp> product(Tok op) {
  switch (op) {
    case Tok::kStar:
      return BinaryOp::kMultiply;
    case Tok::kSlash:
      return BinaryOp::kDivide;
    case Tok::kSlashSlash:
      return BinaryOp::kFloorDivide;
    case Tok::kPercent:
      return BinaryOp::kModulo;
    default:
      return {};
  }
}
std::optional<BinaryOp> power(Tok op) {
  return op == Tok::kPower ? std::optional(BinaryOp::kPower) : std::nullopt;
}

struct TooDeep {
  Span span;
};

class Folder {
 public:
  Folder(std::vector<OperationItem> items, int levels, Diagnostics& diagnostics)
      : items_(std::move(items)), levels_(levels), diagnostics_(diagnostics) {}

  Expr run() { return disjunctions(); }

 private:
  bool at(OperationItem::Kind kind) const {
    return next_ < items_.size() && items_[next_].kind == kind;
  }
  bool at_infix(Tok op) const { return at(OperationItem::kInfix) && items_[next_].op == op; }

  template <class Match, class Operand>
  Expr chain(Match match, Operand operand) {
    Expr first = operand();
    if (!at(OperationItem::kInfix) || !match(items_[next_].op)) return first;
    ChainExpr result;
    Span span = first.span;
    result.first = std::make_unique<Expr>(std::move(first));
    while (at(OperationItem::kInfix) && match(items_[next_].op)) {
      const OperationItem& op = items_[next_++];
      const BinaryOp binary = *match(op.op);
      const Span op_span = op.span;
      auto value = std::make_unique<Expr>(operand());
      span = cover(span, value->span);
      result.rest.push_back({binary, op_span, std::move(value)});
    }
    return Expr{span, false, std::move(result)};
  }

  Expr disjunctions() {
    return chain(disjunction, [&] { return chain(conjunction, [&] { return negation(); }); });
  }

  template <class Operand>
  Expr prefixed(UnaryOp op, Operand operand) {
    const Span span = items_[next_++].span;
    if (--levels_ < 0) throw TooDeep{span};
    auto value = std::make_unique<Expr>(operand());
    ++levels_;
    const Span whole = cover(span, value->span);
    return Expr{whole, false, UnaryExpr{op, std::move(value)}};
  }

  Expr negation() {
    if (at(OperationItem::kPrefix) && items_[next_].op == Tok::kNot) {
      return prefixed(UnaryOp::kNot, [&] { return negation(); });
    }
    return comparisons();
  }

  Expr comparisons() {
    Expr result = chain(comparison, [&] { return range(); });
    auto* chained = std::get_if<ChainExpr>(&result.node);
    if (!chained || result.parenthesized || chained->rest.size() < 2 ||
        !comparison_op(chained->rest[0].op)) {
      return result;
    }
    const std::string a = short_text(chained->first->span),
                      b = short_text(chained->rest[0].operand->span),
                      c = short_text(chained->rest[1].operand->span),
                      op1(chained->rest[0].op_span.text()), op2(chained->rest[1].op_span.text());
    Diagnostic& d = diagnostics_.error("chained-comparison", chained->rest[1].op_span,
                                       "comparisons do not chain");
    d.help = fmt::format("write `{} {} {} and {} {} {}`", a, op1, b, b, op2, c);
    result.node = ErrorExpr{};
    return result;
  }

  static bool comparison_op(BinaryOp op) {
    return op >= BinaryOp::kIn && op <= BinaryOp::kGreaterEqual;
  }

  Expr range() {
    Expr first = sums();
    if (!at_infix(Tok::kRange)) return first;
    ++next_;
    Expr last = sums();
    const Span span = cover(first.span, last.span);
    if (at_infix(Tok::kRange)) {
      diagnostics_.error("chained-range", items_[next_].span, "a range has two ends, not three")
          .help = "a step is given to the function: `range(0, 10, 2)`";
      while (at_infix(Tok::kRange)) {
        ++next_;
        sums();
      }
      return Expr{span, false, ErrorExpr{}};
    }
    return Expr{span, false,
                RangeExpr{std::make_unique<Expr>(std::move(first)),
                          std::make_unique<Expr>(std::move(last))}};
  }

  Expr sums() {
    return chain(sum, [&] { return chain(product, [&] { return signs(); }); });
  }

  Expr signs() {
    if (!at(OperationItem::kPrefix)) return powers();
    const Tok op = items_[next_].op;
    if (op == Tok::kNot) {
      diagnostics_
          .error("not-needs-parentheses", items_[next_].span,
                 "`not` binds weaker than the operator before it")
          .help = "write `(not …)`";
      Expr mended = prefixed(UnaryOp::kNot, [&] { return signs(); });
      mended.parenthesized = true;
      return mended;
    }
    return prefixed(op == Tok::kMinus ? UnaryOp::kNegate : UnaryOp::kPlus, [&] { return signs(); });
  }

  Expr powers() {
    bool first = true;
    return chain(power, [&] {
      if (std::exchange(first, false) || !at(OperationItem::kPrefix))
        return std::move(items_[next_++].operand);
      return signs();
    });
  }

  std::vector<OperationItem> items_;
  std::size_t next_ = 0;
  int levels_;
  Diagnostics& diagnostics_;
};

}  // namespace

std::string short_text(Span span) {
  const std::string_view text = span.text();
  return text.size() > 30 || text.find('\n') != std::string_view::npos ? "…" : std::string(text);
}

Expr fold_operation(std::vector<OperationItem> items, int levels, Diagnostics& diagnostics) {
  if (items.size() == 1) return std::move(items[0].operand);
  const Span span = cover(items.front().span, items.back().span);
  try {
    return Folder(std::move(items), levels, diagnostics).run();
  } catch (const TooDeep& failure) {
    diagnostics.error("nesting-too-deep", failure.span, "too many signs or `not` before one value")
        .help = "one of each is enough";
    return Expr{span, false, ErrorExpr{}};
  }
}

}  // namespace strata::dsl
