// Operators on values.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "framework/graph/evaluate.h"

namespace strata::graph {
namespace {

using dsl::BinaryOp;

constexpr std::int64_t kBytesPerStep = 64;  // of a copied text, as work is counted

std::string_view sign_of(BinaryOp op) {
  static constexpr std::string_view kSigns[] = {
      "or", "and", "in", "not in", "==", "!=", "<", "<=", ">",
      ">=", "+",   "-",  "*",      "/",  "//", "%", "**"};
  return kSigns[static_cast<int>(op)];
}

struct Operation {
  BinaryOp op;
  const Value& left;
  Span left_span;
  const Value& right;
  Span right_span;
  Session& session;

  Span whole() const { return cover(left_span, right_span); }
  std::string shown() const {
    const bool negative = left.is_number() && left.number() < 0;
    const std::string base = print_value(left);
    return fmt::format("`{} {} {}`", op == BinaryOp::kPower && negative ? "(" + base + ")" : base,
                       sign_of(op), print_value(right));
  }

  Value mismatch() const {
    // The guilty side, where one alone is wrong.
    const bool left_ok = left.is_number(), right_ok = right.is_number();
    const Span span = left_ok && !right_ok   ? right_span
                      : !left_ok && right_ok ? left_span
                                             : whole();
    Diagnostic& error = session.error(
        "wrong-type", span,
        fmt::format("`{}` does not go with {} and {}", sign_of(op), a_type(left), a_type(right)));
    if (left.get<FlowRef>() || right.get<FlowRef>()) {
      error.help = op == BinaryOp::kAdd
                       ? "values of the model are added by a layer: `Add(a, b)`"
                       : "expressions read a value's attributes: `x.size`, `x.shape`";
    }
    return {};
  }
  Value overflow() const {
    session.error("overflow", whole(), fmt::format("{} is beyond the range of an int", shown()));
    return {};
  }
  Value real(double x) const {
    if (std::isfinite(x)) return x;
    if (std::isnan(x)) {
      session.error("no-number", whole(), fmt::format("{} is not a real number", shown()));
    } else {
      session.error("overflow", whole(), fmt::format("{} is beyond the range of a float", shown()));
    }
    return {};
  }
  Value by_zero() const {
    session.error("division-by-zero", right_span, fmt::format("{} divides by zero", shown()));
    return {};
  }
};

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  const std::int64_t quotient = a / b;
  return quotient * b != a && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

Value int_power(const Operation& o, std::int64_t base, std::int64_t exponent) {
  std::int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) && __builtin_mul_overflow(result, base, &result)) return o.overflow();
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) return o.overflow();
  }
  return result;
}

Value of_ints(const Operation& o, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  const bool lowest_by_minus_one = a == std::numeric_limits<std::int64_t>::min() && b == -1;
  switch (o.op) {
    case BinaryOp::kAdd:
      return __builtin_add_overflow(a, b, &result) ? o.overflow() : Value(result);
    case BinaryOp::kSubtract:
      return __builtin_sub_overflow(a, b, &result) ? o.overflow() : Value(result);
    case BinaryOp::kMultiply:
      return __builtin_mul_overflow(a, b, &result) ? o.overflow() : Value(result);
    case BinaryOp::kDivide:
      if (b == 0) return o.by_zero();
      if (lowest_by_minus_one) return o.overflow();
      if (a % b == 0) return a / b;
      return o.real(static_cast<double>(a) / static_cast<double>(b));
    case BinaryOp::kFloorDivide:
      if (b == 0) return o.by_zero();
      return lowest_by_minus_one ? o.overflow() : Value(floor_divide(a, b));
    case BinaryOp::kModulo:
      if (b == 0) return o.by_zero();
      return lowest_by_minus_one ? Value(std::int64_t{0}) : Value(a - b * floor_divide(a, b));
    default:  // kPower
      if (b >= 0) return int_power(o, a, b);
      if (a == 0) return o.by_zero();
      return o.real(std::pow(static_cast<double>(a), static_cast<double>(b)));
  }
}

Value of_floats(const Operation& o, double a, double b) {
  switch (o.op) {
    case BinaryOp::kAdd:
      return o.real(a + b);
    case BinaryOp::kSubtract:
      return o.real(a - b);
    case BinaryOp::kMultiply:
      return o.real(a * b);
    case BinaryOp::kDivide:
      return b == 0 ? o.by_zero() : o.real(a / b);
    case BinaryOp::kFloorDivide:
      return b == 0 ? o.by_zero() : o.real(std::floor(a / b));
    case BinaryOp::kModulo: {
      if (b == 0) return o.by_zero();
      const double rest = std::fmod(a, b);
      return o.real(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest);
    }
    default:
      return a == 0 && b < 0 ? o.by_zero() : o.real(std::pow(a, b));
  }
}

Value arithmetic(const Operation& o) {
  if (o.left.is_number() && o.right.is_number()) {
    const auto *a = o.left.get<std::int64_t>(), *b = o.right.get<std::int64_t>();
    return a && b ? of_ints(o, *a, *b) : of_floats(o, o.left.number(), o.right.number());
  }
  const auto too_long = [&] {
    o.session.error("list-too-long", o.whole(),
                    fmt::format("a list holds at most {} values", kMaxListWeight));
    return Value{};
  };
  using ListPtr = std::shared_ptr<const List>;
  const auto *left_list = o.left.get<ListPtr>(), *right_list = o.right.get<ListPtr>();
  if (o.op == BinaryOp::kAdd && left_list && right_list) {
    const std::int64_t weight = (*left_list)->weight + (*right_list)->weight;
    if (weight > kMaxListWeight) return too_long();
    if (!o.session.spend(weight, o.whole())) return {};
    std::vector<Value> items = (*left_list)->items;
    items.insert(items.end(), (*right_list)->items.begin(), (*right_list)->items.end());
    return make_list(std::move(items));
  }
  const auto *left_text = o.left.get<std::string>(), *right_text = o.right.get<std::string>();
  if (o.op == BinaryOp::kAdd && left_text && right_text) {
    if (left_text->size() + right_text->size() > kMaxStringBytes) {
      o.session.error("list-too-long", o.whole(),
                      fmt::format("a str holds at most {} bytes", kMaxStringBytes));
      return {};
    }
    const auto bytes = static_cast<std::int64_t>(left_text->size() + right_text->size());
    if (!o.session.spend(bytes / kBytesPerStep, o.whole())) return {};
    return *left_text + *right_text;
  }
  if (o.op == BinaryOp::kMultiply) {
    const auto* list = left_list ? left_list : right_list;
    const auto* times = left_list ? o.right.get<std::int64_t>() : o.left.get<std::int64_t>();
    if (list && times) {  // [256] * 3
      const std::int64_t count = std::max<std::int64_t>(*times, 0);
      const std::int64_t once = std::max<std::int64_t>((*list)->weight - 1, 1);
      if (count >= kMaxListWeight / once) return too_long();
      if (!o.session.spend(count * once, o.whole())) return {};
      std::vector<Value> items;
      for (std::int64_t i = 0; i < count; ++i) {
        items.insert(items.end(), (*list)->items.begin(), (*list)->items.end());
      }
      return make_list(std::move(items));
    }
    using CallPtr = std::shared_ptr<const CallValue>;
    const auto* call = o.right.get<CallPtr>() ? o.right.get<CallPtr>() : o.left.get<CallPtr>();
    const Value& factor = o.right.get<CallPtr>() ? o.left : o.right;
    if (call && factor.is_number() && ((*call)->kind == "loss" || (*call)->kind == "metric")) {
      auto weighted = std::make_shared<CallValue>(**call);
      weighted->weight *= factor.number();
      weighted->span = o.whole();
      return CallPtr(std::move(weighted));
    }
  }
  return o.mismatch();
}

Value membership(const Operation& o) {
  const bool negated = o.op == BinaryOp::kNotIn;
  if (const auto* range = o.right.get<Range>()) {
    if (!o.left.is_number()) return o.mismatch();
    const double x = o.left.number();
    const bool inside =
        x >= static_cast<double>(range->first) && x <= static_cast<double>(range->last);
    return inside != negated;
  }
  const auto* list = o.right.get<std::shared_ptr<const List>>();
  if (!list) {
    o.session.error("wrong-type", o.right_span,
                    fmt::format("`{}` looks in a list or a range, not in {}", sign_of(o.op),
                                described(o.right)));
    return {};
  }
  if (!o.session.spend((*list)->weight, o.whole())) return {};
  bool found = false;
  for (const Value& item : (*list)->items) {
    if (item.is_unknown()) return {};
    found = found || equal(item, o.left);
  }
  return found != negated;
}

Value comparison(const Operation& o) {
  const bool numbers = o.left.is_number() && o.right.is_number();
  if (o.op == BinaryOp::kEqual || o.op == BinaryOp::kNotEqual) {
    const bool comparable = numbers || o.left.data.index() == o.right.data.index() ||
                            o.left.is_none() || o.right.is_none();
    if (!comparable || o.left.get<FlowRef>() || o.right.get<FlowRef>()) {
      Diagnostic& error = o.session.error(
          "wrong-type", o.whole(),
          fmt::format("{} and {} are never equal", a_type(o.left), a_type(o.right)));
      if (o.left.get<FlowRef>() || o.right.get<FlowRef>()) {
        error.help = "expressions read a value's attributes: `x.size`, `x.shape`";
      }
      return {};
    }
    if (!o.session.spend(std::min(weight_of(o.left), weight_of(o.right)), o.whole())) return {};
    return equal(o.left, o.right) == (o.op == BinaryOp::kEqual);
  }
  const auto order = [&](const auto& a, const auto& b) {
    switch (o.op) {
      case BinaryOp::kLess:
        return a < b;
      case BinaryOp::kLessEqual:
        return a <= b;
      case BinaryOp::kGreater:
        return a > b;
      default:
        return a >= b;
    }
  };
  const auto *a = o.left.get<std::int64_t>(), *b = o.right.get<std::int64_t>();
  if (a && b) return order(*a, *b);
  if (numbers) return order(o.left.number(), o.right.number());
  const auto *s = o.left.get<std::string>(), *t = o.right.get<std::string>();
  if (s && t) return order(*s, *t);
  return o.mismatch();
}

}  // namespace

Value apply_unary(dsl::UnaryOp op, const Value& operand, Span span, Session& session) {
  if (!operand.is_number()) {
    session.error("wrong-type", span,
                  fmt::format("`{}` wants a number, not {}",
                              op == dsl::UnaryOp::kNegate ? "-" : "+", described(operand)));
    return {};
  }
  if (op == dsl::UnaryOp::kPlus) return operand;
  const auto* i = operand.get<std::int64_t>();
  if (!i) return -operand.number();
  if (*i == std::numeric_limits<std::int64_t>::min()) {
    session.error("overflow", span, fmt::format("`-({})` is beyond the range of an int", *i));
    return {};
  }
  return -*i;
}

Value apply_binary(BinaryOp op, const Value& left, Span left_span, const Value& right,
                   Span right_span, Span, Session& session) {
  const Operation operation{op, left, left_span, right, right_span, session};
  if (op == BinaryOp::kIn || op == BinaryOp::kNotIn) return membership(operation);
  if (op >= BinaryOp::kEqual && op <= BinaryOp::kGreaterEqual) return comparison(operation);
  return arithmetic(operation);
}

}  // namespace strata::graph
