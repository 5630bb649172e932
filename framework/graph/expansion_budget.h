// How far a model may expand, so that expansion always ends soon: layers, stages, rounds of a loop,
// and levels inside one another. What is beyond is reported once.
#pragma once

#include <cstdint>

#include "framework/graph/graph.h"
#include "framework/graph/session.h"

namespace strata::graph {

class ExpansionBudget {
 public:
  ExpansionBudget(Session& session, const Graph& graph) : session_(session), graph_(graph) {}

  // Whether there is room for one more stage.
  bool stage(Span span);
  // Whether a loop of so many rounds has room; asked before the first one.
  bool rounds(std::int64_t count, Span span);
  bool spent() const { return spent_; }

  // One more block or pair of braces inside the others, while it lives.
  class Level {
   public:
    Level(ExpansionBudget& budget, Span span) : budget_(budget), fits_(budget.enter(span)) {}
    ~Level() { --budget_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    bool fits() const { return fits_; }

   private:
    ExpansionBudget& budget_;
    const bool fits_;
  };

 private:
  bool enter(Span span);
  bool stop(const char* code, Span span, std::string message);

  Session& session_;
  const Graph& graph_;
  int depth_ = 0;
  std::int64_t stages_ = 0;
  bool spent_ = false;
};

}  // namespace strata::graph
