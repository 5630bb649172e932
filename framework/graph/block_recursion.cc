// Depth-first search without recursion of its own: files can nest blocks thousands deep.
#include "framework/graph/block_recursion.h"

#include <fmt/format.h>

#include <algorithm>

namespace strata::graph {
namespace {

using Calls = std::vector<std::pair<BlockDecl*, Span>>;

struct Visit {
  BlockDecl* block;
  const Calls* calls;
  std::size_t next;

  Span last_call() const { return (*calls)[next - 1].second; }
};

// `stack` holds the blocks on the way to the call of `callee`, which is among them.
void report_cycle(std::vector<Visit>& stack, const BlockDecl* callee, Session& session) {
  Diagnostic& error =
      session.error("recursive-block", stack.back().last_call(),
                    fmt::format("block `{}` contains itself", callee->node->name.text));
  auto visit =
      std::find_if(stack.begin(), stack.end(), [&](const Visit& v) { return v.block == callee; });
  for (; visit != stack.end(); ++visit) {
    visit->block->recursive = true;
    const auto inner = visit + 1;
    if (inner == stack.end()) break;
    error.notes.push_back(
        {visit->last_call(), fmt::format("`{}` contains `{}`", visit->block->node->name.text,
                                         inner->block->node->name.text)});
  }
}

}  // namespace

void report_recursion(std::deque<BlockDecl>& blocks, const BlockCalls& calls, Session& session) {
  static const Calls kNone;
  const auto visit = [&](BlockDecl& block) {
    const auto found = calls.find(&block);
    return Visit{&block, found == calls.end() ? &kNone : &found->second, 0};
  };
  enum Color { kWhite, kGrey, kBlack };
  std::unordered_map<const BlockDecl*, Color> color;
  for (BlockDecl& root : blocks) {
    if (color[&root] != kWhite) continue;
    std::vector<Visit> stack{visit(root)};
    color[&root] = kGrey;
    while (!stack.empty()) {
      Visit& top = stack.back();
      if (top.next == top.calls->size()) {
        color[top.block] = kBlack;
        stack.pop_back();
        continue;
      }
      BlockDecl* const callee = (*top.calls)[top.next++].first;
      if (color[callee] == kGrey) {
        report_cycle(stack, callee, session);
      } else if (color[callee] == kWhite) {
        color[callee] = kGrey;
        stack.push_back(visit(*callee));
      }
    }
  }
}

}  // namespace strata::graph
