// The functions of expressions: min max abs round floor ceil sqrt log2 len sum range.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/graph/evaluate.h"
#include "framework/graph/suggest.h"

namespace strata::graph {
namespace {

using ListPtr = std::shared_ptr<const List>;

struct Call {
  const dsl::CallExpr& call;
  Span span;
  const std::vector<Value>& arguments;
  Session& session;

  const std::string& name() const { return call.callee.text; }
  Span argument_span(std::size_t i) const { return call.arguments[i].value->span; }
  Value wrong_type(Span at, const std::string& wanted, const Value& found) const {
    session.error("wrong-type", at,
                  fmt::format("`{}` wants {}, not {}", name(), wanted, described(found)));
    return {};
  }
  bool count_is(std::size_t least, std::size_t most, std::string_view what) const {
    if (arguments.size() >= least && arguments.size() <= most) return true;
    session.error("argument-count", span,
                  fmt::format("`{}` takes {}, and here are {}", name(), what, arguments.size()));
    return false;
  }
};

// The numbers of one list or range, or the arguments themselves; nullopt where one is no number.
std::optional<std::vector<Value>> numbers(const Call& c) {
  std::vector<Value> items = c.arguments;
  Span span = c.span;
  if (c.arguments.size() == 1) {
    span = c.argument_span(0);
    if (const auto* range = c.arguments[0].get<Range>()) {
      if (range->size() > kMaxListWeight || !c.session.spend(range->size(), span)) {
        c.session.error("list-too-long", span,
                        fmt::format("a list holds at most {} values", kMaxListWeight));
        return std::nullopt;
      }
      items.clear();
      for (std::int64_t i = 0; i < range->size(); ++i) items.emplace_back(range->first + i);
    } else if (const auto* list = c.arguments[0].get<ListPtr>()) {
      if (!c.session.spend((*list)->weight, span)) return std::nullopt;
      items = (*list)->items;
    }
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].is_unknown()) return std::nullopt;
    if (items[i].is_number()) continue;
    const bool own = items.size() == c.arguments.size() && c.arguments.size() > 1;
    c.wrong_type(own ? c.argument_span(i) : span, "numbers", items[i]);
    return std::nullopt;
  }
  return items;
}

Value extreme(const Call& c, bool largest) {
  if (!c.count_is(1, 1000, "a list or several numbers")) return {};
  const auto items = numbers(c);
  if (!items) return {};
  if (items->empty()) {
    c.session.error("argument-count", c.span,
                    fmt::format("`{}` of an empty list is nothing", c.name()));
    return {};
  }
  const Value* best = &items->front();
  for (const Value& item : *items) {
    if (largest ? item.number() > best->number() : item.number() < best->number()) best = &item;
  }
  return *best;
}

Value sum(const Call& c) {
  if (!c.count_is(1, 1, "one list")) return {};
  if (!c.arguments[0].get<ListPtr>() && !c.arguments[0].get<Range>()) {
    return c.wrong_type(c.argument_span(0), "a list", c.arguments[0]);
  }
  const auto items = numbers(c);
  if (!items) return {};
  Value total = std::int64_t{0};
  for (const Value& item : *items) {
    total = apply_binary(dsl::BinaryOp::kAdd, total, c.span, item, c.span, c.span, c.session);
    if (total.is_unknown()) return {};
  }
  return total;
}

Value length(const Call& c) {
  if (!c.count_is(1, 1, "one list")) return {};
  if (const auto* list = c.arguments[0].get<ListPtr>())
    return static_cast<std::int64_t>((*list)->items.size());
  if (const auto* range = c.arguments[0].get<Range>()) return range->size();
  if (const auto* text = c.arguments[0].get<std::string>()) {
    return static_cast<std::int64_t>(
        std::count_if(text->begin(), text->end(), [](char ch) { return (ch & 0xC0) != 0x80; }));
  }
  return c.wrong_type(c.argument_span(0), "a list", c.arguments[0]);
}

// range(n), range(first, end), range(first, end, step): the end is not included, as in Python.
Value python_range(const Call& c) {
  if (!c.count_is(1, 3, "one to three ints")) return {};
  std::int64_t numbers[3] = {0, 0, 1};
  for (std::size_t i = 0; i < c.arguments.size(); ++i) {
    const auto* n = c.arguments[i].get<std::int64_t>();
    if (!n) return c.wrong_type(c.argument_span(i), "ints", c.arguments[i]);
    numbers[c.arguments.size() == 1 ? 1 : i] = *n;
  }
  const auto [first, end, step] = numbers;
  if (step == 0) {
    c.session.error("division-by-zero", c.argument_span(2), "a step of zero never ends");
    return {};
  }
  std::vector<Value> items;
  for (std::int64_t i = first; step > 0 ? i < end : i > end;) {
    items.emplace_back(i);
    if (static_cast<std::int64_t>(items.size()) >= kMaxListWeight || !c.session.spend(1, c.span)) {
      c.session.error("list-too-long", c.span,
                      fmt::format("a list holds at most {} values", kMaxListWeight));
      return {};
    }
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return make_list(std::move(items));
}

Value to_int(const Call& c, double x) {
  if (std::abs(x) < 9.2e18) return static_cast<std::int64_t>(x);
  c.session.error("overflow", c.span,
                  fmt::format("`{}` of {} is beyond the range of an int", c.name(),
                              print_value(c.arguments[0])));
  return {};
}

Value of_one_number(const Call& c) {
  if (!c.count_is(1, 1, "one number")) return {};
  const Value& value = c.arguments[0];
  if (!value.is_number()) return c.wrong_type(c.argument_span(0), "a number", value);
  const bool is_int = value.get<std::int64_t>() != nullptr;
  const double x = value.number();
  if (c.name() == "abs") {
    return x < 0 ? apply_unary(dsl::UnaryOp::kNegate, value, c.span, c.session) : value;
  }
  if (c.name() == "round")
    return is_int ? value : to_int(c, std::nearbyint(x));  // halves to the even neighbour
  if (c.name() == "floor") return is_int ? value : to_int(c, std::floor(x));
  if (c.name() == "ceil") return is_int ? value : to_int(c, std::ceil(x));
  const bool root = c.name() == "sqrt";
  if (root ? x < 0 : x <= 0) {
    c.session.error("no-number", c.argument_span(0),
                    fmt::format("`{}` wants a number {} 0, not {}", c.name(),
                                root ? "from" : "above", print_value(value)));
    return {};
  }
  return root ? std::sqrt(x) : std::log2(x);
}

}  // namespace

const std::vector<std::string>& function_names() {
  static const std::vector<std::string> kNames{"min",  "max",  "abs", "round", "floor", "ceil",
                                               "sqrt", "log2", "len", "sum",   "range"};
  return kNames;
}

bool is_function(std::string_view name) {
  return std::find(function_names().begin(), function_names().end(), name) !=
         function_names().end();
}

Value apply_function(const dsl::CallExpr& call, Span span, const std::vector<Value>& arguments,
                     Session& session) {
  const Call c{call, span, arguments, session};
  if (c.name() == "min" || c.name() == "max") return extreme(c, c.name() == "max");
  if (c.name() == "sum") return sum(c);
  if (c.name() == "len") return length(c);
  if (c.name() == "range") return python_range(c);
  return of_one_number(c);
}

}  // namespace strata::graph
