// What every plugin must keep to, whoever wrote it, checked from its schema alone: a new plugin
// joins without a line.
//
// How: options without a default are guessed within their ranges; then every switch is flipped,
// every choice taken and every number changed in turn; layers, losses, metrics and transforms are
// tried on a list of shapes and checked on those that they accept. Layers and losses have their
// gradients compared with central differences in f64. Checked besides: f32 against f64, the same
// bits for any number of threads and any order of tasks, nothing written outside of buffers,
// nothing read that was not written, gradients added or overwritten as the plan says, inference
// that depends on nothing but its inputs, random layers that depend on their key alone, the same
// results in a new instance that has what was saved.
//
// NaN are fed in, too. A NaN says that a run has diverged, so what depends on it has to show it, as
// in PyTorch, whose ReLU and max pooling pass NaN on: where another value of an element changes a
// result, a NaN in its place makes that result NaN or infinite, or is refused with a sentence. The
// figures of a metric may count it as wrong, and must not get better by it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/plugin/registry.h"

namespace strata {

struct ConformanceReport;

struct ConformanceOptions {
  // How many allocations there were so far, where the program counts them: kernels must not
  // allocate.
  std::int64_t (*allocations)() = nullptr;
  // Told of each case before it is tried: where a plugin crashes, that was the last one.
  std::function<void(const std::string& context)> on_case = {};
  // Told of each problem as it is found: a plugin that writes where it likes may crash before the
  // report is whole.
  std::function<void(const ConformanceReport& so_far)> on_problem = {};
};

// What becomes of NaN that are fed in; the later, the worse. The last one is a problem.
enum class NanHandling { kNotFed, kPropagated, kRefused, kCounted, kSwallowed };
std::string_view nan_handling_name(NanHandling handling);  // "propagated"

struct ConformanceReport {
  std::vector<std::string> problems;       // sentences; empty where the plugin conforms
  std::vector<std::string> cases;          // what was tried: options and shapes
  std::int64_t checks = 0;                 // facts that were looked at
  NanHandling nan = NanHandling::kNotFed;  // the worst of all cases
};

// Never throws; a plugin that cannot even be created is a problem in the report.
ConformanceReport check_conformance(const Entry& entry, const Registry& registry,
                                    const ConformanceOptions& options = {});

// How fast a layer is, in f32 on all cores: input elements a second. Nothing where the plugin is no
// layer, or takes none of the shapes tried.
struct Throughput {
  std::string what;  // "Swish(beta = 1.0) on [1024], batch 256"
  double forward = 0, backward = 0;
};
std::optional<Throughput> measure_throughput(const Entry& entry, const Registry& registry);

}  // namespace strata
