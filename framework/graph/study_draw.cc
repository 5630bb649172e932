// Reading ranges, and values in them.
#include "framework/graph/study_draw.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace strata::graph {
namespace {

bool report_missing_random(Span span, const std::string& what, Session& session) {
  session.error("missing-setting", span, what + ", and `random` does not say how many").help =
      "for example `random = 20`";
  return false;
}

// The range inside `log_uniform(…)`; null after an error.
const dsl::RangeExpr* argument_of(const dsl::CallExpr& call, Span span, Session& session) {
  const auto& arguments = call.arguments;
  for (const dsl::Argument& argument : arguments) {
    if (!argument.value) return nullptr;  // a syntax error
  }
  if (arguments.size() == 1 && !arguments[0].name) {
    if (const auto* range = std::get_if<dsl::RangeExpr>(&arguments[0].value->node)) return range;
  }
  const bool two = arguments.size() == 2;
  session.error("argument-count", span, fmt::format("`{}` takes one range", kLogUniform)).help =
      fmt::format("write `{}({}..{})`", kLogUniform, two ? arguments[0].value->span.text() : "1e-4",
                  two ? arguments[1].value->span.text() : "1e-1");
  return nullptr;
}

double rounded(double x) {
  const std::string text = fmt::format("{:.4g}", x);
  double value = x;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

const dsl::CallExpr* log_uniform_call(const dsl::Expr& values) {
  const auto* call = std::get_if<dsl::CallExpr>(&values.node);
  return call && call->callee.text == kLogUniform ? call : nullptr;
}

RangeKind read_range(const dsl::Expr& values, bool has_random, Names& names, Session& session,
                     DrawnRange& range) {
  const dsl::CallExpr* call = log_uniform_call(values);
  const auto* ends =
      call ? argument_of(*call, values.span, session) : std::get_if<dsl::RangeExpr>(&values.node);
  if (!ends) return call ? RangeKind::kWrong : RangeKind::kListed;
  range.logarithmic = call != nullptr;
  range.first = evaluate(*ends->first, names, session);
  range.last = evaluate(*ends->last, names, session);
  range.first_span = ends->first->span, range.last_span = ends->last->span;
  if (range.first.is_unknown() || range.last.is_unknown()) return RangeKind::kWrong;
  for (const auto& [value, span] :
       {std::pair(&range.first, range.first_span), std::pair(&range.last, range.last_span)}) {
    if (value->is_number()) continue;
    session.error("wrong-type", span,
                  fmt::format("a range goes from a number to a number, not {} `{}`",
                              value == &range.first ? "from" : "to", print_value(*value)));
    return RangeKind::kWrong;
  }
  const bool ints = range.of_ints() && range.last.get<std::int64_t>();
  if (ints && !call && !has_random) return RangeKind::kListed;
  if (!ints) range.first = range.first.number(), range.last = range.last.number();
  if (!has_random) {
    report_missing_random(values.span,
                          call ? fmt::format("`{}` draws values", kLogUniform)
                               : std::string("values in a range of floats are drawn"),
                          session);
    return RangeKind::kWrong;
  }
  if (range.last.number() < range.first.number()) {
    session.error("empty-axis", values.span,
                  "no value lies in this range: its end is below its beginning");
    return RangeKind::kWrong;
  }
  if (call && range.first.number() <= 0) {
    session.error(
        "no-number", range.first_span,
        fmt::format("`{}` wants numbers above 0, not {}", kLogUniform, print_value(range.first)));
    return RangeKind::kWrong;
  }
  return RangeKind::kDrawn;
}

Value drawn_value(const DrawnRange& range, const StreamKey& key, std::uint64_t n) {
  std::uint32_t words[2];
  random_words(key, 2 * n, 2, words);
  const std::uint64_t bits = std::uint64_t{words[0]} << 32 | words[1];
  const double share = static_cast<double>(bits >> 11) * 0x1p-53;
  const double first = range.first.number(), last = range.last.number();
  const auto by_logarithm = [&](double low, double high) {
    return std::exp(std::log(low) + share * (std::log(high) - std::log(low)));
  };
  if (!range.of_ints()) {
    const double x = range.logarithmic ? by_logarithm(first, last) : first + share * (last - first);
    return std::clamp(rounded(x), first, last);
  }
  const std::int64_t low = *range.first.get<std::int64_t>(), high = *range.last.get<std::int64_t>();
  if (range.logarithmic) {  // as wide as each whole number is on the line of logarithms
    const double x = std::nearbyint(by_logarithm(first - 0.5, last + 0.5));
    return std::clamp(static_cast<std::int64_t>(std::min(x, 9e18)), low, high);
  }
  const std::uint64_t size = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  const auto wide =
      static_cast<unsigned __int128>(bits) * (static_cast<unsigned __int128>(size) + 1);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) +
                                   static_cast<std::uint64_t>(wide >> 64));
}

}  // namespace strata::graph
