// Names that a flow takes.
#include "framework/graph/expand_scope.h"

namespace strata::graph {

void PathScope::reserve(const dsl::Flow& flow) {
  for (const dsl::Stage& stage : flow.stages) {
    if (stage.alias) reserve(stage.alias->text);
    if (const auto* branches = std::get_if<dsl::IfStage>(&stage.node)) {
      for (const auto& branch : branches->branches) {
        if (branch.body) reserve(*branch.body);
      }
      if (branches->otherwise) reserve(*branches->otherwise);
    } else if (const auto* loop = std::get_if<dsl::ForStage>(&stage.node)) {
      if (loop->body) reserve(*loop->body);
    } else if (const auto* repeat = std::get_if<dsl::RepeatStage>(&stage.node)) {
      if (repeat->body) reserve(*repeat->body);
    }
  }
}

}  // namespace strata::graph
