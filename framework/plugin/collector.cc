#include "framework/plugin/collector.h"

#include <stdexcept>

namespace strata::plugin_host {

void require(bool holds, const char* otherwise) {
  if (!holds) throw std::invalid_argument(otherwise);
}

std::string named(const char* name, const char* what) {
  if (!name || !*name) throw std::invalid_argument(std::string(what) + " has no name");
  return name;
}

Shape shape_of(const strata_shape* shape, const std::string& what) {
  if (!shape) throw std::invalid_argument(what + " has no shape");
  if (shape->rank < 0 || shape->rank > STRATA_MAX_RANK)
    throw std::invalid_argument(fmt::format("{} has a shape of {} axes", what, shape->rank));
  const std::string why = Shape::why_invalid(shape->dims, shape->dims + shape->rank);
  if (!why.empty()) throw std::invalid_argument(fmt::format("{}: {}", what, why));
  return plugin_internal::to_shape(*shape);
}

}  // namespace strata::plugin_host
