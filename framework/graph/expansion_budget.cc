// The limits of expansion.
#include "framework/graph/expansion_budget.h"

#include <fmt/format.h>

#include <utility>

namespace strata::graph {
namespace {

constexpr int kMaxDepth = 300;  // of blocks and braces inside one another

}  // namespace

bool ExpansionBudget::stage(Span span) {
  if (spent_ || session_.full()) return false;
  const std::int64_t most = session_.options.max_nodes, most_stages = 10 * most + 1000;
  if (static_cast<std::int64_t>(graph_.nodes.size()) >= most) {
    return stop("too-many-layers", span,
                fmt::format("the model expands to more than {} layers", most));
  }
  if (++stages_ <= most_stages) return true;
  return stop("too-much-work", span,
              fmt::format("this model expands to more than {} stages, and most make no layer",
                          most_stages));
}

bool ExpansionBudget::rounds(std::int64_t count, Span span) {
  const std::int64_t most = session_.options.max_nodes;
  if (count <= most) return true;
  return stop("too-many-layers", span,
              fmt::format("a loop of {} rounds, and a model has at most {} layers", count, most));
}

bool ExpansionBudget::enter(Span span) {
  if (++depth_ <= kMaxDepth) return true;
  return stop("too-deep", span,
              fmt::format("more than {} blocks and braces inside one another", kMaxDepth));
}

bool ExpansionBudget::stop(const char* code, Span span, std::string message) {
  if (!spent_) session_.error(code, span, std::move(message));
  spent_ = true;
  return false;
}

}  // namespace strata::graph
