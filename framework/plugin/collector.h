// What a plugin says through callbacks, as its `infer` or `describe` runs: the host's side, for
// instances alone.
#pragma once

#include <exception>
#include <string>
#include <utility>

#include "framework/plugin/services.h"

namespace strata::plugin_host {

// Where the library lies; empty for what is built in.
std::string path_of(const Entry& entry);
// Whoever throws here ends the process, and the note says who it was.
void destroy(const Entry& entry, void (*function)(void*), void* instance) noexcept;

// What a plugin says through callbacks. Nothing may be thrown through its frames, so what is wrong
// is kept, the first of it, and told afterwards.
template <class Said>
struct Collector {
  Said said;
  std::string problem;

  template <class Body>
  static void collect(void* host, Body&& body) noexcept {
    auto& self = *static_cast<Collector*>(host);
    try {
      body(self.said);
    } catch (const std::exception& e) {
      if (self.problem.empty()) self.problem = e.what();
    }
  }
};

// Throw where a plugin says what cannot be.
void require(bool holds, const char* otherwise);
std::string named(const char* name, const char* what);
Shape shape_of(const strata_shape* shape, const std::string& what);

strata_plan callbacks(Collector<InferredPlan>& collector);
strata_data_plan callbacks(Collector<DataDescription>& collector);

// Runs `call`, which hands the callbacks to a function of the plugin; the function's own error
// comes first.
template <class Said, class Call>
Result<Said> collected(const Entry& entry, Call&& call) {
  Collector<Said> collector;
  auto raw = callbacks(collector);
  const Status done = call(&raw);
  if (!done) return done.error();
  if (!collector.problem.empty())
    return plugin_fault(path_of(entry), fmt::format("`{}`: {}", entry.name(), collector.problem));
  return std::move(collector.said);
}

}  // namespace strata::plugin_host
