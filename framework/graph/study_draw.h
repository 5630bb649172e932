// Axes of a study whose values are drawn: with `random`, a range stands for all that lies in it.
//
//   grid rate = 0.0..0.5                                evenly
//   grid width = 16..512                                whole numbers, evenly
//   grid train.optimizer.lr = log_uniform(1e-4..1e-1)   evenly by the logarithm
//
// What is drawn is a function of the train section's seed, the study's name, the path, and the
// number of the draw, so that a study that asks for more draws the same ones first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "framework/base/random.h"
#include "framework/graph/evaluate.h"

namespace strata::graph {

// No function: it stands in a line of a study alone.
inline constexpr const char* kLogUniform = "log_uniform";

struct DrawnRange {
  Value first, last;  // two ints, or two floats; both ends included
  Span first_span, last_span;
  bool logarithmic = false;

  bool of_ints() const { return first.get<std::int64_t>() != nullptr; }
};

// The call of `log_uniform` that an expression is; null for any other.
const dsl::CallExpr* log_uniform_call(const dsl::Expr& values);

// Whether an axis with these values is drawn: a range where there is `random`, and always what can
// have no list of values.
enum class RangeKind { kListed, kDrawn, kWrong };  // kWrong: after an error
RangeKind read_range(const dsl::Expr& values, bool has_random, Names& names, Session& session,
                     DrawnRange& range);

// The n-th value of the stream of this key. Floats have four significant digits: no experiment
// tells more apart, and tables stay legible.
Value drawn_value(const DrawnRange& range, const StreamKey& key, std::uint64_t n);

}  // namespace strata::graph
