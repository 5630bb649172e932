// One run of elaboration: what it reads, where it reports, and what it is in the middle of.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "framework/base/diagnostic.h"
#include "framework/graph/program.h"

namespace strata::graph {

// What a mistake that a plugin reports is called: `otherwise`, or a fault of the plugin itself.
inline std::string code_for(const Error& error, const char* otherwise) {
  return error.code == ExitCode::kPlugin ? "plugin-failed" : otherwise;
}

class Session {
 public:
  Session(const Registry& registry_in, Sources& sources_in, Diagnostics& diagnostics_in,
          const ElaborateOptions& options_in)
      : registry(registry_in),
        sources(sources_in),
        options(options_in),
        diagnostics_(diagnostics_in) {}

  // Adds an error with the instantiations around it. The same one (code, place, message) is kept
  // once: a block that is instantiated a hundred times has its mistakes once. The reference is good
  // until the next one.
  Diagnostic& error(std::string code, Span span, std::string message);
  // A warning with a name; held back until `flush_lints` knows which are allowed.
  Diagnostic& lint(std::string name, Span span, std::string message);
  // Moves the lints that are not in `allow` to the diagnostics; as errors where the run is strict.
  // What is unused in a file with errors says little: those are dropped then.
  void flush_lints(const std::vector<std::string>& allow);

  // Whether errors were reported since construction or are in the diagnostics already.
  bool has_errors() const { return diagnostics_.has_errors(); }
  const std::vector<Diagnostic>& said() const { return diagnostics_.all(); }
  int errors() const { return diagnostics_.errors(); }
  bool full() const { return diagnostics_.full(); }
  // Whether an error was reported at this very place: what else is wrong there is no second
  // mistake.
  bool has_error_at(Span span) const { return places_.contains(place_of(span)); }
  // Stands for an error that need not be said.
  Diagnostic& nothing() { return repeated_ = Diagnostic{}; }
  // Errors of another pass (the parser) go straight there.
  Diagnostics& diagnostics() { return diagnostics_; }

  // Counts work of expressions, so that evaluation always ends soon. False, and an error once,
  // where it is too much.
  bool spend(std::int64_t work, Span span);

  // The defaults of a plugin's options, in its order, made once; none for a required one. Null, and
  // an error at `span`, where a default names what is not registered.
  const std::vector<OptionValue>* defaults_of(const Entry& entry, Span span);

  const Registry& registry;
  Sources& sources;
  const ElaborateOptions& options;
  // The graph whose values FlowRefs number, while a model is expanded.
  const Graph* graph = nullptr;

  // The instantiations around what is being expanded, outermost first: where, and a sentence of
  // what.
  struct Frame {
    Span span;
    std::string what;
  };
  std::vector<Frame> frames;

 private:
  Diagnostics& diagnostics_;
  static std::string place_of(Span span);
  std::unordered_set<std::string> seen_, places_;
  Diagnostic repeated_;
  std::deque<Diagnostic> lints_;
  std::int64_t work_ = 0;
  std::unordered_map<const Entry*, std::vector<OptionValue>> defaults_;
};

}  // namespace strata::graph
